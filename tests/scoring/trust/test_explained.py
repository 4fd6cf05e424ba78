import dataclasses

import numpy as np
import pytest

from her2viewer.scoring.evidence import FieldPixels
from her2viewer.scoring.methods import MapRequest
from her2viewer.scoring.scorer import Scorer
from her2viewer.scoring.trust.explained import Explained
from tests.scoring.trust.conftest import Weighing, explained_by, spots, true_map


def test_probabilities_are_the_scorers(package, field: FieldPixels) -> None:
    scorer = Scorer.open(package, "cpu")
    evidence = scorer.score(field)
    attribution = scorer.attribution(evidence, MapRequest("2+", "layer3", "LayerCAM"))
    explained = scorer.explained(evidence, attribution)
    found = explained.probabilities(evidence.network_input[None])[0]
    assert np.allclose(found, evidence.prediction.probabilities, atol=1e-6)
    assert explained.watched(found[None])[0] == found[2]
    assert np.allclose(explained.values(evidence.network_input), attribution.values, atol=1e-5)


def test_a_contrast_watches_the_two_classes(weights) -> None:
    explained = dataclasses.replace(explained_by(Weighing(weights)), target=0, against=2)
    seen = explained.watched(np.array([[0.3, 0.6, 0.1], [0.0, 1.0, 0.0]]))
    assert seen == pytest.approx([0.75, 0.0])


def test_temperature_flattens(weights) -> None:
    network, picture = Weighing(weights), spots(0)[None]
    hot = Explained(network, explained_by(network).layout, true_map, 1, temperature=10)
    usual = explained_by(network).probabilities(picture)[0, 1]
    assert np.log(usual / (1 - usual)) == pytest.approx(
        10 * np.log(1 / (1 / hot.probabilities(picture)[0, 1] - 1)), rel=1e-4
    )
