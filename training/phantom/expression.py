"""HER2 on the membranes of a field's tumour cells: drawn first, then measured, graded and scored from what was drawn.

A class is only aimed at. What a cell shows is measured on its own outline after drawing, and the label follows from all
cells by `rule.score`; where that is another class than the one aimed at, the cells are stained anew.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from her2viewer.scoring.membrane import rule
from her2viewer.scoring.membrane.rule import Grade
from training.phantom.cells import Cells
from training.phantom.noise import Plane, fractal, smooth
from training.phantom.nuclei import Kind

# Half the width of the brown line, on one cell's side of a wall, in px of 0.46 um: precipitate is about 0.64, 1.0 and 2.14 um
# wide for 1+, 2+ and 3+ (the "magnification rule" of HER2 reading: seen at 40x, 10x, 5x).
_HALF_WIDTH: Final = {
    Grade.NONE: 0.7, Grade.FAINT_INCOMPLETE: 0.7, Grade.WEAK_TO_MODERATE: 1.1, Grade.INTENSE_COMPLETE: 2.3
}  # fmt: skip
DRAWN: Final = rule.Cuts(perceptible=0.05, faint_below=0.22, intense_from=0.58, complete_from=0.9, stained_from=0.05)
"""What is drawn is graded by peak optical densities (log10) of the DAB on a membrane, along the DAB's own stain vector."""
_TRIES: Final = 8
_BASOLATERAL: Final = 0.25
"""How often a tumour with lumina leaves their side unstained."""


@dataclass(frozen=True, eq=False)
class Expression:
    """The staining of one field.

    membrane: (side, side) DAB amount on membranes; blush: the same inside the cells. Per cell in the order of `Cells.tumour`,
    for those with enough outline left to be judged: completeness (0..1), intensity (amount), grade. visible: those of them that
    are invasive, which are the ones that count. Amounts are a standard slide's; a slide's own strength comes on top.
    """

    membrane: Plane
    blush: Plane
    visible: NDArray[np.bool_]
    completeness: NDArray[np.float32]
    intensity: NDArray[np.float32]
    grade: NDArray[np.uint8]
    label: str

    @property
    def shares(self) -> tuple[float, float, float, float]:
        """The share of visible invasive tumour cells in each grade."""
        return rule.shares(self.grade[self.visible])


def express(rng: np.random.Generator, cells: Cells, target: str, blush: float) -> Expression:
    """Stains the tumour cells, aiming at a class. Raises ValueError where there is no tumour cell.

    blush: 0..1, how much of a membrane's DAB bleeds into its cell.
    """
    for _ in range(_TRIES):
        result = _once(rng, cells, target, blush)
        if result.label == target:
            break
    return result


def _once(rng: np.random.Generator, cells: Cells, target: str, blush: float) -> Expression:
    planned = _plan(rng, cells, target)
    n = len(planned)
    amount, cover = _amounts(rng, planned)
    side = cells.owner.shape[0]
    at = np.flatnonzero((cells.tumour_id > 0) & (cells.wall_distance < 6.5))
    mine = cells.tumour_id.ravel()[at].astype(np.intp) - 1
    texture = 1 + np.float32(rng.uniform(0.12, 0.30)) * smooth(rng, side, 5.0).ravel()[at]
    strength = amount[mine] * np.clip(texture, 0.4, 1.6) * _covered(rng, cells, at, mine, cover)
    if (
        cells.apical is not None
    ):  # normal glands stain basolaterally, and so do some tumours: not where they face a lumen
        spared = (cells.kind[cells.tumour] == Kind.NORMAL) | (rng.random() < _BASOLATERAL)
        strength[cells.apical.ravel()[at] & spared[mine]] = 0
    width = np.array([_HALF_WIDTH[Grade(g)] for g in range(4)], np.float32)[planned] * np.exp(
        rng.normal(0, 0.12, len(planned))
    )
    line = np.exp(-((cells.wall_distance.ravel()[at] / width.astype(np.float32)[mine]) ** 2))
    membrane = np.zeros(side * side, np.float32)
    membrane[at] = strength * line

    wall = np.flatnonzero(cells.wall.ravel())
    whose = cells.tumour_id.ravel()[wall] - 1
    drawn = membrane[wall]
    stained = drawn >= DRAWN.perceptible
    length = np.bincount(whose, minlength=n)
    marked = np.bincount(whose[stained], minlength=n)
    total = np.bincount(whose[stained], weights=drawn[stained], minlength=n)
    completeness = np.asarray(marked / np.maximum(length, 1), np.float32)
    intensity = np.asarray(total / np.maximum(marked, 1), np.float32)
    visible = (length >= 12) & cells.invasive
    if not visible.any():
        raise ValueError("the field has no invasive tumour cell")
    grade = rule.grade_cells(completeness, intensity, DRAWN)
    inside = np.zeros(len(cells.kind), np.float32)
    inside[cells.tumour] = amount * cover * blush * rng.uniform(0.15, 0.85) * np.exp(rng.normal(0, 0.25, n))
    cloud = cells.per_pixel(inside) * (cells.tumour_id > 0) * np.clip(1 + 0.3 * fractal(rng, side, 7, 2), 0.2, None)
    return Expression(
        membrane=membrane.reshape(side, side),
        blush=np.asarray(cloud, np.float32),
        visible=visible,
        completeness=completeness,
        intensity=intensity,
        grade=grade,
        label=rule.score(grade[visible]),
    )


def _plan(rng: np.random.Generator, cells: Cells, target: str) -> NDArray[np.intp]:
    """A grade for each cell: of invasive tumour in the shares drawn for the class aimed at; ducts have their own."""
    kind = cells.kind[cells.tumour]
    planned = np.zeros(len(kind), np.intp)
    laid_out = {
        Kind.TUMOUR: _shares(rng, target),
        # In situ carcinoma is often positive, whatever the invasive part is. Normal epithelium is negative or faint.
        Kind.IN_SITU: _shares(rng, str(rng.choice(["0", "1+", "2+", "3+"], p=[0.3, 0.2, 0.2, 0.3]))),
        Kind.NORMAL: (float(rng.uniform(0.1, 0.8)) if rng.random() < 0.35 else 0.0, 0.0, 0.0),
    }
    for one, shares in laid_out.items():
        mine = np.flatnonzero(kind == one)
        if mine.size:
            planned[mine] = _patches(rng, cells, cells.tumour[mine], shares)
    return planned


def _patches(
    rng: np.random.Generator, cells: Cells, numbers: NDArray[np.intp], shares: tuple[float, float, float]
) -> NDArray[np.intp]:
    """Grades in given shares (faint, moderate, intense), laid out in patches (heterogeneity). numbers: of the cells."""
    faint, moderate, intense = shares
    n, side = len(numbers), cells.owner.shape[0]
    x = np.clip(cells.x[numbers].astype(np.intp), 0, side - 1)
    y = np.clip(cells.y[numbers].astype(np.intp), 0, side - 1)
    patchiness = rng.uniform(0.3, 2.5)
    order = np.argsort(-(patchiness * fractal(rng, side, rng.uniform(90, 300), 2)[y, x] + rng.normal(0, 1, n)))
    planned = np.zeros(n, np.intp)
    bounds = np.round(np.cumsum([intense, moderate, faint]) * n).astype(np.intp)
    planned[order[: bounds[2]]] = Grade.FAINT_INCOMPLETE
    planned[order[: bounds[1]]] = Grade.WEAK_TO_MODERATE
    planned[order[: bounds[0]]] = Grade.INTENSE_COMPLETE
    return planned


def _shares(rng: np.random.Generator, target: str) -> tuple[float, float, float]:
    """Shares of faint, moderate and intense cells for a class aimed at."""
    match target:
        case "0":
            return float(rng.beta(0.7, 2.0) * 0.09), 0.0, 0.0
        case "1+":
            return float(0.14 + 0.84 * rng.beta(1.6, 1.2)), float(rng.beta(0.6, 3.0) * 0.08), 0.0
        case "2+":
            intense = float(rng.uniform(0.02, 0.09)) if rng.random() < 0.15 else 0.0
            moderate = float(0.16 + 0.82 * rng.beta(2.0, 1.1))
            moderate = min(moderate, 1 - intense)
            return float(rng.uniform(0.3, 1.0) * (1 - moderate - intense)), moderate, intense
        case "3+":
            # Some 3+ fields show little stained tumour: the slide's label comes from elsewhere on it.
            intense = float(rng.uniform(0.12, 0.22) if rng.random() < 0.1 else 0.16 + 0.84 * rng.beta(2.6, 0.9))
            moderate = float(rng.uniform(0.2, 1.0) * (1 - intense))
            return float(rng.uniform(0.2, 1.0) * (1 - intense - moderate)), moderate, intense
    raise ValueError(f"no class is called {target!r}")


def _amounts(rng: np.random.Generator, planned: NDArray[np.intp]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """DAB amount and stained share of the outline for each cell, scattered round the field's own level of each grade."""
    n = len(planned)
    level = np.array([0.0, rng.uniform(0.09, 0.18), rng.uniform(0.15, 0.46), rng.uniform(0.72, 1.45)])
    amount = level[planned] * np.exp(rng.normal(0, 0.13, n))
    low = np.array([0.0, 0.065, 0.12, 0.66])[planned]
    high = np.array([0.0, 0.205, 0.54, 2.0])[planned]
    cover = np.array([0.0, rng.uniform(0.2, 0.6), 1.2, 1.2])[planned] * np.exp(rng.normal(0, 0.2, n))
    cover = np.where(planned == Grade.FAINT_INCOMPLETE, np.clip(cover, 0.10, 0.78), np.where(planned > 1, 1.0, 0.0))
    return np.clip(amount, low, high).astype(np.float32), cover.astype(np.float32)


def _covered(
    rng: np.random.Generator, cells: Cells, at: NDArray[np.intp], mine: NDArray[np.intp], cover: NDArray[np.float32]
) -> NDArray[np.float32]:
    """0..1 at the pixels `at`: whether that stretch of the cell's outline is stained, with soft ends.

    Gaps open where a sum of three harmonics of the angle round the cell is high: one to three stretches a cell.
    """
    n = len(cover)
    angle = np.arctan2(cells.offset_y.ravel()[at], cells.offset_x.ravel()[at])
    wave = np.zeros(len(at), np.float32)
    for order, weight in ((1, 1.0), (2, 0.8), (3, 0.6)):
        wave += np.float32(weight) * np.cos(
            np.float32(order) * angle + rng.uniform(0, 2 * np.pi, n).astype(np.float32)[mine]
        )
    # The harmonics' sum has variance (1 + 0.64 + 0.36) / 2 = 1 and is close to normal; a logistic inverts its quantile.
    threshold = np.where(cover >= 1, 9.0, np.log(np.maximum(cover, 1e-3) / np.maximum(1 - cover, 1e-3)) / 1.7)
    return np.asarray(np.clip((threshold.astype(np.float32)[mine] - wave) / np.float32(0.35) + 0.5, 0, 1), np.float32)
