"""The oracle is pytorch-grad-cam's Score-CAM on torchvision's own, unfolded network."""

from functools import partial

import numpy as np
import pytest
import torch
from pytorch_grad_cam import ScoreCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

from her2viewer.errors import Cancelled
from her2viewer.scoring.attribution.score_cam import score_cam
from her2viewer.scoring.network import Network
from tests.scoring.attribution.conftest import Networks, raw


@pytest.fixture(scope="module")
def small() -> torch.Tensor:
    return torch.randn(1, 3, 32, 64, generator=torch.Generator().manual_seed(4))


@pytest.mark.parametrize("stage", ["layer1", "layer3"])
def test_equals_pytorch_grad_cam_with_all_channels(
    networks: Networks, small: torch.Tensor, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The oracle grows its masks with corners aligned; the paper's code, and we, keep pixel centres where they are.
    monkeypatch.setattr(
        torch.nn, "UpsamplingBilinear2d", partial(torch.nn.Upsample, mode="bilinear", align_corners=False)
    )
    theirs, ours = networks
    with raw(ScoreCAM)(model=theirs, target_layers=[getattr(theirs, stage)[-1]]) as oracle:
        oracle(input_tensor=small, targets=[ClassifierOutputTarget(2)])
        expected = oracle.raw[0]
    found = score_cam(ours, small, stage, 2, most=512)
    assert found.taken == found.channels == {"layer1": 64, "layer3": 256}[stage]
    assert expected.max() > 1e-3
    assert np.abs(found.values - expected).max() <= 2e-3 * expected.max()


def test_the_most_varied_channels_are_taken(networks: Networks, small: torch.Tensor) -> None:
    """With one channel its weight is 1, and the map is that channel."""
    with torch.inference_mode():
        activation = networks.ours.until(small, "layer2")[0]
    found = score_cam(networks.ours, small, "layer2", 0, most=1)
    assert (found.taken, found.channels) == (1, 128)
    variance = activation.flatten(1).var(dim=1)
    assert np.array_equal(found.values, activation[variance.argmax()].numpy())


def test_a_contrast_weighs_by_the_difference(networks: Networks, small: torch.Tensor) -> None:
    """Softmax of a difference of logits: weights of one class over those of the other, brought to 1."""
    with torch.inference_mode():
        activation = networks.ours.until(small, "layer2")[0]
    alone = [score_cam(networks.ours, small, "layer2", target, most=2) for target in (2, 1)]
    both = score_cam(networks.ours, small, "layer2", 2, against=1, most=2)
    taken = activation.flatten(1).var(dim=1).topk(2).indices.sort().values
    basis = activation[taken].flatten(1).double().numpy()
    weights = [np.linalg.lstsq(basis.T, found.values.ravel().astype(float), rcond=None)[0] for found in (*alone, both)]
    ratio = weights[0] / weights[1]
    assert weights[2] == pytest.approx(ratio / ratio.sum(), rel=1e-2, abs=1e-4)


def test_it_stops_when_told_and_says_how_far_it_is(networks: Networks, small: torch.Tensor) -> None:
    told: list[tuple[int, int]] = []
    with pytest.raises(Cancelled):
        score_cam(
            networks.ours, small, "layer1", 0,
            cancelled=lambda: len(told) == 2, progress=lambda done, total: told.append((done, total)),
        )  # fmt: skip
    assert [total for _, total in told] == [64, 64]
    assert 0 < told[0][0] < told[1][0] < 64


def test_an_encoders_channels_mask_their_own_stain(two_encoders: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    x = torch.rand(1, 3, 32, 64, generator=torch.Generator().manual_seed(4)) + 1
    seen: list[torch.Tensor] = []
    forward = type(two_encoders).forward

    def watched(network: Network, pictures: torch.Tensor) -> torch.Tensor:
        seen.append(pictures.clone())
        return forward(network, pictures)

    monkeypatch.setattr(type(two_encoders), "forward", watched)
    found = score_cam(two_encoders, x, "layer2", 0, most=4)
    assert found.values.shape == (4, 8)
    first, second = torch.cat(seen[: len(seen) // 2]), torch.cat(seen[len(seen) // 2 :])
    assert torch.equal(first[..., 32:], x[..., 32:].expand(4, -1, -1, -1)) and (first[..., :32] < x[..., :32]).any()
    assert torch.equal(second[..., :32], x[..., :32].expand(4, -1, -1, -1)) and (second[..., 32:] < x[..., 32:]).any()


def test_one_map_for_both_stains_is_drawn_over_both(six_channels: Network, small: torch.Tensor) -> None:
    values = score_cam(six_channels, small, "layer3", 0, most=4).values
    assert values.shape == (2, 4) and values.max() > 0
    assert np.array_equal(values[:, :2], values[:, 2:])
