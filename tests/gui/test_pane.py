"""A pane shows source pixels as they are and the map exactly where an export puts it; two panes stay together."""

import numpy as np
import pytest
from PySide6.QtCore import QPointF
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from her2viewer.export.overlay import ColourMap, OverlayStyle, blend, colourise
from her2viewer.gui.app import App
from her2viewer.gui.pane.link import Link
from her2viewer.gui.pane.pyramid import read_overview
from her2viewer.gui.pane.tissue_view import TissueView
from her2viewer.gui.pane.viewpoint import Viewpoint, fitted
from her2viewer.gui.resolve.map import OverlayShown
from her2viewer.gui.state import OpenedImage
from her2viewer.imaging.opening import open_image
from her2viewer.scoring.attribution.attribution import Attribution
from her2viewer.scoring.prediction import FieldOfView
from her2viewer.scoring.preprocess import InputLayout
from her2viewer.scoring.stains import Stain

from .conftest import opened, tissue, write


def pixels_of(image: QImage) -> np.ndarray:
    """(h, w, 3) uint8 RGB of what was drawn, in device pixels."""
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : image.width() * 3].reshape(image.height(), image.width(), 3).copy()


def opened_image(path) -> OpenedImage:
    source = open_image(path)
    return OpenedImage(source, read_overview(source))


def shown_view(qtbot: QtBot, size: tuple[int, int], image: OpenedImage, stain: Stain = Stain.HE) -> TissueView:
    view = TissueView(stain)
    qtbot.addWidget(view)
    view.resize(*size)
    view.set_image(image)
    view.show()
    qtbot.waitExposed(view)
    return view


def drawn(view: TissueView, image: OpenedImage) -> tuple[np.ndarray, np.ndarray]:
    """At 1:1 with the image's first pixel on a whole screen pixel: (what is drawn of the image, its place as x, y, w, h)."""
    width, height = view.viewport_pixels()
    # A middle that puts pixel edges on screen pixel edges, whether the viewport is even or odd.
    view.go(Viewpoint(100 + width % 2 / 2, 80 + height % 2 / 2, 1.0))
    grabbed = pixels_of(view.viewport().grab().toImage())
    corner = view.to_screen(0, 0)
    x, y = round(corner.x()), round(corner.y())
    assert abs(corner.x() - x) < 1e-6 and abs(corner.y() - y) < 1e-6
    w, h = image.source.size
    return grabbed[max(y, 0) : y + h, max(x, 0) : x + w], np.array([x, y, w, h])


@pytest.fixture
def image(tmp_path) -> OpenedImage:
    return opened_image(write(tmp_path / "he.png", tissue(5, (200, 160))))


def ramp_map() -> Attribution:
    values = np.linspace(-1, 2, 49, dtype=np.float32).reshape(7, 7)
    fields = {stain: FieldOfView(0, 0, 200, 160) for stain in Stain}
    return Attribution(values, "2+", "layer4", "Grad-CAM", InputLayout(), fields)


def test_tissue_is_shown_as_it_is(qtbot: QtBot, image: OpenedImage) -> None:
    view = shown_view(qtbot, (400, 300), image)
    seen, _ = drawn(view, image)
    assert np.array_equal(seen, image.overview)


@pytest.mark.parametrize("colour_map", list(ColourMap))
@pytest.mark.parametrize("stain", list(Stain))
def test_pane_equals_the_exported_overlay(
    qtbot: QtBot, image: OpenedImage, stain: Stain, colour_map: ColourMap
) -> None:
    style = OverlayStyle(0.7, 0.2, colour_map)
    attribution = ramp_map()
    view = shown_view(qtbot, (401, 300), image, stain)
    view.set_overlay(OverlayShown(attribution, attribution.peak), OverlayStyle())
    view.set_overlay_style(style)
    seen, _ = drawn(view, image)
    values = attribution.render(stain, FieldOfView.whole((200, 160)), (200, 160))
    expected = blend(image.overview, colourise(values, attribution.peak, style))
    # Qt multiplies colour by alpha to 8 bits before it blends: one step of rounding, another in the sum.
    assert np.abs(seen.astype(int) - expected).max() <= 2
    view.set_overlay_visible(False)
    assert np.array_equal(drawn(view, image)[0], image.overview)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("rotation", [90.0, 180.0, 270.0, 33.0])
def test_the_map_turns_with_the_tissue(qtbot: QtBot, image: OpenedImage, rotation: float, mirrored: bool) -> None:
    """On white tissue the map alone is seen: each pixel of the screen is the map at that place of the image."""
    image = OpenedImage(image.source, np.full_like(image.overview, 255))
    style = OverlayStyle(1.0, 0.0, fade=False)
    fields = {stain: FieldOfView(20, 30, 150, 90) for stain in Stain}
    attribution = Attribution(ramp_map().values, "2+", "layer4", "Grad-CAM", InputLayout(), fields)
    view = shown_view(qtbot, (300, 300), image)
    view.set_overlay(OverlayShown(attribution, attribution.peak), style)
    view.go(Viewpoint(100, 80, 1.0, rotation, mirrored))
    seen = pixels_of(view.viewport().grab().toImage())
    fine = 8
    values = attribution.render(Stain.HE, FieldOfView.whole((200, 160)), (200 * fine, 160 * fine))
    expected = blend(np.full((160 * fine, 200 * fine, 3), 255, np.uint8), colourise(values, attribution.peak, style))
    wrong = compared = 0
    for row in range(20, 280, 3):
        for column in range(20, 280, 3):
            x, y = view.from_screen(QPointF(column + 0.5, row + 0.5))
            if not (1 < x < 199 and 1 < y < 159):
                continue
            # Half a source pixel around the place: the colour must be one of those that are there.
            part = expected[round((y - 0.5) * fine) : round((y + 0.5) * fine), :]
            part = part[:, round((x - 0.5) * fine) : round((x + 0.5) * fine)].reshape(-1, 3).astype(int)
            off = np.maximum(part.min(axis=0) - seen[row, column], seen[row, column] - part.max(axis=0)).max()
            compared += 1
            wrong += off > 3
    assert compared > 2000
    assert wrong <= (0 if rotation % 90 == 0 else compared // 200)  # smoothed once, where the map ends


def test_the_map_with_no_positive_evidence_leaves_the_tissue(qtbot: QtBot, image: OpenedImage) -> None:
    flat = Attribution(np.full((7, 7), -1, np.float32), "0", "layer4", "Grad-CAM", InputLayout(), ramp_map().fields)
    view = shown_view(qtbot, (400, 300), image)
    view.set_overlay(OverlayShown(flat, flat.peak), OverlayStyle())
    assert np.array_equal(drawn(view, image)[0], image.overview)


@pytest.mark.parametrize("sizes", [((400, 300), (400, 300)), ((300, 500), (640, 210))])
def test_linked_views_show_the_same_place_after_200_moves(
    qtbot: QtBot, tmp_path, sizes: tuple[tuple[int, int], tuple[int, int]]
) -> None:
    first = opened_image(write(tmp_path / "a.png", tissue(5, (200, 160))))
    second = opened_image(write(tmp_path / "b.png", tissue(6, (500, 400), Stain.IHC)))
    a, b = shown_view(qtbot, sizes[0], first), shown_view(qtbot, sizes[1], second, Stain.IHC)
    link = Link([a, b])
    rng = np.random.default_rng(0)
    for _ in range(200):
        mover = (a, b)[rng.integers(2)]
        match rng.choice(["move", "zoom", "turn", "flip"], p=[0.4, 0.4, 0.15, 0.05]):
            case "move":
                mover.move_by(*rng.uniform(-60, 60, 2))
            case "zoom":
                mover.zoom_at(float(rng.uniform(0.7, 1.4)))
            case "turn":
                mover.turn(float(rng.choice([90, -90, 15, -15])))
            case _:
                mover.flip()
    assert a.viewpoint is not None and b.viewpoint is not None
    assert (a.viewpoint.rotation, a.viewpoint.mirrored) == (b.viewpoint.rotation, b.viewpoint.mirrored) != (0, False)
    link.set_on(True)
    for x, y in ((0.0, 0.0), (0.5, 0.5), (1.0, 0.3)):
        in_a, in_b = a.to_screen(x * 200, y * 160), b.to_screen(x * 500, y * 400)
        middle_a, middle_b = a.rect().center(), b.rect().center()
        assert (in_a.x() - middle_a.x()) == pytest.approx(in_b.x() - middle_b.x(), abs=1)
        assert (in_a.y() - middle_a.y()) == pytest.approx(in_b.y() - middle_b.y(), abs=1)


def test_what_fits_still_fits_when_the_other_pane_is_turned(qtbot: QtBot, image: OpenedImage) -> None:
    a, b = shown_view(qtbot, (300, 300), image), shown_view(qtbot, (640, 210), image)
    Link([a, b])
    a.turn(90)
    assert b.viewpoint == fitted((200, 160), (640, 210), 90)
    b.resize(300, 500)
    assert b.viewpoint == fitted((200, 160), (300, 500), 90)


def test_an_unlinked_view_stays(qtbot: QtBot, image: OpenedImage) -> None:
    a, b = shown_view(qtbot, (300, 300), image), shown_view(qtbot, (300, 300), image)
    link = Link([a, b])
    link.set_on(False)
    before = b.viewpoint
    a.zoom_at(3.0)
    assert b.viewpoint == before
    link.set_on(True)
    assert b.viewpoint == a.viewpoint


def test_fit_survives_a_resize_and_a_zoom_keeps_its_scale(qtbot: QtBot, image: OpenedImage) -> None:
    view = shown_view(qtbot, (400, 300), image)
    assert view.viewpoint is not None
    before = view.viewpoint.px
    view.resize(800, 600)
    assert view.viewpoint.px < before
    view.go(Viewpoint(100, 80, 0.5))
    view.resize(500, 500)
    assert view.viewpoint == Viewpoint(100, 80, 0.5)


def test_large_images_are_read_in_tiles(app: App, qtbot: QtBot, tmp_path) -> None:
    tile = tissue(5, (400, 400))
    he = write(tmp_path / "HE" / "big.bmp", np.tile(tile, (8, 9, 1)))
    ihc = write(tmp_path / "IHC" / "big.bmp", np.tile(255 - tile, (8, 9, 1)))
    opened(app, qtbot, (he, ihc))
    view = app.window.panes[Stain.HE].view
    image = app.store.state.image(Stain.HE)
    assert image is not None and max(image.overview.shape) < 2048
    width, height = view.viewport_pixels()
    view.go(Viewpoint(1700 + width % 2 / 2, 1500 + height % 2 / 2, 1.0))
    grabbed = pixels_of(view.viewport().grab().toImage())
    qtbot.waitUntil(lambda: view.mosaic.settled)
    grabbed = pixels_of(view.viewport().grab().toImage())
    corner = view.to_screen(0, 0)
    x, y = -round(corner.x()), -round(corner.y())
    source = image.source.read(0, x + 50, y + 150, 250, 200)
    assert np.array_equal(grabbed[150:350, 50:300], source)


def test_text_is_drawn_with_glyphs_and_not_boxes(qtbot: QtBot, app: App) -> None:
    label = app.window.score_panel._title
    label.setText("iiii")
    narrow = pixels_of(label.grab().toImage())
    label.setText("WWWW")
    wide = pixels_of(label.grab().toImage())
    assert label.fontMetrics().horizontalAdvance("iiii") < label.fontMetrics().horizontalAdvance("WWWW")
    assert not np.array_equal(narrow, wide)
