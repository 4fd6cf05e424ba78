"""Stain views in the real window: keys, words, vectors, and the very pixels that the separation gives."""

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from her2viewer.errors import StainVectorError
from her2viewer.gui.actions.ids import ActionId
from her2viewer.gui.actions.specs import STAIN_VIEW_ACTIONS
from her2viewer.gui.app import App
from her2viewer.gui.dialogs.stain_vectors import StainVectorDialog
from her2viewer.gui.pane.colouring import ORIGINAL
from her2viewer.gui.pane.pyramid import read_overview
from her2viewer.gui.pane.stain_viewing import (
    FoundVectors,
    StainViewing,
    VectorKind,
    VectorWish,
    find_vectors,
    stained_part,
)
from her2viewer.gui.pane.viewpoint import Viewpoint
from her2viewer.imaging.opening import open_image
from her2viewer.imaging.stain_vectors import Dyes, Origin, StainVectors, ruifrok_johnston
from her2viewer.imaging.stain_views import StainView, picture_in
from her2viewer.scoring.stains import Stain

from .conftest import opened, tissue, write
from .sources import computed
from .test_pane import pixels_of

Key = Qt.Key
KEYS = {Key.Key_1: StainView.ORIGINAL, Key.Key_2: StainView.HAEMATOXYLIN, Key.Key_3: StainView.SECOND}
KEYS[Key.Key_4] = StainView.RESIDUAL


def vectors_of(app: App, stain: Stain) -> StainVectors | None:
    image = app.store.state.image(stain)
    return app.store.state.stain_viewing.vectors(stain, image.source) if image is not None else None


def shown(app: App, qtbot: QtBot, stain: Stain) -> np.ndarray:
    """The image at 1:1 as its pane shows it, once it does."""
    view = app.window.panes[stain].view
    width, height = view.viewport_pixels()
    view.go(Viewpoint(128 + width % 2 / 2, 128 + height % 2 / 2, 1.0))
    view.viewport().grab()
    qtbot.waitUntil(lambda: view.mosaic.settled)
    corner = view.to_screen(0, 0)
    x, y = round(corner.x()), round(corner.y())
    return pixels_of(view.viewport().grab().toImage())[y : y + 256, x : x + 256]


def test_keys_show_each_view_in_both_panes_pixel_for_pixel(app: App, qtbot: QtBot, pair: tuple[Path, Path]) -> None:
    opened(app, qtbot, pair)
    qtbot.waitUntil(lambda: all(vectors_of(app, stain) is not None for stain in Stain))
    for key, view in [*KEYS.items(), (Key.Key_1, StainView.ORIGINAL)]:
        qtbot.keyClick(app.window, key)
        for stain in Stain:
            image, vectors = app.store.state.image(stain), vectors_of(app, stain)
            assert image is not None and vectors is not None
            assert np.array_equal(shown(app, qtbot, stain), picture_in(view, image.overview, vectors))
            caution = app.window.panes[stain]._caution
            assert caution.isVisible() == (view is not StainView.ORIGINAL)
            assert caution.isHidden() or caution.text().endswith(": not quantitative")
        assert [a for a in STAIN_VIEW_ACTIONS.values() if app.window.actions_[a].isChecked()] == [
            STAIN_VIEW_ACTIONS[view]
        ]


def test_the_header_names_the_dye_of_its_own_slide(app: App, qtbot: QtBot, pair: tuple[Path, Path]) -> None:
    opened(app, qtbot, pair)
    qtbot.keyClick(app.window, Key.Key_3)
    panes = app.window.panes
    qtbot.waitUntil(lambda: all(pane._colouring.text() for pane in panes.values()))
    assert panes[Stain.HE]._colouring.text() == "Eosin"
    assert panes[Stain.IHC]._colouring.text() == "DAB"
    assert "amount of HER2" in panes[Stain.IHC]._colouring.toolTip()
    assert "Ruifrok-Johnston" in panes[Stain.IHC]._colouring.toolTip()
    qtbot.keyClick(app.window, Key.Key_1)
    assert panes[Stain.IHC]._colouring.isHidden() and panes[Stain.IHC]._caution.isHidden()


def test_a_view_goes_on_with_the_next_pair(
    app: App, qtbot: QtBot, pair: tuple[Path, Path], other_pair: tuple[Path, Path]
) -> None:
    opened(app, qtbot, pair)
    qtbot.keyClick(app.window, Key.Key_2)
    opened(app, qtbot, other_pair)
    qtbot.waitUntil(lambda: all(pane._colouring.text().startswith("Haem") for pane in app.window.panes.values()))
    image, vectors = app.store.state.image(Stain.HE), vectors_of(app, Stain.HE)
    assert image is not None and vectors is not None
    assert app.window.panes[Stain.HE].view.mosaic.colouring.name == (StainView.HAEMATOXYLIN, vectors)


def test_vectors_are_chosen_typed_and_refused_beside_the_work(app: App, qtbot: QtBot, pair: tuple[Path, Path]) -> None:
    opened(app, qtbot, pair)
    app.window.actions_[ActionId.STAIN_VECTORS].trigger()
    dialog = app.window.findChild(StainVectorDialog)
    assert not dialog.isModal()
    part = dialog.parts[Stain.IHC]
    qtbot.waitUntil(lambda: bool(part.typed[0].text()))
    assert part.typed[0].isReadOnly()
    part.kind.setCurrentIndex(part.kind.findData(VectorKind.TYPED))
    part.kind.activated.emit(part.kind.currentIndex())
    for line, text in zip(part.typed, ("0.6 0.7 0.3", "0.3 0.5 0.8"), strict=True):
        line.clear()
        qtbot.keyClicks(line, text)
    qtbot.waitUntil(lambda: vectors_of(app, Stain.IHC) is not None)
    vectors = vectors_of(app, Stain.IHC)
    assert vectors is not None and vectors.origin is Origin.TYPED
    assert vectors.matrix[1] == pytest.approx(np.array([0.3, 0.5, 0.8]) / np.linalg.norm([0.3, 0.5, 0.8]))
    part.typed[1].clear()
    qtbot.keyClicks(part.typed[1], "red")
    assert "not a number" in part._trouble.text() and part._trouble.isVisible()
    assert vectors_of(app, Stain.IHC) is vectors  # what was there stays
    part.kind.setCurrentIndex(part.kind.findData(VectorKind.RUIFROK_JOHNSTON))
    part.kind.activated.emit(part.kind.currentIndex())
    assert part._trouble.isHidden()
    qtbot.waitUntil(lambda: getattr(vectors_of(app, Stain.IHC), "origin", None) is Origin.RUIFROK_JOHNSTON)
    listeners = len(app.store._listeners)
    dialog.close()
    assert len(app.store._listeners) == listeners - 1


def test_each_wish_finds_its_vectors(tmp_path: Path) -> None:
    source = open_image(write(tmp_path / "he.png", tissue(4, (300, 200))))
    overview = read_overview(source)
    find = {
        kind: find_vectors(VectorWish(kind, "1 0 0", "0 1 0"), Dyes.HAEMATOXYLIN_EOSIN, source, overview)
        for kind in VectorKind
    }
    assert find[VectorKind.RUIFROK_JOHNSTON].origin is Origin.RUIFROK_JOHNSTON
    assert find[VectorKind.TYPED].matrix[0] == pytest.approx([1, 0, 0])
    # One dye alone is no pair: it is estimated, and said that it cannot be.
    assert find[VectorKind.MACENKO].note
    with pytest.raises(StainVectorError):
        find_vectors(VectorWish(VectorKind.TYPED, "1 0 0", ""), Dyes.HAEMATOXYLIN_EOSIN, source, overview)


def test_vectors_are_estimated_where_there_is_tissue() -> None:
    source, image = computed(40_000, 30_000, 4)
    overview = np.full_like(image.overview, 250)
    overview[600:620, 300:330] = 90
    overview[20:60, 20:60] = 5  # ink
    stained_part(source, overview)
    (level, column, row) = source.reads[-1]
    assert level == 0
    across = 40_000 / overview.shape[1]
    assert column == pytest.approx(315 * across / 512, abs=3)
    assert row == pytest.approx(610 * across / 512, abs=3)


def test_the_original_stands_in_until_the_vectors_are_known(tmp_path: Path) -> None:
    source = open_image(write(tmp_path / "he.png", tissue(4)))
    viewing = StainViewing(StainView.HAEMATOXYLIN)
    assert viewing.colouring(Stain.HE, source) is ORIGINAL
    vectors = ruifrok_johnston(Dyes.HAEMATOXYLIN_EOSIN)
    known = viewing.with_found(Stain.HE, FoundVectors(source, VectorWish(), vectors))
    colouring = known.colouring(Stain.HE, source)
    assert colouring.name == known.colouring(Stain.HE, source).name == (StainView.HAEMATOXYLIN, vectors)
    assert known.with_wish(Stain.HE, VectorWish(VectorKind.MACENKO)).colouring(Stain.HE, source) is ORIGINAL
    assert known.colouring(Stain.HE, open_image(write(tmp_path / "b.png", tissue(5)))) is ORIGINAL
