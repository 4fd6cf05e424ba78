"""One field's HER2 read from its membranes, without the network: what was found, what it rests on, and what it cannot say."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from her2viewer.errors import Cancelled
from her2viewer.imaging.affine import Affine
from her2viewer.imaging.source import PixelSize, RGBImage
from her2viewer.scoring.evidence import FieldPixels
from her2viewer.scoring.membrane import rule
from her2viewer.scoring.membrane.cells import counts
from her2viewer.scoring.membrane.counterstain import without_counterstain
from her2viewer.scoring.membrane.dyes import COARSEST_MPP, DyePlanes, dye_planes
from her2viewer.scoring.membrane.measuring import Membranes, measure
from her2viewer.scoring.membrane.nuclei import Nuclei, find_nuclei
from her2viewer.scoring.membrane.outlines import Outlines, trace
from her2viewer.scoring.membrane.polar import RAYS
from her2viewer.scoring.prediction import FieldOfView
from her2viewer.scoring.preprocess import FIELD_UM
from her2viewer.scoring.stains import Stain
from her2viewer.scoring.watching import never

CUTS: Final = rule.Cuts(perceptible=0.0, faint_below=0.205, intense_from=0.313, complete_from=0.85, stained_from=0.25)
"""Amounts in optical density x um. Set on 28 phantoms by `python -m training membranes --fit`; what is perceptible is decided
stretch by stretch, in `measuring`."""

FEWEST_CELLS: Final = 30
"""Below this a tenth of the cells is three of them, and the rule says nothing. The sparsest phantoms hold as many."""

LIMITS: Final = (
    "Cells are found by their nuclei and membranes in the IHC alone: tumour in situ and normal epithelium count as invasive "
    "tumour does, and some lymphocytes and stromal cells are among them.",
    "The amount of DAB is measured against the field's own background and not against controls on the slide: a laboratory that "
    "stains stronger or weaker than usual moves every cell.",
    "The rule is for the whole invasive component of a slide. This is one field.",
)


@dataclass(frozen=True, eq=False)
class MembraneCells:
    """The cells that count, as columns. centre: (n, 2) float64 and contour: (n, RAYS, 2) float32, x and y in level-0 px of the
    IHC. density: (n,) mean DAB optical density of the stained membrane over the cell's inside. amount: the same across the
    membrane's width, optical density x um. completeness: (n,) stained share of the outline, 0..1. grade: (n,) uint8, a `Grade`.
    """

    centre: NDArray[np.float64]
    contour: NDArray[np.float32]
    density: NDArray[np.float32]
    amount: NDArray[np.float32]
    completeness: NDArray[np.float32]
    grade: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.grade)


@dataclass(frozen=True, eq=False)
class MembraneReading:
    """A field read from its membranes.

    score: of `rule.CLASSES`, or None where there is none, and then `reason` says why. passed_over: (m, 2) float64, level-0
    px, nuclei that do not count. mpp: micrometres per level-0 px it rests on, and `assumed` whether nobody told it.
    borderline: a sentence where a share lies so near a tenth that a few cells would change the score, else empty.
    """

    cells: MembraneCells
    passed_over: NDArray[np.float64]
    score: str | None
    reason: str
    mpp: float
    assumed: bool
    borderline: str = ""
    cuts: rule.Cuts = CUTS

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """Cells of each `Grade`."""
        none, faint, moderate, intense = np.bincount(self.cells.grade, minlength=4).tolist()
        return none, faint, moderate, intense

    @property
    def shares(self) -> tuple[float, float, float, float] | None:
        """The share of cells of each `Grade`; None where there are none."""
        return rule.shares(self.cells.grade) if len(self.cells) else None

    @property
    def limits(self) -> tuple[str, ...]:
        """What the reading rests on and cannot say, as sentences."""
        scale = (
            f"The scale is not known: {self.mpp:.3g} µm a pixel was assumed, from the side of the fields that the model was "
            "trained with.",
        )
        return (*(scale if self.assumed else ()), *LIMITS)


def read_field(
    field: FieldPixels,
    mpp: PixelSize | None,
    *,
    field_um: float = FIELD_UM,
    cancelled: Callable[[], bool] = never,
) -> MembraneReading:
    """The reading of a field's IHC. mpp: of level-0 px; where it is None, the field's longer side is taken for `field_um`
    micrometres (`InputLayout.field_um`). Raises KeyError without an IHC, Cancelled.
    """
    seen = field.fields[Stain.IHC]
    um = field_um / max(seen.width, seen.height) if mpp is None else mpp.um
    return read_membranes(field.pixels[Stain.IHC], um, field=seen, assumed=mpp is None, cancelled=cancelled)


def read_membranes(
    ihc_pixels: RGBImage,
    mpp: float,
    *,
    field: FieldOfView | None = None,
    assumed: bool = False,
    cancelled: Callable[[], bool] = never,
) -> MembraneReading:
    """Finds cells, traces and grades their membranes and applies the rule.

    ihc_pixels: (h, w, 3) uint8 RGB. mpp: micrometres per level-0 px. field: the rectangle of level-0 px that the pixels
    were read from; None where they are level 0 themselves, from its corner on. Raises Cancelled between two steps.
    """
    height, width = ihc_pixels.shape[:2]
    seen = field or FieldOfView.whole((width, height))
    to_plane = Affine.stretch(seen.width / width, seen.x, seen.height / height, seen.y)
    to_level_0 = to_plane.then(seen.frame.inverse())
    raster_mpp = mpp * to_level_0.scale
    if raster_mpp > COARSEST_MPP:
        return _without(
            mpp,
            assumed,
            f"At {raster_mpp:.2f} µm a pixel membranes cannot be told apart: read the field at {COARSEST_MPP:g} µm or finer.",
        )

    found = find_cells(ihc_pixels, raster_mpp, cancelled)
    counted, scale = found.counted, found.planes.scale
    nuclei, outlines, membranes = found.nuclei, found.outlines, found.membranes
    grade = rule.grade_cells(membranes.completeness, membranes.amount, CUTS)
    to_source = Affine.stretch(scale[0], 0, scale[1], 0).then(to_level_0)
    cells = MembraneCells(
        centre=to_source.points(nuclei.centre[counted]),
        contour=to_source.points(outlines.line[counted].reshape(-1, 2)).reshape(-1, RAYS, 2).astype(np.float32),
        density=membranes.density[counted],
        amount=membranes.amount[counted],
        completeness=membranes.completeness[counted],
        grade=grade[counted],
    )
    passed_over = to_source.points(nuclei.centre[~counted])
    score = rule.score(cells.grade) if len(cells) >= FEWEST_CELLS else None
    return MembraneReading(
        cells=cells,
        passed_over=passed_over,
        score=score,
        reason="" if score else _too_few(len(cells)),
        mpp=mpp,
        assumed=assumed,
        borderline=rule.borderline(cells.grade) if score else "",
    )


@dataclass(frozen=True, eq=False)
class FoundCells:
    """Everything that was found, a row a nucleus, in working px; `counted` are those that the rule is applied to."""

    planes: DyePlanes
    nuclei: Nuclei
    outlines: Outlines
    membranes: Membranes
    counted: NDArray[np.bool_]


def find_cells(ihc_pixels: RGBImage, mpp: float, cancelled: Callable[[], bool] = never) -> FoundCells:
    """All cells of an IHC field of `mpp` micrometres a pixel, measured but not yet graded. Raises Cancelled."""

    def go_on() -> None:
        if cancelled():
            raise Cancelled

    go_on()
    planes = dye_planes(ihc_pixels, mpp)
    go_on()
    nuclei = find_nuclei(planes)
    go_on()
    dab = without_counterstain(planes.dab, planes.counterstain, nuclei.centre, nuclei.radius)
    outlines = trace(dab, nuclei)
    go_on()
    membranes = measure(outlines)
    return FoundCells(planes, nuclei, outlines, membranes, counts(nuclei, planes.dab.shape))


def _too_few(count: int) -> str:
    found = {0: "No cell was found", 1: "One cell was found"}.get(count, f"{count} cells were found")
    return f"{found} that could be of the tumour, too few for a share of a tenth: choose a field with more tumour."


def _without(mpp: float, assumed: bool, reason: str) -> MembraneReading:
    """A reading that found no cell to look at."""
    none = np.zeros(0, np.float32)
    cells = MembraneCells(np.zeros((0, 2)), np.zeros((0, RAYS, 2), np.float32), none, none, none, np.zeros(0, np.uint8))
    return MembraneReading(cells, np.zeros((0, 2)), None, reason, mpp, assumed)
