"""A slide of 3,072 px, three times its overview: one tissue in two stains, and an affine that is known to the last bit."""

import cv2
import numpy as np
import pytest

from her2viewer.imaging.affine import Affine
from her2viewer.imaging.registration.automatic import register
from her2viewer.imaging.registration.closer import Scan, resolutions, windows_moved
from her2viewer.imaging.registration.plane import HAEMATOXYLIN_DAB, HAEMATOXYLIN_EOSIN, plane_of
from tests.benchmarks.registration import flat
from tests.imaging.registration.test_plane import dyed

WIDTH, HEIGHT = 3072, 2304
TRUTH = Affine.similarity(1.02, 8, (60, -45), about=(WIDTH / 2, HEIGHT / 2))


@pytest.fixture(scope="module")
def slides() -> tuple[Scan, Scan]:
    rng = np.random.default_rng(5)
    nuclei = np.zeros((HEIGHT, WIDTH), np.float32)
    for x, y in rng.uniform((0, 0), (WIDTH, HEIGHT), (9000, 2)).astype(int):
        cv2.circle(nuclei, (int(x), int(y)), int(rng.integers(5, 11)), 0.6, -1, cv2.LINE_AA)
    crowded = cv2.resize(rng.random((9, 12)).astype(np.float32), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    nuclei = cv2.GaussianBlur(nuclei * np.clip(crowded, 0.2, 1), (0, 0), 1.5)
    beside = 0.15 + 0.1 * crowded
    he_nuclei, he_beside = (cv2.warpAffine(part, TRUTH.inverse().indices, (WIDTH, HEIGHT)) for part in (nuclei, beside))
    he = flat(dyed({"haematoxylin": he_nuclei, "eosin": he_beside}))
    ihc = flat(dyed({"haematoxylin": nuclei, "dab": beside}))
    return Scan(he, plane_of(he, HAEMATOXYLIN_EOSIN)), Scan(ihc, plane_of(ihc, HAEMATOXYLIN_DAB))


def test_windows_say_by_how_much_an_alignment_is_off(slides: tuple[Scan, Scan]) -> None:
    shifts = windows_moved(*slides, TRUTH.shifted(5, -7), 1.0, lambda: None)
    assert shifts.tried > 30
    assert np.median(shifts.shifts, axis=0) == pytest.approx((-5, 7), abs=0.3)


def test_a_slide_is_registered_to_a_fraction_of_its_own_pixels(slides: tuple[Scan, Scan]) -> None:
    he, ihc = (scan.source for scan in slides)
    alignment = register(he, ihc)
    places = np.array([(400, 400), (2600, 500), (1500, 1200), (500, 1900), (2600, 1800)])
    off = np.hypot(*(alignment.to_ihc(places) - TRUTH.points(places)).T)
    assert off.max() < 0.7  # an overview's pixel is 3
    assert alignment.error_px is not None and alignment.error_px < 0.7


def test_it_stops_at_a_micrometre(slides: tuple[Scan, Scan]) -> None:
    assert list(resolutions(slides[1], None)) == [1.0]
    assert list(resolutions(slides[1], 0.5)) == [2.0]
    assert list(resolutions(slides[1], 1.0)) == [1.0]
    assert not list(resolutions(slides[1], 0.25))
