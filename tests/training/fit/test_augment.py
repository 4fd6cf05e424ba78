import numpy as np
import pytest

from training.fit.augment import augmented
from training.recipes.recipe import NONE, Augmentation


def field(seed: int = 0, side: int = 64) -> np.ndarray:
    rng = np.random.default_rng(seed)
    smooth = np.kron(rng.integers(60, 240, (2, side // 8, side // 8, 3)), np.ones((1, 8, 8, 1)))
    return smooth.astype(np.uint8)


def test_none_changes_nothing() -> None:
    he, ihc = augmented(field(), field(1), NONE, np.random.default_rng(5))
    assert np.array_equal(he, field()[0]) and np.array_equal(ihc, field()[1])


def test_the_same_seed_draws_the_same() -> None:
    draws = [augmented(field(), field(1), Augmentation(), np.random.default_rng(7)) for _ in range(2)]
    assert np.array_equal(draws[0][0], draws[1][0]) and np.array_equal(draws[0][1], draws[1][1])
    other = augmented(field(), field(1), Augmentation(), np.random.default_rng(8))
    assert not np.array_equal(draws[0][1], other[1])


@pytest.mark.parametrize("seed", range(12))
def test_both_stains_turn_together(seed: int) -> None:
    same = np.stack([field()[0], field()[0]])
    only_orientation = NONE.model_copy(update={"orientation": True})
    he, ihc = augmented(same, same, only_orientation, np.random.default_rng(seed))
    assert np.array_equal(he, ihc)
    turned = [np.rot90(image, k) for image in (same[0], same[0][:, ::-1]) for k in range(4)]
    assert any(np.array_equal(he, t) for t in turned)


def test_all_eight_orientations_come() -> None:
    only_orientation = NONE.model_copy(update={"orientation": True})
    seen = {augmented(field(), field(), only_orientation, np.random.default_rng(s))[0].tobytes() for s in range(100)}
    assert len(seen) == 8


def test_stain_strength_moves_density_and_not_the_background() -> None:
    image = np.full((64, 64, 3), 240, np.uint8)
    image[16:48, 16:48] = (200, 150, 100)
    pair = np.stack([image, image])
    strength = NONE.model_copy(update={"ihc_strength": 0.5})
    for seed in range(8):
        he, ihc = augmented(pair, pair, strength, np.random.default_rng(seed))
        assert np.array_equal(he, image)
        assert np.abs(ihc[0, 0].astype(int) - 240).max() <= 2
        ratio = np.log10(241 / (ihc[32, 32] + 1.0)) / np.log10(241 / (image[32, 32] + 1.0))
        assert np.ptp(ratio) < 0.08, "one factor for all channels"
        assert 0.55 < ratio.mean() < 1.75


def test_h_and_e_of_another_slide_stands_in_as_often_as_asked() -> None:
    dropout = NONE.model_copy(update={"he_dropout": 0.25})
    swapped = [
        np.array_equal(augmented(field(), field(1), dropout, np.random.default_rng(s))[0], field(1)[0])
        for s in range(400)
    ]
    assert 0.18 < np.mean(swapped) < 0.32
