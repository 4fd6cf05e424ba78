"""Whole readings of drawn fields."""

import cv2
import numpy as np
import pytest

from her2viewer.errors import Cancelled
from her2viewer.imaging.source import PixelSize
from her2viewer.scoring.evidence import FieldPixels
from her2viewer.scoring.membrane.measuring import measure
from her2viewer.scoring.membrane.reading import find_cells, read_field, read_membranes
from her2viewer.scoring.membrane.rule import Grade
from her2viewer.scoring.prediction import FieldOfView
from her2viewer.scoring.stains import Stain
from tests.scoring.membrane.conftest import WALL, Field, centres

MPP = 0.46


def drawn(reading_centre: np.ndarray, across: int = 8) -> np.ndarray:
    """Which of the found centres lie in a drawn cell's nucleus."""
    away = np.hypot(*(reading_centre[:, None] - centres(across)[None]).transpose(2, 0, 1))
    return away.min(axis=1) <= 3


@pytest.mark.parametrize(
    ("dab", "turn", "score", "grade"),
    [
        (0.0, 1.0, "0", Grade.NONE),
        (0.10, 0.5, "1+", Grade.FAINT_INCOMPLETE),
        (0.22, 1.0, "2+", Grade.WEAK_TO_MODERATE),
        (1.2, 1.0, "3+", Grade.INTENSE_COMPLETE),
    ],
)
def test_each_class(field: Field, dab: float, turn: float, score: str, grade: Grade) -> None:
    reading = read_membranes(field(dab=dab, turn=turn), MPP)
    mine = drawn(reading.cells.centre)
    assert mine.sum() >= 50
    assert (reading.cells.grade[mine] == grade).mean() >= 0.9
    assert reading.score == score
    assert sum(reading.counts) == len(reading.cells)
    assert sum(reading.shares or ()) == pytest.approx(1)


# A short stretch comes out longer than it is: its blurred ends are perceptible, too.
@pytest.mark.parametrize(("turn", "within"), [(0.25, 0.17), (0.5, 0.12), (0.75, 0.12), (1.0, 0.02)])
def test_completeness_and_place_of_the_membrane(field: Field, turn: float, within: float) -> None:
    found = find_cells(field(dab=0.5, turn=turn), MPP)
    mine = drawn(found.nuclei.centre)
    assert np.median(found.membranes.completeness[mine]) == pytest.approx(turn, abs=within)
    if turn == 1:
        radius = np.hypot(*(found.outlines.line - found.nuclei.centre[:, None]).transpose(2, 0, 1))
        assert np.median(radius[mine]) == pytest.approx(WALL, abs=0.7)


def test_a_brown_cytoplasm_and_a_haze_are_no_membrane(field: Field) -> None:
    hazy = read_membranes(field(cytoplasm=0.08, haze=0.05), MPP)
    assert (hazy.cells.grade[drawn(hazy.cells.centre)] <= Grade.FAINT_INCOMPLETE).all()
    assert hazy.score in ("0", "1+")


def test_blur_leaves_the_amount(field: Field) -> None:
    sharp = field(dab=0.5)
    blurred = np.asarray(cv2.GaussianBlur(sharp, (0, 0), 1.2))
    one, two = (measure(find_cells(image, MPP).outlines) for image in (sharp, blurred))
    assert np.median(two.amount) == pytest.approx(np.median(one.amount), rel=0.15)
    assert np.median(two.density) < 0.9 * np.median(one.density)


def test_half_the_pixels_say_the_same(field: Field) -> None:
    image = field(dab=1.2)
    twice = np.asarray(cv2.resize(image, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC))
    reading = read_membranes(twice, MPP / 2)
    assert reading.score == "3+"
    assert drawn(reading.cells.centre / 2).sum() >= 50


def test_contours_lie_in_level_0_pixels_of_the_field(field: Field) -> None:
    image = field(dab=1.2)
    side = image.shape[0]
    here = read_membranes(image, MPP)
    there = read_membranes(image, MPP / 2, field=FieldOfView(1000, 500, 2 * side, 2 * side))
    assert there.cells.centre == pytest.approx(2 * here.cells.centre + (1000, 500), abs=1e-6)
    assert there.cells.contour == pytest.approx(2 * here.cells.contour + np.array([1000, 500]), abs=1e-3)
    assert there.cells.grade.tolist() == here.cells.grade.tolist()


def test_an_unknown_scale_is_assumed_and_said(field: Field) -> None:
    image = field()
    pixels = FieldPixels({Stain.IHC: image}, {Stain.IHC: FieldOfView.whole((image.shape[1], image.shape[0]))})
    told = read_field(pixels, PixelSize(MPP, "typed"))
    assumed = read_field(pixels, None, field_um=MPP * image.shape[1])
    assert assumed.assumed and not told.assumed
    assert assumed.mpp == pytest.approx(told.mpp)
    assert "assumed" in assumed.limits[0]
    assert len(assumed.limits) == len(told.limits) + 1


@pytest.mark.parametrize("size", [(1, 1), (7, 300), (40, 40), (300, 300)])
@pytest.mark.parametrize("shade", [0, 128, 255])
def test_blank_and_tiny_fields_have_no_score_but_a_reason(size: tuple[int, int], shade: int) -> None:
    reading = read_membranes(np.full((*size, 3), shade, np.uint8), MPP)
    assert reading.score is None
    assert reading.shares is None
    assert "too few" in reading.reason


def test_what_is_no_tissue_has_no_stained_cells() -> None:
    noise = np.random.default_rng(3).integers(120, 250, (300, 300, 3), np.uint8)
    assert read_membranes(noise, MPP).score in (None, "0", "1+")


def test_too_coarse_is_said() -> None:
    reading = read_membranes(np.full((100, 100, 3), 200, np.uint8), 2.0)
    assert reading.score is None
    assert "µm a pixel" in reading.reason


def test_cancelling_stops_between_two_steps(field: Field) -> None:
    calls = iter([False, False, True])
    with pytest.raises(Cancelled):
        read_membranes(field(across=3), MPP, cancelled=lambda: next(calls))
