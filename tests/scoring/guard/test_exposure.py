import numpy as np

from her2viewer.scoring.guard.exposure import MOST_FADED, examine_exposure, faded_share
from her2viewer.scoring.guard.sample import Sample
from her2viewer.scoring.stains import Stain
from tests.scoring.guard.conftest import Picture


def failed(image: Picture, gain: float) -> list[str]:
    exposed = np.clip(image.astype(np.float64) * gain, 0, 255).astype(np.uint8)
    return [one.name for one in examine_exposure({Stain.HE: Sample(exposed)}) if not one.passed]


def test_light_is_told_from_dark_and_from_too_much(pair: tuple[Picture, Picture]) -> None:
    he, _ = pair
    assert failed(he, 1) == []
    assert failed(he, 0.3) == ["underexposed"]
    assert set(failed(he, 1.8)) == {"overexposed"}
    assert failed(he, 0.75) == []


def test_glass_at_the_end_of_the_scale_is_not_overexposed() -> None:
    glass = np.full((512, 512, 3), 255, np.uint8)
    glass[200:300, 200:300] = (200, 120, 180)
    assert failed(glass, 1) == []


def test_what_fades_into_white_is_told_from_tissue_beside_white(pair: tuple[Picture, Picture]) -> None:
    for image in pair:
        beside = image.copy()
        beside[:, :512] = 255
        assert faded_share(Sample(beside)) < MOST_FADED
        level = np.quantile(image[::8, ::8].min(axis=2), 0.5)
        faded = np.clip(image * (255 / level), 0, 255).astype(np.uint8)
        assert faded_share(Sample(faded)) > MOST_FADED
