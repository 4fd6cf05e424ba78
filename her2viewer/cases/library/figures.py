"""What readings say of reader and model together. Plain figures, no opinion."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from her2viewer.cases.agreement import Agreement
from her2viewer.cases.library.records import NOT_ASSESSABLE, Reading, ReadingKind

CLASSES: Final = ("0", "1+", "2+", "3+")
FEW: Final = 20
"""Below so many cases an interval is wider than anything that it could tell."""


@dataclass(frozen=True, slots=True)
class Quartiles:
    """Seconds: the middle one, and those that a quarter lies below and above."""

    low: float
    median: float
    high: float


@dataclass(frozen=True, eq=False, slots=True)
class StudyFigures:
    """Of the readings at hand. `agreement`: reader down, model across, of those that both scored; `blind`: the same of the
    readings made before the model's score was seen, which alone are free of it. `overrides`: after it was seen, and another;
    `upwards` of them are higher than the model.
    """

    readings: int
    not_assessable: int
    without_model: int
    agreement: Agreement
    blind: Agreement
    overrides: int
    upwards: int
    seconds: Quartiles | None

    @property
    def few(self) -> str | None:
        """Said where there is too little to rely on."""
        count = self.agreement.fields
        if count >= FEW:
            return None
        return f"{count} {'case' if count == 1 else 'cases'} scored by both: too few to tell more than these counts."


def study_figures(readings: Iterable[Reading], classes: Sequence[str] = CLASSES) -> StudyFigures:
    """Agreement, overrides and times of readings; a case that several readers read counts once for each."""
    readings = tuple(readings)
    scored = [one for one in readings if one.score != NOT_ASSESSABLE]
    both = [(one.score, one.model_score, one) for one in scored if one.model_score in classes and one.score in classes]
    overrides = [one for one in readings if one.kind is ReadingKind.OVERRIDE]
    place = {name: at for at, name in enumerate(classes)}
    times = [one.seconds for one in readings if one.seconds is not None]
    return StudyFigures(
        readings=len(readings),
        not_assessable=len(readings) - len(scored),
        without_model=sum(one.model_score is None for one in readings),
        agreement=Agreement.of(classes, ((reader, str(model)) for reader, model, _ in both)),
        blind=Agreement.of(classes, ((reader, str(model)) for reader, model, one in both if one.kind is ReadingKind.BLIND)),
        overrides=len(overrides),
        upwards=sum(place.get(one.score, -1) > place.get(str(one.model_score), 99) for one in overrides),
        seconds=Quartiles(*(float(q) for q in np.quantile(times, (0.25, 0.5, 0.75)))) if times else None,
    )


def between_readers(readings: Iterable[Reading], first: str, second: str, classes: Sequence[str] = CLASSES) -> Agreement:
    """Two readers beside each other, of the cases that both scored; the first down."""
    by_reader: dict[str, dict[int, str]] = {first: {}, second: {}}
    for one in readings:
        if one.reader in by_reader and one.score in classes:
            by_reader[one.reader][one.case] = one.score
    cases = by_reader[first].keys() & by_reader[second].keys()
    return Agreement.of(classes, ((by_reader[first][case], by_reader[second][case]) for case in sorted(cases)))
