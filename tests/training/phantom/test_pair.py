"""What a phantom promises: the same every time, a label that follows from its cells, brown where its membranes are."""

import cv2
import numpy as np
import pytest

from her2viewer.scoring.membrane.rule import CLASSES, Grade
from tests.training.phantom.conftest import SEED
from training.phantom import expression
from training.phantom.nuclei import Kind
from training.phantom.pair import Phantom, make_phantom

Phantoms = dict[int, Phantom]


def dab(phantom: Phantom) -> np.ndarray:
    """DAB amount per pixel as the IHC picture shows it: its density unmixed by the slide's two stain vectors."""
    light = np.clip(phantom.ihc.astype(np.float64), 1, None) / phantom.slide.ihc.white
    density = -np.log10(np.clip(light, 1e-3, None)).reshape(-1, 3)
    vectors = np.stack([phantom.slide.counterstain, phantom.slide.dab]).astype(np.float64)
    return (density @ np.linalg.pinv(vectors))[:, 1].reshape(phantom.ihc.shape[:2])


def test_any_pair_alone_is_the_same_every_time(phantoms: Phantoms) -> None:
    again = make_phantom(SEED, 5, side=512)
    assert np.array_equal(again.he, phantoms[5].he)
    assert np.array_equal(again.ihc, phantoms[5].ihc)
    assert np.array_equal(again.cells.tumour_id, phantoms[5].cells.tumour_id)
    assert np.array_equal(again.expression.grade, phantoms[5].expression.grade)


def test_pairs_and_seeds_differ(phantoms: Phantoms) -> None:
    assert not np.array_equal(phantoms[0].he, phantoms[1].he)
    assert not np.array_equal(make_phantom(SEED + 1, 0, side=512).he, phantoms[0].he)


def test_the_label_follows_from_what_the_cells_show(phantoms: Phantoms) -> None:
    """Recounted from the drawn membranes of invasive cells, one by one, with nothing of the generator's own bookkeeping."""
    for phantom in phantoms.values():
        cells, membrane = phantom.cells, phantom.expression.membrane
        grades = []
        invasive = 1 + np.flatnonzero(cells.kind[cells.tumour] == Kind.TUMOUR)
        for number in invasive:
            drawn = membrane[cells.wall & (cells.tumour_id == number)]
            if drawn.size < 12:
                continue
            stained = drawn[drawn >= expression.DRAWN.perceptible]
            complete, strength = stained.size / drawn.size, stained.mean() if stained.size else 0.0
            if complete <= 0.05:
                grades.append(Grade.NONE)
            elif complete < expression.DRAWN.complete_from and strength < expression.DRAWN.faint_below:
                grades.append(Grade.FAINT_INCOMPLETE)
            elif complete < expression.DRAWN.complete_from or strength < expression.DRAWN.intense_from:
                grades.append(Grade.WEAK_TO_MODERATE)
            else:
                grades.append(Grade.INTENSE_COMPLETE)
        found = np.array(grades)
        intense, moderate = (found == 3).mean(), (found >= 2).mean()
        if intense > 0.1:
            expected = "3+"
        elif moderate > 0.1 or intense > 0.01:
            expected = "2+"
        else:
            expected = "1+" if (found >= 1).mean() > 0.1 else "0"
        assert phantom.label == expected
        assert phantom.expression.shares == pytest.approx([(found == grade).mean() for grade in Grade])


def test_a_class_is_only_aimed_at(phantoms: Phantoms, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cells that come out bare are a 0, whatever class was wanted."""
    monkeypatch.setattr(expression, "_shares", lambda rng, target: (0.0, 0.0, 0.0))
    bare = expression.express(np.random.default_rng(0), phantoms[0].cells, "3+", 0.0)
    assert bare.label == "0"
    assert bare.membrane.max() == 0


def test_every_four_pairs_hold_every_class(phantoms: Phantoms) -> None:
    for block in range(3):
        assert sorted(phantoms[4 * block + i].label for i in range(4)) == sorted(CLASSES)


def test_brown_lies_on_the_membranes(phantoms: Phantoms) -> None:
    """Measured on the picture after blur, grain and rounding: by grade, and against the inside of the same cells."""
    strength: dict[Grade, list[float]] = {grade: [] for grade in Grade}
    for phantom in phantoms.values():
        cells, seen = phantom.cells, dab(phantom)
        grade = np.concatenate([[0], phantom.expression.grade])[cells.tumour_id]
        line = (cells.wall_distance < 1) & (cells.tumour_id > 0)
        inside = (cells.wall_distance > 5) & (cells.tumour_id > 0)
        for value in Grade:
            on, off = line & (grade == value), inside & (grade == value)
            if on.sum() > 300 and off.sum() > 300:
                strength[value].append(float(seen[on].mean()))
                if value >= Grade.WEAK_TO_MODERATE:
                    assert seen[on].mean() > 1.25 * seen[off].mean()
    faint, moderate, intense = (np.median(strength[grade]) for grade in list(Grade)[1:])
    assert faint * 1.5 < moderate
    assert moderate * 1.5 < intense


def test_membranes_shifted_aside_lose_their_brown(phantoms: Phantoms) -> None:
    """The mask and the picture are in one frame, to a pixel or two."""
    strong = next(p for p in phantoms.values() if p.label == "3+")
    grade = np.concatenate([[0], strong.expression.grade])[strong.cells.tumour_id]
    line = (strong.cells.wall_distance < 1) & (grade == Grade.INTENSE_COMPLETE)
    seen = dab(strong)
    here = seen[line].mean()
    for dy, dx in ((0, 4), (4, 0), (0, -4), (-4, 0)):
        assert seen[np.roll(line, (dy, dx), (0, 1))].mean() < 0.9 * here


def test_the_two_stains_are_registered_to_a_few_pixels(phantoms: Phantoms) -> None:
    """The H&E's nuclei lie where the shift says. Found by phase correlation of what light does not pass, nothing assumed."""
    for phantom in list(phantoms.values())[:6]:
        assert np.abs(phantom.shift).max() < 16
        he = cv2.cvtColor(phantom.he, cv2.COLOR_RGB2GRAY).astype(np.float32)
        moved = cv2.remap(
            phantom.he_cells.nucleus,
            *(grid - shift for grid, shift in zip(_grid(512), np.moveaxis(phantom.shift, -1, 0), strict=True)),
            cv2.INTER_LINEAR,
        )

        def fit(cover: np.ndarray, picture: np.ndarray = he) -> float:
            return float(np.corrcoef(cover.ravel(), -picture.ravel())[0, 1])

        assert fit(moved) > 0.25
        assert fit(moved) > max(fit(np.roll(moved, 9, axis)) for axis in (0, 1)) + 0.05


def _grid(side: int) -> tuple[np.ndarray, np.ndarray]:
    y, x = np.mgrid[0:side, 0:side].astype(np.float32)
    return x, y


def test_shape_and_spread(phantoms: Phantoms) -> None:
    whites = [phantom.slide.ihc.white.mean() for phantom in phantoms.values()]
    assert min(whites) < 200
    assert max(whites) > 230
    for phantom in phantoms.values():
        assert phantom.he.shape == phantom.ihc.shape == (512, 512, 3)
        assert phantom.he.dtype == phantom.ihc.dtype == np.uint8
        assert phantom.cells.tumour_id.max() <= len(phantom.cells.tumour)
        assert not (phantom.cells.wall & (phantom.cells.tumour_id == 0)).any()
        assert phantom.expression.visible.sum() >= 7  # 30 in a sparse field of full size, four times as large
