from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from her2viewer.export import annotated, legend
from her2viewer.export.annotated import Page, annotated_page, annotated_picture, save_picture, shared_scale
from her2viewer.export.overlay import ColourMap, OverlayStyle, ScaleMode, colour_table
from her2viewer.export.scale_bar import scale_bar
from her2viewer.export.score_band import probability_words, set_words
from her2viewer.export.sheet import INK, Sheet
from her2viewer.imaging.affine import Affine
from her2viewer.imaging.opening import open_image
from her2viewer.scoring.attribution.attribution import Attribution
from her2viewer.scoring.prediction import FieldOfView
from her2viewer.scoring.preprocess import InputLayout
from her2viewer.scoring.stains import Stain
from tests.export.conftest import CHECK, attribution, prediction, tissue

BOTH = (Stain.HE, Stain.IHC)
SIZES = {Stain.HE: (420, 310), Stain.IHC: (512, 256)}
PIXELS = {stain: tissue(size, stain) for stain, size in SIZES.items()}
PREDICTION = prediction(SIZES[Stain.HE], SIZES[Stain.IHC])


def page(attribution: Attribution | None, **changes: object) -> Page:
    values: dict[str, object] = {
        "stains": BOTH,
        "style": OverlayStyle(),
        "full_scale": None,
        "case_id": "fall ü",
        "mpp": {},
    }
    values |= changes
    pixels = values.pop("pixels", PIXELS)
    return annotated_page(pixels, attribution, values.pop("prediction", PREDICTION), **values)


def cut(made: Page, stain: Stain, size: tuple[int, int] | None = None) -> np.ndarray:
    """The tissue's part of a page."""
    (x, y), (width, height) = made.tissue[stain], size or SIZES[stain]
    return made.picture[y : y + height, x : x + width]


@pytest.fixture
def words(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every line that is written into a picture."""
    seen: list[str] = []
    really = Sheet.text

    def note(self: Sheet, text: str, *args: object) -> None:
        seen.append(text)
        really(self, text, *args)

    monkeypatch.setattr(Sheet, "text", note)
    return seen


def test_blended_as_an_independent_float_computation() -> None:
    style = OverlayStyle(opacity=0.7, threshold=0.2, colour_map=ColourMap.MAGMA)
    shown = attribution(SIZES)
    made = page(shown, style=style)
    for stain in BOTH:
        source = PIXELS[stain]
        values = shown.render(stain, shown.fields[stain], SIZES[stain]).astype(np.float64)
        exact = np.clip(values / shown.peak, 0, 1)
        step = np.round(exact * 255)
        share = step / 255
        alpha = 0.7 * share * (share >= 0.2)
        colour = colour_table(ColourMap.MAGMA)[step.astype(int)]
        wanted = source + alpha[..., None] * (colour - source.astype(float))
        # Where the map lies on the border of two of the 256 steps, float32 and float64 may differ by a step.
        sure = np.abs(exact * 255 % 1 - 0.5) > 1e-3
        out = cut(made, stain)
        assert np.abs(out - wanted)[sure].max() <= 1.01
        clear = sure & (alpha == 0)
        assert clear.any() and (alpha > 0).any()
        assert (out[clear] == source[clear]).all()


@pytest.mark.parametrize("shown", [None, attribution(SIZES, sign=-1)])
def test_tissue_is_the_source_where_nothing_is_drawn(shown: Attribution | None) -> None:
    made = page(shown, mpp={Stain.HE: 0.25, Stain.IHC: 0.5})
    for stain in BOTH:
        assert (cut(made, stain) == PIXELS[stain]).all()


def test_rows_blended_apart_are_those_blended_together(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = page(attribution(SIZES)).picture
    monkeypatch.setattr(annotated, "_PIXELS", 500)
    assert (page(attribution(SIZES)).picture == whole).all()


@pytest.mark.parametrize("stain", BOTH)
def test_a_cell_lies_in_the_saved_file_where_it_lies_in_the_image(tmp_path: Path, stain: Stain) -> None:
    size = (1120, 896)
    cells = np.zeros((8, 8), np.float32)
    layout = InputLayout(width=224, height=224)
    column = 2 if layout.cell(stain).x == 0 else 6  # within the stain's own half
    cells[3, column] = 1
    shown = Attribution(cells, "2+", "layer4", "Grad-CAM", layout, {s: FieldOfView.whole(size) for s in BOTH})
    grey = {s: np.full((size[1], size[0], 3), 128, np.uint8) for s in BOTH}
    style = OverlayStyle(opacity=1, threshold=0)
    made = page(shown, pixels=grey, prediction=prediction(size, size), style=style)
    save_picture(tmp_path / "a.png", made.picture)
    x, y = made.tissue[stain]
    saved = cv2.cvtColor(cv2.imread(str(tmp_path / "a.png")), cv2.COLOR_BGR2RGB)
    weight = np.abs(saved[y : y + size[1], x : x + size[0]].astype(float) - 128).sum(2)
    # Four columns of cells over the width, eight rows over the height; a tent is symmetric about its cell's centre.
    centre = (
        (weight * (np.arange(size[0]) + 0.5)).sum() / weight.sum(),
        (weight.sum(1) * (np.arange(size[1]) + 0.5)).sum() / weight.sum(),
    )
    assert centre == pytest.approx(((column % 4 + 0.5) * size[0] / 4, 3.5 * size[1] / 8), abs=0.5)


@pytest.mark.parametrize(("degrees", "mirrored"), [(25.0, False), (-110.0, True)])
def test_on_an_he_laid_on_its_ihc_a_cell_is_drawn_where_its_tissue_is(degrees: float, mirrored: bool) -> None:
    he, ihc = (900, 800), (1120, 896)
    frame = Affine.similarity(1.2, degrees, (110, 48), mirrored, (450, 400))
    cells = np.zeros((8, 8), np.float32)
    cells[3, 6] = 1
    on_ihc = FieldOfView.whole(ihc)
    fields = {Stain.HE: replace(on_ihc, frame=frame), Stain.IHC: on_ihc}
    shown = Attribution(cells, "2+", "layer4", "Grad-CAM", InputLayout(), fields)
    grey = {Stain.HE: np.full((he[1], he[0], 3), 128, np.uint8), Stain.IHC: np.full((ihc[1], ihc[0], 3), 128, np.uint8)}
    said, style = prediction(he, ihc, fields=fields), OverlayStyle(opacity=1, threshold=0)
    in_own_pixels = page(shown, pixels=grey, prediction=said, style=style, regions={Stain.HE: FieldOfView.whole(he)})
    place = 2.5 * ihc[0] / 4, 3.5 * ihc[1] / 8  # of the cell's centre on the IHC
    assert drawn_at(in_own_pixels, Stain.HE, he) == pytest.approx(frame.inverse()(*place), abs=0.5)
    on_the_ihcs = page(shown, pixels=grey | {Stain.HE: grey[Stain.IHC]}, prediction=said, style=style)
    assert drawn_at(on_the_ihcs, Stain.HE, ihc) == pytest.approx(place, abs=0.5)


def drawn_at(made: Page, stain: Stain, size: tuple[int, int]) -> tuple[float, float]:
    """The middle of what was drawn over grey 128, (x, y) px of the tissue."""
    weight = np.abs(cut(made, stain, size).astype(float) - 128).sum(axis=2)
    rows, columns = np.indices(weight.shape) + 0.5
    return float((weight * columns).sum() / weight.sum()), float((weight * rows).sum() / weight.sum())


def test_a_laid_he_says_whose_pixels_it_is_told_in(words: list[str]) -> None:
    fields = {
        Stain.HE: FieldOfView(40, 30, 200, 100, Affine.similarity(2, 30)),
        Stain.IHC: FieldOfView(40, 30, 200, 100),
    }
    pixels = {stain: PIXELS[stain][:100, :200] for stain in BOTH}
    page(None, pixels=pixels, prediction=prediction(fields=fields), mpp={Stain.HE: 0.5, Stain.IHC: 0.25})
    text = " ".join(words)
    assert "200 × 100 px of the IHC HER2 at (40, 30), 0.25 µm/px" in text
    assert "200 × 100 px at (40, 30), 0.25 µm/px" in text


def test_a_part_of_the_field() -> None:
    shown = attribution(SIZES)
    whole = cut(page(shown), Stain.HE)
    region = FieldOfView(40, 30, 200, 100)
    part = {**PIXELS, Stain.HE: PIXELS[Stain.HE][30:130, 40:240]}
    made = page(shown, pixels=part, regions={Stain.HE: region})
    assert (cut(made, Stain.HE, (200, 100)) == whole[30:130, 40:240]).all()


def test_all_that_a_reader_needs_is_in_words(words: list[str]) -> None:
    page(attribution(SIZES), mpp={Stain.HE: 0.25}, coverage=0.9)
    text = " ".join(words)
    for phrase in (
        "H&E",
        "IHC HER2",
        "420 × 310 px, 0.25 µm/px",
        "20 µm",
        "HER2 score",
        "2+",
        "Field-level prediction",
        "Prediction set at 90% coverage: 2+ or 3+",
        "0.797",
        "Evidence for class 2+",
        "H&E peak 0.681",
        "IHC HER2 peak 1.10",
        "1.10, the strongest evidence in this pair",
        "Grad-CAM, layer4, 7 × 7 cells over both stains",
        "viridis, opacity 60%",
        "hidden below 15% of full colour",
        "Case fall ü",
        "Model resnet18-bci 1.2, SHA-256 0123456789ab.",
        "For Research Use Only.",
    ):
        assert phrase in text, phrase
    assert words.count("20 µm") == 1  # the IHC image's scale is not known
    assert "No call" not in text


def test_a_fixed_scale_and_what_lies_beyond_it(words: list[str]) -> None:
    style = OverlayStyle(scale=ScaleMode.FIXED)
    made = page(attribution(SIZES), style=style, full_scale=0.5)
    assert "0.500, the model's fixed scale" in words
    assert "IHC HER2 peak 1.10 (beyond the scale)" in words
    words.clear()
    unknown = page(attribution(SIZES), style=style, full_scale=None)
    assert "1.10, the strongest evidence in this pair" in words
    assert (cut(unknown, Stain.IHC) != cut(made, Stain.IHC)).any()


def test_no_evidence_is_said(words: list[str]) -> None:
    page(attribution(SIZES, sign=-1))
    assert f"{legend.NOTHING} anywhere in this field: nothing is drawn." in " ".join(words)
    words.clear()
    shown = attribution(SIZES)
    values = shown.values.copy()
    values[:, 3:] = -1  # the H&E half
    page(replace(shown, values=values))
    assert f"{legend.NOTHING} in the H&E image." in words


def test_a_model_of_one_stain(words: list[str]) -> None:
    field = {Stain.IHC: FieldOfView.whole(SIZES[Stain.IHC])}
    shown = replace(attribution(SIZES), layout=InputLayout(order=(Stain.IHC,)), fields=field)
    made = page(shown, prediction=replace(PREDICTION, fields=field))
    assert "The model does not look at the H&E image." in words
    assert "Grad-CAM, layer4, 7 × 7 cells over the image" in words
    assert (cut(made, Stain.HE) == PIXELS[Stain.HE]).all()
    assert (cut(made, Stain.IHC) != PIXELS[Stain.IHC]).any()


def test_no_call_and_checks_are_said_once(words: list[str]) -> None:
    page(None, prediction=replace(PREDICTION, no_call=CHECK.message, checks=(CHECK,)))
    assert " ".join(words).count(CHECK.message) == 1 and f"No call: {CHECK.message}" in words
    words.clear()
    page(None, prediction=replace(PREDICTION, checks=(CHECK,)))
    assert f"Check: {CHECK.message}" in words


@pytest.mark.parametrize("width", [1, 40, 166, 700, 2000])
@pytest.mark.parametrize("stains", [BOTH, (Stain.IHC,)])
def test_nothing_is_cut_off(width: int, stains: tuple[Stain, ...]) -> None:
    sizes = {stain: (width, max(1, width // 8)) for stain in BOTH}
    made = page(
        attribution(sizes),
        stains=stains,
        pixels={stain: np.full((size[1], size[0], 3), 200, np.uint8) for stain, size in sizes.items()},
        prediction=replace(prediction(*sizes.values()), no_call="a reason " * 30, checks=(CHECK,)),
        case_id="Übung_" * 40 + "देव",
        mpp=dict.fromkeys(BOTH, 0.46),
    ).picture
    margin = 13
    ground = made[0, 0]
    for edge in (made[:margin], made[-margin:], made[:, :margin], made[:, -margin:]):
        assert (edge == ground).all()


def test_text_is_never_over_tissue() -> None:
    plain = page(None, mpp={Stain.HE: 0.25})
    for stain in BOTH:
        assert (cut(plain, stain) == PIXELS[stain]).all()


def test_the_picture_alone_is_that_of_the_page() -> None:
    shown = attribution(SIZES)
    picture = annotated_picture(
        PIXELS, shown, PREDICTION, stains=BOTH, style=OverlayStyle(), full_scale=None, case_id="fall ü", mpp={}
    )
    assert (picture == page(shown).picture).all()
    assert picture.dtype == np.uint8 and picture.flags.c_contiguous


def test_what_cannot_be() -> None:
    with pytest.raises(ValueError, match="name one stain"):
        page(None, stains=())
    with pytest.raises(ValueError, match="expected"):
        page(None, pixels={stain: np.zeros((4, 4), np.uint8) for stain in BOTH})
    with pytest.raises(KeyError):
        page(None, pixels={Stain.HE: PIXELS[Stain.HE]})


@pytest.mark.parametrize(("mpp", "width"), [(0.25, 1024), (0.46, 700), (3.0, 166), (0.5, 40_000), (0.01, 64), (7.0, 4)])
def test_a_scale_bar_is_as_long_as_it_says(mpp: float, width: int) -> None:
    sheet = scale_bar(mpp, width, 13)
    row = (sheet.image == INK).all(2)
    length = max(int(np.argmin(line)) if not line.all() else len(line) for line in row)
    um = length * mpp
    digits = [step * 10.0**power for power in range(-4, 6) for step in (1, 2, 5)]
    assert min(abs(um - value) for value in digits) <= mpp / 2 + 1e-9
    assert length <= max(1, width / 4 + 0.5)


def test_numbers_in_words() -> None:
    shares = (0, 1e-5, 0.1234, 0.99999, 1)
    assert [probability_words(p) for p in shares] == ["0.000", "<0.001", "0.123", ">0.999", "1.000"]
    assert [legend.figure(v) for v in (1.1, 0.5, 123.4, 0.01234)] == ["1.10", "0.500", "123", "0.0123"]
    assert set_words((), None) == "No prediction set"
    assert set_words(("1+",), 0.9) == "Prediction set at 90% coverage: 1+"
    assert set_words(("0", "1+", "2+"), None) == "Prediction set: 0, 1+ or 2+"


def test_a_real_pair(shared_data: Path, tmp_path: Path) -> None:
    pixels = {}
    for stain, folder in ((Stain.HE, "HE"), (Stain.IHC, "IHC")):
        with open_image(next((shared_data / "bci" / folder).rglob("*.png"))) as source:
            pixels[stain] = source.read(0, 0, 0, *source.size)
    size = (1024, 1024)
    made = page(attribution(dict.fromkeys(BOTH, size)), pixels=pixels, prediction=prediction(size, size))
    save_picture(tmp_path / "a.png", made.picture)
    with open_image(tmp_path / "a.png") as saved:
        assert (saved.read(0, 0, 0, *saved.size) == made.picture).all()


def test_a_picture_has_a_resolution_where_its_stains_share_one() -> None:
    both = (Stain.HE, Stain.IHC)
    assert shared_scale({Stain.HE: 0.5, Stain.IHC: 0.5}, both) == 0.5
    assert shared_scale({Stain.HE: 0.5, Stain.IHC: 0.25}, both) is None
    assert shared_scale({Stain.HE: 0.5, Stain.IHC: None}, both) is None
    assert shared_scale({Stain.HE: 0.5, Stain.IHC: None}, (Stain.HE,)) == 0.5
    assert shared_scale({Stain.HE: None, Stain.IHC: None}, both) is None
