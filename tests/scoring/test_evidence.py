import numpy as np
import pytest

from her2viewer.imaging.affine import Affine
from her2viewer.scoring.evidence import Attribution
from her2viewer.scoring.prediction import FieldOfView
from her2viewer.scoring.preprocess import InputLayout
from her2viewer.scoring.stains import Stain


def test_nothing_is_read_across_the_seam_of_parts_computed_apart() -> None:
    values = np.zeros((2, 4), np.float32)
    values[:, 2:] = 1  # the H&E's half
    fields = {stain: FieldOfView.whole((100, 100)) for stain in Stain}
    whole = FieldOfView.whole((100, 100))
    for separate, leaked in ((False, True), (True, False)):
        attribution = Attribution(values, "2+", "layer4", "Grad-CAM", InputLayout(), fields, separate)
        assert bool((attribution.render(Stain.IHC, whole, (100, 100)) > 0).any()) == leaked
        assert bool((attribution.render(Stain.HE, whole, (100, 100)) < 1).any()) == leaked


FRAME = Affine.similarity(0.8, 20, (-60, 90), True, (500, 400))
ON_IHC = FieldOfView(200, 150, 700, 560)


def _of_a_turned_he(values: np.ndarray, frame: Affine = FRAME) -> Attribution:
    fields = {Stain.HE: FieldOfView(200, 150, 700, 560, frame), Stain.IHC: ON_IHC}
    return Attribution(values, "2+", "layer4", "Grad-CAM", InputLayout(), fields)


@pytest.mark.parametrize("degrees", [0.0, 20.0, 90.0, -137.0])
@pytest.mark.parametrize("shrink", [1, 4])
def test_on_a_turned_image_each_pixel_reads_its_own_place(degrees: float, shrink: int) -> None:
    """A map whose values are places, x + 1000 y in input pixels: what is drawn tells where it was read."""
    frame = Affine.similarity(0.8, degrees, (-60, 90), True, (500, 400))
    columns, rows = (np.arange(56) + 0.5) * 4, (np.arange(56) + 0.5) * 4
    size = 1200 // shrink, 1000 // shrink
    region = FieldOfView(0, 0, 1200, 1000)
    layout = InputLayout()
    drawn = [
        _of_a_turned_he(np.broadcast_to(values, (56, 56)).astype(np.float32).copy(), frame).render(
            Stain.HE, region, size
        )
        for values in (columns[None], rows[:, None])
    ]
    y, x = (np.indices(size[::-1]) + 0.5) * shrink
    to_input = layout.to_input(Stain.HE, FieldOfView(200, 150, 700, 560, frame))
    u, v = to_input.points(np.column_stack([x.ravel(), y.ravel()])).T.reshape(2, *size[::-1])
    cell = layout.cell(Stain.HE)
    inner = (abs(u - cell.x - cell.width / 2) < cell.width / 2 - 4) & (abs(v - cell.height / 2) < cell.height / 2 - 4)
    assert inner.sum() > 10_000 / shrink**2
    half = 0.5 * frame.scale * np.array([cell.width / 700, cell.height / 560])  # input px of half a source px
    assert np.abs(drawn[0] - u)[inner].max() < half[0]
    assert np.abs(drawn[1] - v)[inner].max() < half[1]
    outside = (u < cell.x) | (u > cell.x + cell.width) | (v < 0) | (v > cell.height)
    far = (abs(u - cell.x - cell.width / 2) > cell.width / 2 + 2) | (abs(v - cell.height / 2) > cell.height / 2 + 2)
    assert outside.any() and not drawn[1][far].any()


def test_in_the_fields_own_frame_nothing_is_turned() -> None:
    values = np.random.default_rng(0).normal(size=(7, 7)).astype(np.float32)
    turned, plain = _of_a_turned_he(values), _of_a_turned_he(values, Affine())
    field = turned.fields[Stain.HE]
    assert np.array_equal(turned.render(Stain.HE, field, (350, 280)), plain.render(Stain.HE, ON_IHC, (350, 280)))


def test_a_frame_that_only_stretches_is_as_exact_as_none() -> None:
    values = np.random.default_rng(0).normal(size=(7, 7)).astype(np.float32)
    stretched = _of_a_turned_he(values, Affine.stretch(2, 10, 0.5, -20))
    on_the_image = FieldOfView(95, 340, 350, 1120)
    plain = _of_a_turned_he(values, Affine()).render(Stain.HE, ON_IHC, (300, 200))
    assert np.allclose(stretched.render(Stain.HE, on_the_image, (300, 200)), plain, atol=1e-5)


def test_a_region_away_from_the_field_is_empty() -> None:
    drawn = _of_a_turned_he(np.ones((7, 7), np.float32)).render(Stain.HE, FieldOfView(9000, 9000, 50, 40), (50, 40))
    assert drawn.shape == (40, 50) and not drawn.any()
