import cv2
import numpy as np
import pytest

from her2viewer.scoring.guard.sample import COARSE, SIDE, Sample


def test_its_pictures_cover_the_whole_field_at_any_size() -> None:
    image = np.full((700, 1500, 3), 200, np.uint8)
    image[:, 750:] = 100
    sample = Sample(image)
    assert sample.fine.shape == (SIDE, SIDE, 3) and sample.coarse.shape == (COARSE, COARSE, 3)
    assert np.array_equal(sample.white, [200, 200, 200])
    assert sample.tissue_share == 0.5
    assert sample.total[0, -1] == pytest.approx(3 * np.log10(201 / 101), abs=1e-4)
    assert 0.5 < sample.points[0].size / COARSE**2 < 2.5


def test_the_background_is_the_98th_percentile_of_each_channel() -> None:
    image = np.random.default_rng(0).integers(0, 256, (128, 128, 3), dtype=np.uint8)
    sample = Sample(image)
    assert np.abs(sample.white - np.percentile(sample.coarse.reshape(-1, 3), 98, axis=0)).max() <= 1


@pytest.mark.parametrize("octave", [0, 1, 2, 3])
def test_each_band_holds_the_details_of_its_width(octave: int) -> None:
    wave = 4 * 2**octave
    x = np.arange(SIDE)
    stripes = 150 + 60 * np.sin(2 * np.pi * x / wave)
    image = np.repeat(np.tile(stripes, (SIDE, 1))[..., None], 3, axis=2).astype(np.uint8)
    assert int(Sample(image).bands.argmax()) == octave


def test_a_picture_smaller_than_the_sample_grows() -> None:
    small = cv2.resize(np.random.default_rng(1).integers(0, 256, (8, 8, 3), dtype=np.uint8), (60, 40))
    sample = Sample(small)
    assert sample.fine.shape == (SIDE, SIDE, 3) and sample.piece.shape == (40, 60)
