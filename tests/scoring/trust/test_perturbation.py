import cv2
import numpy as np
import pytest

from her2viewer.errors import Cancelled
from her2viewer.scoring.evidence import Attribution
from her2viewer.scoring.preprocess import InputLayout
from her2viewer.scoring.stains import Stain
from her2viewer.scoring.trust.cells import given, over_input
from her2viewer.scoring.trust.fill import filled
from her2viewer.scoring.trust.perturbation import SHARES, curves, importance_order, perturb
from her2viewer.scoring.trust.verdict import LEAST_SWING, T_975
from tests.scoring.trust.conftest import GRID, Weighing, attribution_of, evidence_of, explained_by, spots, true_map


def _true(network: Weighing, picture: np.ndarray) -> Attribution:
    return attribution_of(explained_by(network).values(picture))


def _slow(picture, empty, values, network, kind: str) -> float:
    """The area under one curve, pixel by pixel, within each half."""
    halves = [[(r, c) for r in range(48) for c in range(start, start + 48)] for start in (0, 48)]
    orders = [sorted(half, key=lambda place: -values[place]) for half in halves]
    heights = []
    for share in SHARES:
        shown = (picture if kind == "deletion" else empty).copy()
        other = empty if kind == "deletion" else picture
        for order in orders:
            for place in order[: int(np.ceil(share * len(order)))]:
                shown[place] = other[place]
        dark = 1 - shown.astype(np.float64).mean(axis=2) / 255
        logit = network.gain * ((network.weights.numpy() * dark).mean() - network.offset)
        heights.append(1 / (1 + np.exp(-logit)))
    return sum((SHARES[i + 1] - SHARES[i]) * (heights[i] + heights[i + 1]) / 2 for i in range(len(SHARES) - 1))


def test_areas_equal_a_slow_loop(weights) -> None:
    picture, network = spots(0), Weighing(weights)
    evidence = evidence_of(picture)
    empty = filled(picture, evidence.layout)
    rng = np.random.default_rng(0)
    maps = [rng.standard_normal((48, 96)).astype(np.float32) for _ in range(2)]
    found = curves(explained_by(network), picture, empty, maps, given(evidence))
    for one, values in zip(found, maps, strict=True):
        assert one.deletion_area == pytest.approx(_slow(picture, empty, values, network, "deletion"), abs=1e-5)
        assert one.insertion_area == pytest.approx(_slow(picture, empty, values, network, "insertion"), abs=1e-5)
        assert 0.05 < one.deletion_area < 0.95, "a flat curve proves nothing"


def test_the_true_map_beats_chance_and_the_middle(weights) -> None:
    for seed in range(5):
        network = Weighing(weights)
        evidence = evidence_of(spots(seed))
        found = perturb(explained_by(network), evidence, _true(network, evidence.network_input), seed=seed)
        own = found.of_map
        assert own.deletion_area < own.insertion_area
        assert own.deletion_area < min(one.deletion_area for one in found.random)
        assert own.insertion_area > max(one.insertion_area for one in found.random)
        assert found.lead > T_975[len(found.random)] and own.gap > found.centre.gap
        assert found.swing > 2 * LEAST_SWING


def test_a_map_and_its_negative_have_opposite_gaps(weights) -> None:
    picture, network = spots(2), Weighing(weights)
    evidence = evidence_of(picture)
    drawn = over_input(_true(network, picture))
    empty = filled(picture, evidence.layout)
    one, other = curves(explained_by(network), picture, empty, [drawn, -drawn], given(evidence))
    assert one.gap == pytest.approx(-other.gap, abs=0.01)
    assert np.allclose(one.insertion, other.deletion[::-1], atol=0.02)


@pytest.mark.parametrize("smoothness", [0.5, 1.5])
def test_a_random_map_rarely_passes_for_more_than_chance(weights, smoothness: float) -> None:
    """Random maps of any smoothness, over a network whose true map is another one."""
    network, tries = Weighing(weights), 50
    passed = 0
    for seed in range(tries):
        noise = np.random.default_rng(1000 + seed).standard_normal(GRID).astype(np.float32)
        attribution = attribution_of(cv2.GaussianBlur(noise, (0, 0), smoothness))
        found = perturb(explained_by(network), evidence_of(spots(seed % 7)), attribution, seed=seed)
        passed += found.lead > T_975[len(found.random)]
    assert passed <= 0.1 * tries


def test_the_seed_decides(weights) -> None:
    network, evidence = Weighing(weights), evidence_of(spots(0))
    attribution = _true(network, evidence.network_input)
    one, again, other = (perturb(explained_by(network), evidence, attribution, seed=seed) for seed in (0, 0, 1))
    assert one.spread == again.spread != other.spread
    assert one.of_map.gap == other.of_map.gap


def test_what_is_missing_is_never_touched(weights) -> None:
    picture, empty = spots(0), np.full((48, 96, 3), 255, np.uint8)
    seen: list[np.ndarray] = []

    class Watching:
        def probabilities(self, inputs: np.ndarray) -> np.ndarray:
            seen.extend(inputs)
            return np.full((len(inputs), 2), 0.5)

        def watched(self, probabilities: np.ndarray) -> np.ndarray:
            return probabilities[:, 1]

    parts = given(evidence_of(picture, stains=(Stain.IHC,)))
    curves(Watching(), picture, empty, [over_input(attribution_of(np.eye(*GRID)))], parts)
    assert all(np.array_equal(one[:, 48:], picture[:, 48:]) for one in seen)
    gone = [int((one[:, :48] != picture[:, :48]).any(axis=2).sum()) for one in seen]
    assert max(gone) > 0 and gone[0] == 0


def test_equal_values_go_from_the_evidence_outwards() -> None:
    one = np.zeros((40, 40), np.float32)
    one[18:22, 18:22] = 1
    place = importance_order(one, [(slice(0, 40), slice(0, 40))])
    assert np.array_equal(np.sort(place, axis=None), np.arange(1600, dtype=np.float32) / 1600)
    assert place[18:22, 18:22].max() < 16 / 1600
    assert place[20, 24] < place[20, 30] < place[20, 36]


def test_it_can_be_cancelled(weights) -> None:
    evidence = evidence_of(spots(0))
    calls: list[int] = []

    def cancelled() -> bool:
        calls.append(1)
        return len(calls) > 2

    network = Weighing(weights)
    with pytest.raises(Cancelled):
        perturb(explained_by(network), evidence, _true(network, evidence.network_input), cancelled=cancelled)
    assert len(calls) == 3


def test_a_layout_of_one_stain_is_one_part(weights) -> None:
    layout = InputLayout(order=(Stain.IHC,), width=96, height=48)
    evidence = evidence_of(spots(0), layout, (Stain.IHC,))
    attribution = attribution_of(
        true_map(Weighing(weights), explained_by(Weighing(weights))._normalised(spots(0)[None])), layout
    )
    found = perturb(explained_by(Weighing(weights), layout), evidence, attribution)
    assert found.of_map.gap > 0 and set(found.fills) == {Stain.IHC}


def test_by_chance_both_areas_are_alike(weights) -> None:
    evidence = evidence_of(spots(3))
    network = Weighing(weights)
    found = perturb(explained_by(network), evidence, _true(network, evidence.network_input))
    areas = [(one.deletion_area, one.insertion_area) for one in found.random]
    assert found.random_area == pytest.approx((np.mean(areas), np.std(areas, ddof=1)))
    assert found.of_map.deletion_area < found.random_area[0] < found.of_map.insertion_area
