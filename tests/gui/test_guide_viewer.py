"""Whole slides, stain views and turned panes in the real window; their pictures stand in the user guide."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from her2viewer.gui.app import App
from her2viewer.gui.demo import demo_pair
from her2viewer.gui.pane.viewpoint import Viewpoint
from her2viewer.imaging.opening import open_image
from her2viewer.scoring.stains import Stain
from tests.imaging.slides import write_slide

from .conftest import opened
from .guide import Photograph

WIDTH, HEIGHT = 7168, 5120


def slide_from(field: np.ndarray) -> np.ndarray:
    """A section as large as seven by five fields on an empty slide, from one field and its mirror images."""
    fields = [field[:, :: 1 - 2 * (i % 2)] for i in range(WIDTH // 1024)]
    row = np.hstack(fields)
    whole = np.vstack([row[:: 1 - 2 * (i % 2)] for i in range(HEIGHT // 1024)])
    y, x = np.ogrid[:HEIGHT, :WIDTH]
    angle = np.arctan2(y - HEIGHT / 2, x - WIDTH / 2)
    edge = 0.88 + 0.05 * np.sin(3 * angle + 1) + 0.03 * np.sin(7 * angle)
    inside = (np.hypot((x - WIDTH / 2) / (WIDTH / 2), (y - HEIGHT / 2) / (HEIGHT / 2)) < edge).astype(np.float32)
    tissue = cv2.GaussianBlur(inside, (0, 0), 6)[..., None]
    white = np.percentile(field.reshape(-1, 3), 99.5, axis=0)
    return np.rint(whole * tissue + white * (1 - tissue)).astype(np.uint8)


@pytest.fixture(scope="module")
def slides(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The demo pair as two whole slides."""
    pair = demo_pair()
    assert pair is not None
    folder = tmp_path_factory.mktemp("slides")
    paths = []
    for stain, path in zip(Stain, pair, strict=True):
        with open_image(path) as source:
            picture = slide_from(source.read(0, 0, 0, 1024, 1024))
        name = {Stain.HE: "S26-0412_HE.tif", Stain.IHC: "S26-0412_HER2.tif"}[stain]
        paths.append(write_slide(folder / name, (WIDTH, HEIGHT), mpp=0.46, picture=picture))
    return paths[0], paths[1]


@pytest.fixture
def slide_app(app: App, qtbot: QtBot, slides: tuple[Path, Path]) -> App:
    app.window.resize(1440, 900)
    opened(app, qtbot, slides)
    return app


def settle(app: App, qtbot: QtBot) -> None:
    for pane in app.window.panes.values():
        pane.view.viewport().grab()
        qtbot.waitUntil(lambda pane=pane: pane.view.mosaic.settled)


def test_a_whole_slide_with_its_overview_map(slide_app: App, qtbot: QtBot, guide_picture: Photograph) -> None:
    panes = slide_app.window.panes
    assert all(pane.overview_map.isHidden() for pane in panes.values())
    panes[Stain.HE].view.go(Viewpoint(2900, 2300, 1.2))
    settle(slide_app, qtbot)
    assert all(pane.overview_map.isVisible() and pane._scale_bar.isVisible() for pane in panes.values())
    assert panes[Stain.IHC].view.viewpoint == Viewpoint(2900, 2300, 1.2)
    guide_picture(slide_app.window, "whole-slide")


def test_stain_views(slide_app: App, qtbot: QtBot, guide_picture: Photograph) -> None:
    panes = slide_app.window.panes
    panes[Stain.HE].view.go(Viewpoint(2560, 2560, 0.8))
    settle(slide_app, qtbot)
    qtbot.keyClick(slide_app.window, Qt.Key.Key_3)
    qtbot.waitUntil(lambda: all(pane._caution.isVisible() for pane in panes.values()))
    settle(slide_app, qtbot)
    assert panes[Stain.IHC]._colouring.text() == "DAB"
    guide_picture(slide_app.window, "stain-views")


def test_a_pair_turned_together(slide_app: App, qtbot: QtBot, guide_picture: Photograph) -> None:
    window, panes = slide_app.window, slide_app.window.panes
    panes[Stain.HE].view.go(Viewpoint(2900, 2300, 1.4))
    for _ in range(2):
        qtbot.keyClick(window, Qt.Key.Key_Right, Qt.KeyboardModifier.AltModifier)
    settle(slide_app, qtbot)
    turned = Viewpoint(2900, 2300, 1.4, 30.0)
    assert [pane.view.viewpoint for pane in panes.values()] == [turned, turned]
    guide_picture(window, "rotated-pair")
    qtbot.keyClick(window, Qt.Key.Key_F, Qt.KeyboardModifier.ShiftModifier)
    assert [pane.view.viewpoint for pane in panes.values()] == [turned.flipped(), turned.flipped()]
    qtbot.keyClick(window, Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
    assert panes[Stain.IHC].view.viewpoint == turned.flipped().turned(90)
    qtbot.keyClick(window, Qt.Key.Key_U)
    assert [pane.view.viewpoint for pane in panes.values()] == [turned.upright(), turned.upright()]
