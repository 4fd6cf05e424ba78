import numpy as np
import pytest

from her2viewer.imaging.affine import Affine
from her2viewer.imaging.alignment import Alignment
from her2viewer.imaging.thin_plate import ThinPlate

rng = np.random.default_rng(0)
PLACES = rng.uniform(0, 1000, (25, 2))
BENT = ThinPlate.through(PLACES, PLACES + rng.normal(0, 5, (25, 2)), 1e-4)
TURNED = Affine.similarity(0.5, 12, (40, -20), mirrored=True, about=(500, 500))


def test_while_nothing_is_known_the_rectangles_are_the_same() -> None:
    alignment = Alignment.assumed((200, 100), (400, 100))
    assert alignment.to_ihc([(200, 100), (50, 50)]).tolist() == [[400, 100], [100, 50]]
    assert alignment.words.startswith("Not registered")


@pytest.mark.parametrize("warp", [None, BENT])
def test_there_and_back(warp: ThinPlate | None) -> None:
    alignment = Alignment(TURNED, warp)
    assert np.abs(alignment.to_he(alignment.to_ihc(PLACES)) - PLACES).max() < 1e-2


@pytest.mark.parametrize("warp", [None, BENT])
def test_the_local_affine_touches_the_alignment(warp: ThinPlate | None) -> None:
    alignment = Alignment(TURNED, warp)
    local = alignment.affine_at(300.0, 700.0)
    near = np.array([[300.0, 700.0], [300.5, 700.0], [300.0, 699.5]])
    assert np.abs(local.points(near) - alignment.to_ihc(near)).max() < 1e-3
    assert local.mirrored


@pytest.mark.parametrize(
    ("alignment", "words"),
    [
        (Alignment(TURNED, None, "automatic", 8.7, 4.02), "Registered automatically, about 4.0 µm off"),
        (Alignment(TURNED, None, "automatic", 8.7), "Registered automatically, about 8.7 px off"),
        (Alignment(TURNED, None, "landmarks", 12.2, 14.6), "Registered by landmarks, about 15 µm off"),
        (Alignment(TURNED, None, "by hand"), "Aligned by hand"),
        (
            Alignment(TURNED, None, "automatic", 60, 30, poor=True),
            "Poor: registered automatically, about 30 µm off; set landmarks or align by hand",
        ),
        (
            Alignment(TURNED, None, "automatic", poor=True),
            "Poor: the images were not found to match; set landmarks or align by hand",
        ),
    ],
)
def test_it_is_said_in_one_sentence(alignment: Alignment, words: str) -> None:
    assert alignment.words == words
