"""Glass is told from faint tissue by the glass of the whole image."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from her2viewer.imaging.opening import open_image
from her2viewer.scoring.evidence import FieldPixels
from her2viewer.scoring.guard.glass import GLASS, LEAST_SHARE, check_ihc_tissue, glass_of, tissue_share
from her2viewer.scoring.prediction import FieldOfView
from her2viewer.scoring.stains import Stain


def ihc(density: float, glass: int = 240, share: float = 1.0) -> np.ndarray:
    """(256, 256, 3): nuclei of a density in a share of the field, noise of a camera over all."""
    rng = np.random.default_rng(1)
    blobs = cv2.resize((rng.random((32, 32)) < 0.3).astype(np.float32), (256, 256), interpolation=cv2.INTER_LINEAR)
    blobs[:, round(256 * share) :] = 0
    image = glass * 10 ** (-density * blobs[..., None] * np.array([0.6, 0.5, 0.3]))
    return np.clip(image + rng.normal(0, 1.5, image.shape), 0, 255).astype(np.uint8)


def field(image: np.ndarray) -> FieldPixels:
    return FieldPixels({Stain.IHC: image}, {Stain.IHC: FieldOfView.whole((256, 256))})


@pytest.mark.parametrize("glass", [225, 240, 253])
def test_faint_counterstain_is_tissue_and_glass_is_not(glass: int) -> None:
    white = glass_of(np.hstack([ihc(0, glass), ihc(0.3, glass)]))
    assert check_ihc_tissue(field(ihc(0.1, glass)), white) is None
    found = check_ihc_tissue(field(ihc(0, glass)), white)
    assert found is not None and "IHC image holds hardly any tissue (0.0% of it)" in found.message
    assert check_ihc_tissue(field(ihc(0.3, glass, share=0.05)), white) is not None, "a speck is no field"


def test_an_image_without_glass_is_not_told_against_its_tissue() -> None:
    image = ihc(0.6, glass=180)
    assert (glass_of(image) == GLASS).all()
    assert check_ihc_tissue(field(image), glass_of(image)) is None


def test_without_an_ihc_nothing_is_said() -> None:
    assert check_ihc_tissue(FieldPixels({}, {}), np.full(3, 240.0)) is None


def test_no_real_field_is_taken_for_glass(shared_data: Path) -> None:
    found = sorted((shared_data / "bci" / "IHC").rglob("*.png")) + sorted((shared_data / "bci-ihc-only").glob("*.png"))
    assert found
    for path in found:
        with open_image(path) as source:
            image = source.read(0, 0, 0, *source.size)
        share = tissue_share(image, glass_of(image[::4, ::4]))
        assert share > 5 * LEAST_SHARE, path.name
