import numpy as np
import pytest

from her2viewer.scoring.guard.familiarity import Cloud, Reference
from her2viewer.scoring.stains import Stain


def drawn(n: int, seed: int = 0, channels: int = 40) -> np.ndarray:
    """Features with five strong directions and a little noise around."""
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(99).normal(0, 1, (5, channels))
    return (3 + rng.normal(0, 2, (n, 5)) @ mixing + rng.normal(0, 0.3, (n, channels))).astype(np.float32)


def test_the_distance_is_mahalanobis_where_all_axes_are_kept() -> None:
    features = drawn(3000, channels=8)
    cloud = Cloud.around(features, axes=7)
    away = features[:50] - features.mean(axis=0)
    expected = np.sqrt(np.einsum("ni,ij,nj->n", away, np.linalg.inv(np.cov(features.T)), away) / 8)
    assert cloud.distance(features[:50]) == pytest.approx(expected, rel=1e-3)


def test_other_fields_of_a_kind_lie_at_about_one_and_strangers_far() -> None:
    cloud = Cloud.around(drawn(400), axes=8)
    held = cloud.distance(drawn(400, seed=1))
    assert np.median(held) == pytest.approx(1, abs=0.1)
    stranger = drawn(1) + np.random.default_rng(5).normal(0, 2, 40).astype(np.float32)
    assert cloud.distance(stranger)[0] > 3 * np.quantile(held, 0.99)


def test_what_a_package_stores_gives_the_same_distances() -> None:
    cloud = Cloud.around(drawn(400), axes=8)
    assert Cloud.of(cloud.arrays).distance(drawn(50, 2)) == pytest.approx(cloud.distance(drawn(50, 2)), rel=1e-5)
    with pytest.raises(ValueError, match="do not fit"):
        Cloud.of(cloud.arrays | {"spread": np.ones(3, np.float32)})
    with pytest.raises(ValueError, match="two fields"):
        Cloud.around(drawn(1), axes=4)


def test_each_stain_is_told_apart() -> None:
    reference = Reference({stain: Cloud.around(drawn(400), 8) for stain in Stain}, {Stain.HE: 1.5, Stain.IHC: 2.0})
    near, far = drawn(1, 3)[0], drawn(1, 3)[0] + 8
    ihc, he = reference.examine((Stain.IHC, Stain.HE), np.stack([far, near]))
    assert (ihc.stain, ihc.passed, ihc.threshold) == (Stain.IHC, False, 2.0)
    assert (he.stain, he.passed, he.name) == (Stain.HE, True, "unfamiliar")
