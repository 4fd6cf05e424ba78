"""What the membrane reading finds in fields whose truth is known, and in real ones whose label is."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import process_time

import numpy as np
from numpy.typing import NDArray

from her2viewer.imaging.opening import open_image
from her2viewer.scoring.membrane import rule
from her2viewer.scoring.membrane.cells import Weights, looks, whole
from her2viewer.scoring.membrane.reading import FEWEST_CELLS, find_cells, read_membranes
from her2viewer.scoring.membrane.rule import CLASSES, Cuts
from training.membranes.fitting import FieldCells, quadratic_kappa
from training.membranes.matching import matched, matched_cells
from training.membranes.peer import peer_cells
from training.membranes.truth import Truth

EPITHELIUM = ("tumour", "in_situ", "normal")


@dataclass(frozen=True, eq=False)
class Detection:
    """Counts of one field. half, whole: drawn nuclei with a found centre within half and one radius; found, drawn: all."""

    half: int
    whole: int
    found: int
    drawn: int


@dataclass(frozen=True, eq=False)
class Seen:
    """One way's look at one phantom: all cells found, a row each. kind: (n,) what each is drawn as, 'none' where nothing is.

    cells: their measurements, and their drawn grade where they are an invasive cell. wanted: invasive cells drawn. looks:
    (n, 4) see `cells.looks`, or None for a way that counts every cell; whole: (n,) not cut off by the border.
    """

    detection: Detection
    cells: FieldCells
    kind: NDArray[np.str_]
    wanted: int
    seconds: float
    looks: NDArray[np.float64] | None
    whole: NDArray[np.bool_]

    def counted(self, weights: Weights) -> "Seen":
        """Those that count, by the weights of `cells.EPITHELIAL`."""
        if self.looks is None:
            return self
        kept = self.whole & (self.looks @ np.array(weights) >= 0)
        return replace(
            self, cells=self.cells.of(kept), kind=self.kind[kept], looks=self.looks[kept], whole=self.whole[kept]
        )


def seen(truth: Truth) -> Seen:
    """The app's way."""
    started = process_time()
    found = find_cells(truth.image, truth.mpp)
    seconds = process_time() - started
    centre = found.nuclei.centre * np.array(found.planes.scale)
    shape = found.planes.dab.shape
    return _seen(
        truth, centre, found.membranes.completeness, found.membranes.amount, seconds,
        looks(found.nuclei, shape), whole(found.nuclei, shape),
    )  # fmt: skip


def seen_by_peer(truth: Truth) -> Seen:
    """scikit-image's way: every cell counts."""
    started = process_time()
    found = peer_cells(truth.image, truth.mpp)
    seconds = process_time() - started
    everything = np.ones(len(found.centre), np.bool_)
    return _seen(truth, found.centre, found.completeness, found.amount, seconds, None, everything)


def _seen(
    truth: Truth,
    centre: NDArray[np.floating],
    completeness: NDArray[np.floating],
    amount: NDArray[np.floating],
    seconds: float,
    looks: NDArray[np.float64] | None,
    whole: NDArray[np.bool_],
) -> Seen:
    near = matched(centre, truth.nuclei, truth.radius)
    half = matched(centre, truth.nuclei, truth.radius / 2)
    kind = np.full(len(centre), "none", dtype="U12")
    kind[near[:, 0]] = truth.kind[near[:, 1]]
    drawn = np.full(len(centre), -1, np.int8)
    inside = matched_cells(centre, truth.cell_of)
    kind[inside[:, 0]] = truth.cell_kind[inside[:, 1]]
    known = inside[truth.counted[inside[:, 1]]]
    drawn[known[:, 0]] = truth.grade[known[:, 1]]
    return Seen(
        detection=Detection(len(half), len(near), len(centre), len(truth.nuclei)),
        cells=FieldCells(truth.label, completeness, amount, drawn),
        kind=kind,
        wanted=int(truth.counted.sum()),
        seconds=seconds,
        looks=looks,
        whole=whole,
    )


@dataclass(frozen=True)
class Figures:
    """One way over all fields of a set. F1 scores over nuclei, pooled; kappas are quadratic; shares are of fields or cells."""

    fields: int
    f1_half: float
    f1_whole: float
    met: float
    invasive: float
    cell_kappa: float
    cell_exact: float
    cells: int
    field_kappa: float
    exact: int
    within_one: int
    scored: int
    milliseconds: float
    confusion: tuple[tuple[int, ...], ...]
    kinds: dict[str, float]


def figures(fields: Sequence[Seen], cuts: Cuts) -> Figures:
    """The figures of a set of phantoms, each reduced to the cells that count, at given cuts."""
    counts = np.array(
        [[f.detection.half, f.detection.whole, f.detection.found, f.detection.drawn] for f in fields]
    ).sum(axis=0)
    half, whole, found, drawn = (int(count) for count in counts)
    grades = [field.cells.grades(cuts) for field in fields]
    known = [field.cells.drawn >= 0 for field in fields]
    truth = np.concatenate([field.cells.drawn[k] for field, k in zip(fields, known, strict=True)])
    said = np.concatenate([grade[k] for grade, k in zip(grades, known, strict=True)])
    scored = np.array(
        [
            (CLASSES.index(field.cells.label), CLASSES.index(rule.score(grade)))
            for field, grade in zip(fields, grades, strict=True)
            if len(grade) >= FEWEST_CELLS
        ]
    ).reshape(-1, 2)
    apart = np.abs(scored[:, 0] - scored[:, 1])
    kinds = np.concatenate([field.kind for field in fields])
    return Figures(
        fields=len(fields),
        f1_half=2 * half / (found + drawn),
        f1_whole=2 * whole / (found + drawn),
        met=len(truth) / sum(field.wanted for field in fields),
        invasive=len(truth) / len(kinds),
        cell_kappa=quadratic_kappa(truth, said),
        cell_exact=float((truth == said).mean()),
        cells=len(truth),
        field_kappa=quadratic_kappa(*scored.T),
        exact=int((apart == 0).sum()),
        within_one=int((apart <= 1).sum()),
        scored=len(scored),
        milliseconds=float(np.median([field.seconds for field in fields]) * 1000),
        confusion=confusion(scored),
        kinds={name: float((kinds == name).mean()) for name in np.unique(kinds)},
    )


def confusion(scored: NDArray[np.intp]) -> tuple[tuple[int, ...], ...]:
    """Rows: labels 0 to 3+, columns: what was read. scored: (n, 2)."""
    table = np.zeros((4, 4), int)
    np.add.at(table, (scored[:, 0], scored[:, 1]), 1)
    return tuple(tuple(row) for row in table.tolist())


@dataclass(frozen=True)
class RealField:
    """One real image: the label in its name and what was read; None where the reading has no score."""

    name: str
    label: str
    score: str | None
    cells: int
    counts: tuple[int, int, int, int]


def read_file(path: Path, label: str, mpp: float) -> RealField:
    """Reads the whole of a flat image. Raises ImageError."""
    with open_image(path) as source:
        pixels = source.read(0, 0, 0, *source.size)
    reading = read_membranes(pixels, mpp)
    return RealField(path.stem, label, reading.score, len(reading.cells), reading.counts)
