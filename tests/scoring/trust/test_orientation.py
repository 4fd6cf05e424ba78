import numpy as np
import pytest
import torch

from her2viewer.errors import Cancelled
from her2viewer.scoring.trust.orientation import turn_over
from tests.scoring.trust.conftest import GRID, Weighing, attribution_of, evidence_of, explained_by, spots


def test_a_network_without_an_upright_is_stable_at_every_turn() -> None:
    network = Weighing(np.ones((48, 96)))
    evidence = evidence_of(spots(0))
    attribution = attribution_of(explained_by(network).values(evidence.network_input))
    found = turn_over(explained_by(network), evidence, attribution)
    assert len(found.turned) == 5
    for one in found.turned:
        assert one.correlation == pytest.approx(1, abs=1e-5) and one.rank_correlation == pytest.approx(1, abs=1e-3)
        assert one.moved < 1e-5
    assert found.moved < 1e-5


def test_a_network_that_looks_at_one_place_is_not(weights) -> None:
    network = Weighing(weights)
    evidence = evidence_of(spots(0))
    attribution = attribution_of(explained_by(network).values(evidence.network_input))
    found = turn_over(explained_by(network), evidence, attribution)
    assert found.rank_correlation < 0.6 and found.moved > 0.05


def test_only_the_turn_that_is_told_apart_is_low() -> None:
    """Weights that fall from left to right in each stain: upside down they are the same."""
    ramp = np.tile(np.linspace(2, 0, 48), (48, 2))
    network = Weighing(ramp)
    evidence = evidence_of(spots(1))
    attribution = attribution_of(explained_by(network).values(evidence.network_input))
    found = {one.turn: one for one in turn_over(explained_by(network), evidence, attribution).turned}
    assert found["upside down"].rank_correlation > 0.99 and found["upside down"].moved < 1e-5
    assert found["left to right"].rank_correlation < 0.8


def test_it_can_be_cancelled() -> None:
    evidence = evidence_of(spots(0))
    with pytest.raises(Cancelled):
        turn_over(
            explained_by(Weighing(np.ones((48, 96)))), evidence, attribution_of(np.eye(*GRID)), cancelled=lambda: True
        )
    assert torch.is_grad_enabled()
