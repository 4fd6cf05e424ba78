import numpy as np
import pytest
import torch

from her2viewer.scoring.attribution.compute_map import compute_map, gradient_maps
from her2viewer.scoring.attribution.fused import fused_map
from her2viewer.scoring.attribution.occlusion import occlusion
from her2viewer.scoring.attribution.score_cam import MOST_VARIED, score_cam
from her2viewer.scoring.attribution.stage_map import stage_map
from her2viewer.scoring.evidence import FUSED, METHODS, STAGES, MapRequest
from her2viewer.scoring.network import Network
from her2viewer.scoring.preprocess import InputLayout
from tests.scoring.attribution.conftest import Networks

LAYOUT = InputLayout(width=64, height=32)


@pytest.fixture(scope="module")
def picture() -> torch.Tensor:
    return torch.randn(1, 3, 32, 64, generator=torch.Generator().manual_seed(9))


def test_each_request_is_answered_by_its_method(networks: Networks, picture: torch.Tensor) -> None:
    ours = networks.ours
    expected = {
        MapRequest("2+", "layer2", "HiResCAM"): stage_map(ours, picture, "layer2", 2, "HiResCAM", against=1),
        MapRequest("2+", "fused", "LayerCAM"): fused_map(ours, picture, 2, "LayerCAM", against=1),
        MapRequest("2+", "fused", "Grad-CAM"): fused_map(ours, picture, 2, "Grad-CAM", against=1),
        MapRequest("2+", "layer3", "Score-CAM"): score_cam(ours, picture, "layer3", 2, against=1).values,
        MapRequest("2+", method="Occlusion"): occlusion(ours, picture, LAYOUT, 2, against=1),
    }
    for request, values in expected.items():
        made = compute_map(ours, picture, LAYOUT, request, 2, 1)
        assert np.array_equal(made.values, values), request
        assert made.stains_apart == (request.method == "Occlusion")
    assert len({values.tobytes() for values in expected.values()}) == len(expected)


def test_all_maps_by_a_gradient_at_once_are_those_one_by_one(
    networks: Networks, two_encoders: Network, six_channels: Network, picture: torch.Tensor
) -> None:
    for network in (networks.ours, two_encoders, six_channels):
        found = gradient_maps(network, picture, 3)
        assert set(found) == {
            (name, stage) for name, method in METHODS.items() if not method.slow for stage in (*STAGES, FUSED)
        }
        for (name, stage), made in found.items():
            alone = compute_map(network, picture, LAYOUT, MapRequest("3+", stage, name), 3, None)
            assert made.detail == alone.detail
            scale = np.abs(alone.values).max()
            assert np.abs(made.values - alone.values).max() <= 1e-5 * scale, (name, stage)


def test_score_cam_says_how_many_features_it_took(networks: Networks, picture: torch.Tensor) -> None:
    some, every = (
        compute_map(networks.ours, picture, LAYOUT, MapRequest("0", stage, "Score-CAM"), 0, None).detail
        for stage in ("layer4", "layer1")
    )
    assert some == f"the {MOST_VARIED} most varied of 512 features"
    assert every == "all 64 features"


def test_one_map_for_both_stains_says_so_unless_each_was_asked_about_alone(
    six_channels: Network, picture: torch.Tensor
) -> None:
    requests = (MapRequest("0"), MapRequest("0", "fused"), MapRequest("0", method="Occlusion"))
    made = [compute_map(six_channels, picture, LAYOUT, request, 0, None) for request in requests]
    assert [one.detail for one in made] == ["one map for both stains", "one map for both stains", ""]
    values = made[0].values
    assert np.array_equal(values[:, :1], values[:, 1:])
    assert not np.array_equal(*np.split(made[2].values, 2, axis=1))
