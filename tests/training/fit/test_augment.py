import numpy as np
import pytest

from her2viewer.scoring.preprocess import InputLayout
from her2viewer.scoring.stains import Stain
from training.fit.augment import augmented, background, cell_sizes
from training.recipes.recipe import NONE, Augmentation

SQUARE = {Stain.HE: (64, 64), Stain.IHC: (64, 64)}
DAB = np.array((0.29, 0.52, 0.80)) / np.linalg.norm((0.29, 0.52, 0.80))


def field(seed: int = 0, side: int = 64) -> dict[Stain, np.ndarray]:
    rng = np.random.default_rng(seed)
    smooth = np.kron(rng.integers(60, 240, (2, side // 8, side // 8, 3)), np.ones((1, 8, 8, 1))).astype(np.uint8)
    return {Stain.HE: smooth[0], Stain.IHC: smooth[1]}


def drawn(
    own: dict[Stain, np.ndarray], how: Augmentation, seed: int, stranger: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    out = augmented(own, field(stranger), how, InputLayout(), SQUARE, np.random.default_rng(seed))
    return out[Stain.HE], out[Stain.IHC]


def test_none_changes_nothing() -> None:
    he, ihc = drawn(field(), NONE, 5)
    assert np.array_equal(he, field()[Stain.HE]) and np.array_equal(ihc, field()[Stain.IHC])


def test_the_same_seed_draws_the_same() -> None:
    every = Augmentation(counterstain=0.5, vectors=0.04, jpeg=0.5)
    one, two, other = (drawn(field(), every, seed) for seed in (7, 7, 8))
    assert np.array_equal(one[0], two[0]) and np.array_equal(one[1], two[1])
    assert not np.array_equal(one[1], other[1])


@pytest.mark.parametrize("seed", range(12))
def test_both_stains_turn_together(seed: int) -> None:
    image = field()[Stain.HE]
    he, ihc = drawn({Stain.HE: image, Stain.IHC: image}, NONE.model_copy(update={"orientation": True}), seed)
    assert np.array_equal(he, ihc)
    turned = [np.rot90(base, k) for base in (image, image[:, ::-1]) for k in range(4)]
    assert any(np.array_equal(he, t) for t in turned)


@pytest.mark.parametrize("seed", range(6))
def test_both_stains_are_cut_and_magnified_together(seed: int) -> None:
    image = field()[Stain.HE]
    he, ihc = drawn({Stain.HE: image, Stain.IHC: image}, NONE.model_copy(update={"zoom": 0.3}), seed)
    assert np.array_equal(he, ihc) and not np.array_equal(he, image)


def test_sections_are_cut_beside_each_other_by_the_shift_alone() -> None:
    image = np.zeros((64, 64, 3), np.uint8)
    image[:, 32:] = 255
    places = []
    for seed in range(60):
        he, ihc = drawn({Stain.HE: image, Stain.IHC: image}, NONE.model_copy(update={"shift": 0.05}), seed)
        places.append([int((one[32, :, 0] < 128).sum()) - 32 for one in (he, ihc)])
    moved = np.array(places)
    assert np.abs(moved).max() <= 4 and np.ptp(moved[:, 0] - moved[:, 1]) >= 3


def test_all_eight_orientations_come() -> None:
    turning = NONE.model_copy(update={"orientation": True})
    assert len({drawn(field(), turning, seed)[0].tobytes() for seed in range(100)}) == 8


def stained(density: float) -> np.ndarray:
    image = np.full((64, 64, 3), 240, np.uint8)
    image[16:48, 16:48] = np.round(241 * 10 ** (-density * DAB) - 1)
    return image


def test_the_strength_of_dab_moves_its_density_and_not_the_background() -> None:
    image = stained(0.5)
    for seed in range(8):
        he, ihc = drawn({Stain.HE: image, Stain.IHC: image}, NONE.model_copy(update={"ihc_strength": 0.5}), seed)
        assert np.array_equal(he, image)
        assert np.abs(ihc[0, 0].astype(int) - 240).max() <= 2
        ratio = np.log10(241 / (ihc[32, 32] + 1.0)) / np.log10(241 / (image[32, 32] + 1.0))
        assert np.ptp(ratio) < 0.08, "one factor for all channels"
        assert 0.55 < ratio.mean() < 1.75


def test_the_counterstain_may_change_without_the_dab() -> None:
    image = stained(0.5)
    _, ihc = drawn({Stain.HE: image, Stain.IHC: image}, NONE.model_copy(update={"counterstain": 1.0}), 0)
    assert np.abs(ihc.astype(int) - image).max() <= 4


def test_the_background_moves_to_another_slide_and_density_stays() -> None:
    image = stained(0.5)
    whites = set()
    for seed in range(20):
        _, ihc = drawn({Stain.HE: image, Stain.IHC: image}, NONE.model_copy(update={"tint": 0.25}), seed)
        white = background(ihc)
        whites.add(int(white[1]) // 10)
        density = np.log10((white + 1) / (ihc[32, 32] + 1.0))
        assert np.abs(density - 0.5 * DAB).max() < 0.02
    assert len(whites) >= 4


def test_h_and_e_of_another_slide_stands_in_as_often_as_asked() -> None:
    dropout = NONE.model_copy(update={"he_dropout": 0.25})
    swapped = [np.array_equal(drawn(field(), dropout, seed)[0], field(1)[Stain.HE]) for seed in range(400)]
    assert 0.18 < np.mean(swapped) < 0.32


def test_a_stain_that_no_layout_takes_is_not_drawn() -> None:
    only = InputLayout(order=(Stain.IHC,), width=32, height=48)
    out = augmented(field(), field(1), Augmentation(), only, cell_sizes([only]), np.random.default_rng(0))
    assert list(out) == [Stain.IHC] and out[Stain.IHC].shape == (48, 32, 3)


def test_sizes_serve_the_largest_of_several_layouts() -> None:
    sizes = cell_sizes([InputLayout(), InputLayout(width=448, height=128), InputLayout(order=(Stain.IHC,))])
    assert sizes == {Stain.IHC: (224, 224), Stain.HE: (224, 224)}
