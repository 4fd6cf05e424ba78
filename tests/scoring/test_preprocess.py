import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from her2viewer.imaging.affine import Affine
from her2viewer.scoring.prediction import FieldOfView
from her2viewer.scoring.preprocess import InputLayout, compose
from her2viewer.scoring.stains import Stain
from tests.scoring.conftest import tissue

LAYOUTS = [
    InputLayout(),
    InputLayout(order=(Stain.HE, Stain.IHC)),
    InputLayout(order=(Stain.IHC,)),
    InputLayout(width=448, height=224),
]
reals = st.floats(-1e5, 1e5, allow_nan=False)
fields = st.builds(FieldOfView, reals, reals, st.floats(1, 1e5), st.floats(1, 1e5))


@given(field=fields, layout=st.sampled_from(LAYOUTS), x=st.floats(0, 1), y=st.floats(0, 1))
def test_there_and_back_is_the_same_source_pixel(field: FieldOfView, layout: InputLayout, x: float, y: float) -> None:
    stain = layout.order[-1]
    px, py = field.x + x * field.width, field.y + y * field.height
    u, v = layout.to_input(stain, field)(px, py)
    cell = layout.cell(stain)
    assert cell.x - 1e-6 <= u <= cell.x + cell.width + 1e-6
    assert cell.y - 1e-6 <= v <= cell.y + cell.height + 1e-6
    back = layout.to_source(stain, field)(u, v)
    assert back == pytest.approx((px, py), abs=1e-3)


@given(field=fields, layout=st.sampled_from(LAYOUTS))
def test_field_corners_are_cell_corners(field: FieldOfView, layout: InputLayout) -> None:
    for stain in layout.order:
        cell = layout.cell(stain)
        to_input = layout.to_input(stain, field)
        assert to_input(field.x, field.y) == pytest.approx((cell.x, cell.y), abs=1e-2)
        end = to_input(field.x + field.width, field.y + field.height)
        assert end == pytest.approx((cell.x + cell.width, cell.y + cell.height), abs=1e-2)


def test_a_frame_comes_before_the_cell() -> None:
    layout, frame = InputLayout(), Affine.similarity(0.5, 90, (400, 0))
    field, plain = FieldOfView(100, 50, 200, 400, frame), FieldOfView(100, 50, 200, 400)
    for stain in layout.order:
        on_the_image = frame.inverse()(140.0, 90.0)
        assert layout.to_input(stain, field)(*on_the_image) == pytest.approx(layout.to_input(stain, plain)(140.0, 90.0))
        assert layout.to_source(stain, field)(3.0, 4.0) == pytest.approx(
            frame.inverse()(*layout.to_source(stain, plain)(3.0, 4.0))
        )


def test_equals_the_thesis_layout_of_paste_and_shrink() -> None:
    he, ihc = tissue(1, (1024, 1024)), tissue(2, (1024, 1024), "ihc")
    pasted = np.hstack([ihc, he])
    expected = cv2.resize(pasted, (224, 224), interpolation=cv2.INTER_AREA)
    composed = compose({Stain.HE: he, Stain.IHC: ihc}, InputLayout())
    assert np.abs(composed.astype(int) - expected).max() <= 1  # OpenCV rounds its two routes apart by one level
    assert (composed == expected).mean() > 0.99


@pytest.mark.parametrize("size", [(1024, 1024), (166, 166), (37, 900)])
def test_a_marked_pixel_lands_where_the_affine_says(size: tuple[int, int]) -> None:
    layout = InputLayout()
    width, height = size
    image = np.zeros((height, width, 3), np.uint8)
    block_w, block_h = max(width // 8, 1), max(height // 8, 1)
    x, y = width // 2, height // 3
    image[y : y + block_h, x : x + block_w] = 255
    black = np.zeros_like(image)
    composed = compose({Stain.IHC: black, Stain.HE: image}, layout)[..., 0].astype(float)
    rows, columns = np.indices(composed.shape) + 0.5
    centre = (composed * columns).sum() / composed.sum(), (composed * rows).sum() / composed.sum()
    field = FieldOfView.whole(size)
    expected = layout.to_input(Stain.HE, field)(x + block_w / 2, y + block_h / 2)
    source = layout.to_source(Stain.HE, field)(*centre)
    assert source == pytest.approx((x + block_w / 2, y + block_h / 2), abs=0.5)
    assert centre == pytest.approx(expected, abs=0.5)


def test_grayscale_is_three_equal_channels() -> None:
    pair = {Stain.HE: tissue(1), Stain.IHC: tissue(2, stain="ihc")}
    composed = compose(pair, InputLayout(colour="grayscale"))
    assert (composed[..., 0] == composed[..., 1]).all() and (composed[..., 0] == composed[..., 2]).all()
    assert composed.std() > 1


def test_stain_order_decides_the_side() -> None:
    black, white = np.zeros((64, 64, 3), np.uint8), np.full((64, 64, 3), 255, np.uint8)
    composed = compose({Stain.HE: white, Stain.IHC: black}, InputLayout())
    assert (composed[:, :112] == 0).all() and (composed[:, 112:] == 255).all()


def test_missing_stain_wrong_shape_and_dtype_are_refused() -> None:
    image = tissue(1)
    with pytest.raises(KeyError):
        compose({Stain.HE: image}, InputLayout())
    with pytest.raises(ValueError, match="uint8"):
        compose({Stain.HE: image, Stain.IHC: image.astype(np.float32)}, InputLayout())
    with pytest.raises(ValueError, match="uint8"):
        compose({Stain.HE: image, Stain.IHC: image[..., 0]}, InputLayout())


@pytest.mark.parametrize(
    "bad",
    [
        {"order": ()},
        {"order": ("he", "he")},
        {"width": 225},
        {"std": (1, 0, 1)},
        {"width": 8},
        {"surprise": 1},
        {"order": ("pas",)},
    ],
)
def test_layouts_that_cannot_be_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        InputLayout(**bad)  # type: ignore[arg-type]


def test_a_missing_stain_is_filled_with_the_mean_where_the_layout_allows_it() -> None:
    ihc = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    layout = InputLayout(width=64, height=64, mean=(0.5, 0.4, 0.3), optional=(Stain.HE,))
    out = compose({Stain.IHC: ihc}, layout)
    assert (out[:, 32:] == np.round(255 * np.array([0.5, 0.4, 0.3]))).all()
    assert np.array_equal(out[:, :32], compose({Stain.IHC: ihc, Stain.HE: ihc}, layout)[:, :32])
    with pytest.raises(KeyError):
        compose({Stain.HE: ihc}, layout)
    with pytest.raises(ValueError, match="optional"):
        InputLayout(order=(Stain.IHC,), optional=(Stain.HE,))


@pytest.mark.parametrize("white", [(176, 174, 170), (215, 220, 224), (250, 250, 250)])
def test_against_its_background_a_field_looks_the_same_on_every_slide(white: tuple[int, int, int]) -> None:
    rng = np.random.default_rng(1)
    passed = rng.uniform(0.25, 1, (96, 96, 3))
    passed[:30] = 1
    image = np.round(passed * np.array(white)).astype(np.uint8)
    layout = InputLayout(order=(Stain.IHC,), width=48, height=48, white="background")
    out = compose({Stain.IHC: image}, layout)
    reference = compose({Stain.IHC: np.round(passed * 245).astype(np.uint8)}, layout)
    assert np.abs(out.astype(int) - reference).max() <= 3
    assert (compose({Stain.IHC: image}, layout.model_copy(update={"white": "as-is"})) != out).any() or min(white) > 244


def test_a_field_without_glass_is_not_brightened_beyond_reason() -> None:
    dark = np.full((48, 48, 3), 60, np.uint8)
    out = compose({Stain.IHC: dark}, InputLayout(order=(Stain.IHC,), width=48, height=48, white="background"))
    assert (out == round(60 * 245 / 150)).all()
