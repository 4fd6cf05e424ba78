import numpy as np
import pytest
import torch

from her2viewer.scoring.evidence import FieldPixels
from her2viewer.scoring.methods import MapRequest
from her2viewer.scoring.network import fold, network_of
from her2viewer.scoring.scorer import Scorer
from her2viewer.scoring.trust.explained import Explained
from her2viewer.scoring.trust.randomised import DRAWS, randomise, with_random_weights
from tests.scoring.conftest import random_network
from tests.scoring.trust.conftest import GRID, LAYOUT, Weighing, attribution_of, evidence_of, explained_by, spots


def test_every_weight_is_drawn_anew_on_its_own_scale() -> None:
    network = fold(random_network(3))
    before = {name: tensor.clone() for name, tensor in network.named_parameters()}
    drawn = with_random_weights(network, 0)
    for name, parameter in drawn.named_parameters():
        old = before[name]
        assert not torch.isclose(parameter, old).any() or torch.isclose(parameter, old).float().mean() < 0.01
        if old.numel() > 1000:
            assert float(parameter.std()) == pytest.approx(float(old.std()), rel=0.1)
            alike = torch.corrcoef(torch.stack([parameter.ravel(), old.ravel()]))[0, 1]
            assert abs(float(alike)) < 0.1
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.named_parameters())


def test_the_seed_decides() -> None:
    network = fold(random_network(3))
    one, again, other = (with_random_weights(network, seed).fc.weight for seed in (5, 5, 6))
    assert torch.equal(one, again) and not torch.isclose(one, other).any()


@pytest.mark.parametrize("architecture", ["resnet18", "resnet18-two-encoders", "resnet18-six-channels"])
def test_every_architecture_can_be_drawn(architecture: str) -> None:
    network = fold(network_of(architecture, 4))
    drawn = with_random_weights(network, 0)
    assert type(drawn) is type(network) and not drawn.training
    with torch.inference_mode():
        assert torch.isfinite(drawn(torch.rand(1, 3, 64, 64))).all()


def test_a_map_that_needs_no_weights_is_found_out() -> None:
    """An edge detector that never looks at the network."""
    evidence = evidence_of(spots(0))

    def edges(network: torch.nn.Module, x: torch.Tensor) -> np.ndarray:
        return torch.nn.functional.adaptive_avg_pool2d(x.diff(dim=2).abs().mean(dim=1)[:, None], GRID)[0, 0].numpy()

    explained = Explained(Weighing(np.ones((48, 96))), LAYOUT, edges, 1)
    found = randomise(explained, evidence, attribution_of(explained.values(evidence.network_input)))
    assert found.alike == pytest.approx(1) and len(found.rank_correlations) == DRAWS


def test_a_map_of_the_weights_is_not(weights) -> None:
    """Over an even picture the map is the weights, and nothing of them is left."""
    network = Weighing(weights)
    evidence = evidence_of(np.full((48, 96, 3), 120, np.uint8))
    explained = explained_by(network)
    found = randomise(explained, evidence, attribution_of(explained.values(evidence.network_input)))
    assert found.alike < 0.2
    assert not np.allclose(found.attribution.values, explained.values(evidence.network_input))


def test_the_drawn_map_is_of_the_same_kind(package, field: FieldPixels) -> None:
    scorer = Scorer.open(package, "cpu")
    evidence = scorer.score(field)
    request = MapRequest("1+", "layer4", "HiResCAM", "2+")
    attribution = scorer.attribution(evidence, request)
    found = randomise(scorer.explained(evidence, attribution), evidence, attribution)
    assert found.attribution.request == request
    assert found.attribution.values.shape == attribution.values.shape
    assert np.ptp(found.attribution.values) > 0
