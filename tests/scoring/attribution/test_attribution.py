import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from her2viewer.imaging.affine import Affine
from her2viewer.scoring.attribution.attribution import Attribution
from her2viewer.scoring.methods import MapRequest
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


def _ramp(columns: int, rows: int, layout: InputLayout, fields: dict[Stain, FieldOfView]) -> Attribution:
    """A map whose value at any place inside the outer cell centres is that place, in input pixels: x + 1000 y."""
    x = (np.arange(columns) + 0.5) * layout.width / columns
    y = (np.arange(rows) + 0.5) * layout.height / rows
    return Attribution((x[None] + 1000 * y[:, None]).astype(np.float32), "0", "layer4", "Grad-CAM", layout, fields)


sizes = st.integers(40, 1500)


@settings(max_examples=40, deadline=None)
@given(
    grid=st.sampled_from([7, 14, 28, 56]),
    width=sizes,
    height=sizes,
    left=st.integers(0, 5000),
    top=st.integers(0, 5000),
)
def test_each_source_pixel_reads_its_own_place(grid: int, width: int, height: int, left: int, top: int) -> None:
    layout = InputLayout()
    fields = {stain: FieldOfView(left, top, width, height) for stain in Stain}
    attribution = _ramp(grid, grid, layout, fields)
    for stain in Stain:
        drawn = attribution.render(stain, fields[stain], (width, height)).astype(np.float64)
        cell = layout.cell(stain)
        u = cell.x + (np.arange(width) + 0.5) * cell.width / width
        v = cell.y + (np.arange(height) + 0.5) * cell.height / height
        half = layout.width / grid / 2
        u_seen, v_seen = np.clip(u, half, layout.width - half), np.clip(v, half, layout.height - half)
        # 0.5 source pixels are 0.5 * cell / size input pixels; float32 leaves far less than a tenth of that.
        assert np.abs(drawn - (u_seen[None] + 1000 * v_seen[:, None])).max() < 0.05 * 1000 * cell.height / height


def test_two_stains_together_show_the_whole_map() -> None:
    layout = InputLayout()
    fields = {stain: FieldOfView(0, 0, 112, 224) for stain in Stain}
    values = np.random.default_rng(0).normal(size=(7, 7)).astype(np.float32)
    attribution = Attribution(values, "0", "layer4", "Grad-CAM", layout, fields)
    both = np.hstack([attribution.render(stain, fields[stain], (112, 224)) for stain in layout.order])
    centres = (np.arange(7) * 32 + 16).astype(int)
    around = both[np.ix_(centres, centres)]  # half an input pixel past the cell centres
    assert np.abs(around - values).max() < np.abs(np.diff(values)).max() / 32 * 2
    assert (
        np.abs(np.diff(both, axis=1)).max() <= np.abs(np.diff(values, axis=1)).max() / 32 + 1e-6
    )  # no jump at the seam


def test_a_region_at_any_raster_agrees_with_the_whole() -> None:
    layout = InputLayout()
    fields = {stain: FieldOfView.whole((1000, 800)) for stain in Stain}
    attribution = _ramp(14, 14, layout, fields)
    whole = attribution.render(Stain.IHC, fields[Stain.IHC], (1000, 800))
    part = attribution.render(Stain.IHC, FieldOfView(200, 100, 300, 200), (300, 200))
    assert np.allclose(part, whole[100:300, 200:500], rtol=1e-5)


def test_outside_the_field_nothing_is_drawn() -> None:
    layout = InputLayout()
    fields = {stain: FieldOfView(100, 100, 50, 50) for stain in Stain}
    attribution = Attribution(np.ones((7, 7), np.float32), "0", "layer4", "Grad-CAM", layout, fields)
    drawn = attribution.render(Stain.HE, FieldOfView(0, 0, 200, 200), (200, 200))
    assert (drawn[100:150, 100:150] == 1).all()
    assert drawn.sum() == 2500


def test_peaks_are_raw_and_of_each_stain() -> None:
    layout = InputLayout()
    values = np.full((7, 7), -1, np.float32)
    fields = {stain: FieldOfView.whole((64, 64)) for stain in Stain}

    def attribution() -> Attribution:
        return Attribution(values.copy(), "0", "layer4", "Grad-CAM", layout, fields)

    assert attribution().peak == 0
    values[2, 1] = 3
    assert (attribution().peak, attribution().peak_of(Stain.IHC), attribution().peak_of(Stain.HE)) == (3, 3, 0)
    values[2, 3] = 4  # the column on the seam has seen both
    assert (attribution().peak_of(Stain.IHC), attribution().peak_of(Stain.HE)) == (4, 4)


@pytest.mark.parametrize(
    ("request_", "title", "question", "unit"),
    [
        (MapRequest("2+"), "Grad-CAM, layer4", "2+", "logits per cell"),
        (MapRequest("2+", "fused", "LayerCAM"), "LayerCAM, all stages fused", "2+", "share of each stage's peak"),
        (MapRequest("2+", method="Occlusion", against="1+"), "Occlusion", "2+ and not 1+", "logits per patch"),
    ],
)
def test_a_map_says_what_it_is(request_: MapRequest, title: str, question: str, unit: str) -> None:
    fields = {stain: FieldOfView.whole((64, 64)) for stain in Stain}
    made = Attribution(
        np.ones((2, 2), np.float32), "2+", request_.stage, request_.method, InputLayout(), fields,
        against=request_.against,
    )  # fmt: skip
    assert (made.title, made.question, made.unit, made.request) == (title, question, unit, request_)
