"""A membrane reading in a file: the same figures and words as on screen. Outlines are left out, centres are kept."""

from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from her2viewer.export.results import Section, Share, Words
from her2viewer.scoring.membrane.agreement import Agreement
from her2viewer.scoring.membrane.reading import MembraneReading
from her2viewer.scoring.membrane.rule import Cuts, Grade

_Number = Annotated[float, Field(ge=0)]


class CutsRecord(Section):
    """The thresholds of a cell's grade. Intensities are in optical density x um, the others shares of the outline."""

    perceptible: _Number
    faint_below: _Number
    intense_from: _Number
    complete_from: Share
    stained_from: Share

    @classmethod
    def of(cls, cuts: Cuts) -> Self:
        return cls(
            perceptible=cuts.perceptible,
            faint_below=cuts.faint_below,
            intense_from=cuts.intense_from,
            complete_from=cuts.complete_from,
            stained_from=cuts.stained_from,
        )


class MembraneCellsRecord(Section):
    """The cells that count, as columns of one length: x and y in level-0 px of the IHC, grade 0 to 3, the rest as measured."""

    x: list[float]
    y: list[float]
    grade: list[Annotated[int, Field(ge=0, le=3)]]
    completeness: list[Share]
    density: list[_Number]
    amount: list[_Number]

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (
            len({len(column) for column in (self.x, self.y, self.grade, self.completeness, self.density, self.amount)})
            > 1
        ):
            raise ValueError("columns of unlike length")
        return self


class AgreementRecord(Section):
    """The reading beside the network's score of the same field; `steps` is None where the reading has no score."""

    steps: Annotated[int, Field(ge=0, le=3)] | None
    sentence: Words
    speaks_against: bool


class MembraneRecord(Section):
    """`shares` and `counts` by the grade's name; `score` is None where `reason` says why. `mpp` is what sizes rest on."""

    score: str | None
    reason: Words
    borderline: Words
    counts: dict[str, Annotated[int, Field(ge=0)]]
    shares: dict[str, Share] | None
    cells: MembraneCellsRecord
    passed_over: Annotated[int, Field(ge=0)]
    cuts: CutsRecord
    mpp: Annotated[float, Field(gt=0)]
    mpp_assumed: bool
    limits: tuple[Words, ...]
    agreement: AgreementRecord | None = None

    @classmethod
    def of(cls, reading: MembraneReading, agreement: Agreement | None = None) -> Self:
        """agreement: with the score that stands in the same file, where there is one."""
        cells, shares = reading.cells, reading.shares
        names = [grade.name.lower() for grade in Grade]
        return cls(
            score=reading.score,
            reason=reading.reason,
            borderline=reading.borderline,
            counts=dict(zip(names, reading.counts, strict=True)),
            shares=None if shares is None else dict(zip(names, shares, strict=True)),
            cells=MembraneCellsRecord(
                x=cells.centre[:, 0].round(1).tolist(),
                y=cells.centre[:, 1].round(1).tolist(),
                grade=cells.grade.tolist(),
                completeness=_rounded(cells.completeness),
                density=_rounded(cells.density),
                amount=_rounded(cells.amount),
            ),
            passed_over=len(reading.passed_over),
            cuts=CutsRecord.of(reading.cuts),
            mpp=reading.mpp,
            mpp_assumed=reading.assumed,
            limits=reading.limits,
            agreement=None
            if agreement is None
            else AgreementRecord(
                steps=agreement.steps, sentence=agreement.sentence, speaks_against=agreement.speaks_against
            ),
        )


def _rounded(column: NDArray[np.float32]) -> list[float]:
    rounded: list[float] = column.astype(np.float64).round(3).tolist()
    return rounded
