from itertools import chain
from pathlib import Path

import cv2
import numpy as np
import pytest

from her2viewer.imaging import separation
from her2viewer.imaging.stain_vectors import Dyes, ruifrok_johnston
from her2viewer.scoring.guard.sample import Sample
from her2viewer.scoring.guard.staining import (
    LEAST_COLOUR,
    MAGENTA_THRESHOLD,
    MOST_BLUE,
    colourfulness,
    evenly_blue,
    examine_staining,
    magenta,
)
from her2viewer.scoring.stains import Stain
from tests.scoring.guard.conftest import Picture


def failed(he: Picture, ihc: Picture) -> list[str]:
    found = examine_staining({Stain.HE: Sample(he), Stain.IHC: Sample(ihc)})
    return [one.name for one in found if not one.passed]


def test_each_mistake_is_named(pair: tuple[Picture, Picture]) -> None:
    he, ihc = pair
    assert failed(he, ihc) == []
    assert failed(ihc, he) == ["stains_swapped"]
    assert failed(he, he) == ["ihc_unlike_ihc"]
    assert failed(ihc, ihc) == ["he_unlike_he"]


def test_swapped_is_said_alone_with_what_to_do(pair: tuple[Picture, Picture]) -> None:
    he, ihc = pair
    *colours, swapped = examine_staining({Stain.HE: Sample(ihc), Stain.IHC: Sample(he)})
    assert [one.name for one in colours] == ["colourless", "colourless"]
    assert swapped.figure < swapped.threshold and swapped.message.endswith("swap them.")


def test_one_stain_alone_is_looked_at_as_far_as_it_goes(pair: tuple[Picture, Picture]) -> None:
    he, ihc = pair
    assert all(one.passed for one in examine_staining({Stain.IHC: Sample(ihc)}))
    assert [one.name for one in examine_staining({Stain.IHC: Sample(he)}) if not one.passed] == ["ihc_unlike_ihc"]
    assert [one.name for one in examine_staining({Stain.HE: Sample(ihc)}) if not one.passed] == ["he_unlike_he"]


def test_the_slides_tint_does_not_count(pair: tuple[Picture, Picture]) -> None:
    he, ihc = pair
    for tint in ((1, 1, 1), (0.75, 0.75, 0.72), (0.95, 0.8, 0.9)):
        assert magenta((he * np.array(tint)).astype(np.uint8))[0] > MAGENTA_THRESHOLD
        assert magenta((ihc * np.array(tint)).astype(np.uint8))[0] < MAGENTA_THRESHOLD


def test_grey_has_no_colour_and_a_pale_counterstain_has(pair: tuple[Picture, Picture]) -> None:
    _, ihc = pair
    grey = np.repeat(cv2.cvtColor(ihc, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    assert colourfulness(Sample(grey)) < 0.001
    pale = (245 - (245 - np.minimum(ihc, 245).astype(np.float64)) * 0.4).astype(np.uint8)
    assert colourfulness(Sample(pale)) > LEAST_COLOUR


def test_nuclei_alone_are_evenly_blue_and_an_he_is_not(pair: tuple[Picture, Picture]) -> None:
    he, _ = pair
    nuclei = separation.concentration(he, ruifrok_johnston(Dyes.HAEMATOXYLIN_EOSIN), 0)
    blue = (240 * 10 ** -(nuclei[..., None] * np.array([0.65, 0.70, 0.29]))).clip(0, 255).astype(np.uint8)
    assert evenly_blue(Sample(he)) < 0.02 < MOST_BLUE < evenly_blue(Sample(blue))
    assert evenly_blue(Sample(np.full_like(he, 240))) == 0


def test_stains_are_told_apart_on_real_tissue(shared_data: Path) -> None:
    he = sorted(
        chain(
            shared_data.glob("bci*/HE/*/*.png"),
            shared_data.glob("landmarks/*HE.jpg"),
            shared_data.glob("stains/he_[st]*"),
        )
    )
    ihc = sorted(
        chain(
            shared_data.glob("bci*/IHC/*/*.png"), shared_data.glob("bci-ihc-only/*.png"), shared_data.glob("tma*/*.jpg")
        )
    )
    assert len(he) >= 20 and len(ihc) >= 20
    wrong = [p.name for p in he if magenta(_read(p))[0] <= MAGENTA_THRESHOLD]
    wrong += [p.name for p in ihc if magenta(_read(p))[0] > MAGENTA_THRESHOLD]
    assert wrong == []


def _read(path: Path) -> Picture:
    image = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR_RGB)
    if image is None:
        pytest.fail(f"{path.name} cannot be read")
    return np.asarray(image, np.uint8)
