from pathlib import Path

import cv2
import numpy as np
import pytest

from her2viewer.imaging.stain_vectors import Dyes, ruifrok_johnston
from her2viewer.scoring.guard.histology import SECTORS, examine_foreign, examine_histology, hue
from her2viewer.scoring.guard.sample import Sample
from her2viewer.scoring.stains import Stain
from tests.scoring.guard.conftest import Picture


def failed(image: Picture, stain: Stain = Stain.HE) -> list[str]:
    return [one.name for one in examine_histology({stain: Sample(image)}) if not one.passed]


def test_a_good_pair_has_its_dyes_colours(samples: dict[Stain, Sample]) -> None:
    assert all(one.passed for one in examine_histology(samples))


@pytest.mark.parametrize(("dyes", "stain"), [(Dyes.HAEMATOXYLIN_EOSIN, Stain.HE), (Dyes.HAEMATOXYLIN_DAB, Stain.IHC)])
def test_the_published_dyes_lie_in_their_stains_sector_at_any_strength(dyes: Dyes, stain: Stain) -> None:
    low, high = SECTORS[stain]
    for vector in ruifrok_johnston(dyes).matrix[:2]:
        angles = [float(hue((strength * vector).astype(np.float32))[0]) for strength in (0.3, 1.0, 2.0)]
        assert np.ptp(angles) < 0.01
        assert (angles[0] - low) % 360 <= high - low


def test_negatives_and_dark_grounds_are_no_sections(pair: tuple[Picture, Picture]) -> None:
    assert "not_histology" in failed(255 - pair[0])
    dark = np.full_like(pair[0], 8)
    dark[:200] = (20, 220, 30)
    assert "not_histology" in failed(dark)


@pytest.mark.parametrize("ink", [(20, 60, 190), (20, 130, 40), (10, 10, 10)])
def test_a_stroke_of_ink_is_found_and_specks_are_not(pair: tuple[Picture, Picture], ink: tuple[int, int, int]) -> None:
    for stain, image in zip(Stain, pair, strict=True):
        marked = cv2.line(image.copy(), (100, 200), (800, 500), ink, 70)
        assert failed(marked, stain) == ["pen_mark"]
        assert failed(cv2.circle(image.copy(), (500, 500), 10, ink, -1), stain) == []


def test_real_ink_is_found(shared_data: Path) -> None:
    ink, clean = (
        np.asarray(cv2.imread(str(shared_data / "stains" / name), cv2.IMREAD_COLOR_RGB), np.uint8)
        for name in ("he_slide_with_ink.jpeg", "he_slide.jpeg")
    )
    assert "pen_mark" in failed(ink) and "pen_mark" not in failed(clean)


def test_another_stains_colours_in_a_part_of_the_tissue_are_told(pair: tuple[Picture, Picture]) -> None:
    he = pair[0].copy()
    green = (240 * 10 ** -(np.array([0.82, 0.22, 0.52]) * 1.5)).astype(np.uint8)
    for y in range(0, 1024, 64):
        he[y : y + 8] = green
    (told,) = examine_foreign(Sample(he))
    assert told.name == "he_unlike_he" and not told.passed
    (good,) = examine_foreign(Sample(pair[0]))
    assert good.passed
    assert list(examine_foreign(Sample(cv2.line(he, (100, 200), (800, 500), (10, 10, 10), 70)))) == [], (
        "ink is told as ink"
    )
