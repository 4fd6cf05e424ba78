"""The oracle is captum's occlusion, of one stain's half at a time, on torchvision's own, unfolded network."""

import numpy as np
import pytest
import torch
from captum.attr import Occlusion

from her2viewer.errors import Cancelled
from her2viewer.scoring.attribution.occlusion import PATCH, STEP, occlusion
from her2viewer.scoring.network import Network
from her2viewer.scoring.preprocess import InputLayout
from her2viewer.scoring.stains import Stain
from tests.scoring.attribution.conftest import Networks

LAYOUT = InputLayout(width=128, height=64, mean=(0.5, 0.4, 0.6), std=(0.25, 0.2, 0.3), white="background")
GLASS = (torch.full((3,), 245 / 255) - torch.tensor(LAYOUT.mean)) / torch.tensor(LAYOUT.std)


@pytest.fixture(scope="module")
def picture() -> torch.Tensor:
    return torch.randn(1, 3, 64, 128, generator=torch.Generator().manual_seed(8))


@pytest.mark.parametrize("against", [None, 0])
def test_equals_captum(networks: Networks, picture: torch.Tensor, against: int | None) -> None:
    theirs, ours = networks
    measured = occlusion(ours, picture, LAYOUT, 3, against)
    assert measured.shape == (4, 8)
    for half in (0, 1):

        def answer(part: torch.Tensor, half: int = half) -> torch.Tensor:
            halves = list(picture.expand(len(part), -1, -1, -1).split(64, dim=3))
            halves[half] = part
            logits = theirs(torch.cat(halves, dim=3))
            return logits[:, 3] - (0 if against is None else logits[:, against])

        with torch.no_grad():
            expected = (
                Occlusion(answer)
                .attribute(
                    picture.split(64, dim=3)[half],
                    sliding_window_shapes=(3, PATCH * STEP, PATCH * STEP),
                    strides=(3, STEP, STEP),
                    baselines=GLASS.view(1, 3, 1, 1).expand(1, 3, 64, 64),
                )[0, 0]
                .numpy()
            )
        ours_half = np.kron(measured[:, 4 * half : 4 * half + 4], np.ones((STEP, STEP)))
        assert np.abs(expected).max() > 1e-2
        assert np.abs(ours_half - expected).max() <= 1e-4 * np.abs(expected).max()


def test_glass_in_place_of_glass_changes_nothing(networks: Networks) -> None:
    blank = GLASS.view(1, 3, 1, 1).repeat(1, 1, 64, 128)
    assert np.abs(occlusion(networks.ours, blank, LAYOUT, 1)).max() <= 1e-3


def test_a_stain_that_the_network_is_deaf_to_shows_nothing(two_encoders: Network, picture: torch.Tensor) -> None:
    two_encoders.fc.weight.data[2, 512:] = 0
    found = occlusion(two_encoders, picture, LAYOUT, 2)
    # A batch of one and one of several differ by the rounding of float32.
    assert np.abs(found[:, 4:]).max() <= 1e-3
    assert np.abs(found[:, :4]).max() > 1e-2


def test_any_layout_is_covered_whole(networks: Networks) -> None:
    layout = InputLayout(order=(Stain.HE,), width=50, height=70)
    x = torch.randn(1, 3, 70, 50, generator=torch.Generator().manual_seed(8))
    found = occlusion(networks.ours, x, layout, 1)
    assert found.shape == (4, 3)
    assert np.isfinite(found).all() and found.any(axis=1).all()


def test_it_stops_when_told_and_says_how_far_it_is(networks: Networks, picture: torch.Tensor) -> None:
    told: list[tuple[int, int]] = []
    with pytest.raises(Cancelled):
        occlusion(
            networks.ours, picture, LAYOUT, 0,
            cancelled=lambda: len(told) == 1, progress=lambda done, total: told.append((done, total)),
        )  # fmt: skip
    assert len(told) == 1 and 0 < told[0][0] < told[0][1] == 18
