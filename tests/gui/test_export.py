"""Exporting from the window: what is on screen is what is written, and nothing that stood there is lost."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from her2viewer.cases.shape import Shape
from her2viewer.export.annotated import annotated_page
from her2viewer.gui.app import App
from her2viewer.gui.controllers.exporting import ExportWish, exportable
from her2viewer.gui.dialogs.export import ExportDialog
from her2viewer.scoring.stains import Stain


def test_export_by_the_dialog(scored_app: App, qtbot: QtBot, tmp_path: Path) -> None:
    app = scored_app
    app.settings.set_text_of("export/folder", str(tmp_path))
    qtbot.keyClick(app.window, Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    dialog = app.window.findChild(ExportDialog)
    assert dialog.name.text() == "00001_train_2+_overlay"
    dialog.export.click()
    assert app.window.status_line._doing.text() != ""
    qtbot.waitUntil(lambda: app.window.messages.text.startswith("Written"))
    picture = cv2.imread(str(tmp_path / "00001_train_2+_overlay.png"))
    assert picture is not None and picture.shape[1] >= 512
    result = json.loads((tmp_path / "00001_train_2+_overlay.json").read_text(encoding="utf-8"))
    assert result["score"] == app.store.state.scoring.evidence.prediction.score
    assert app.window.messages._remedy.text() == "Show in folder"


@pytest.mark.parametrize("stain", list(Stain))
def test_the_pane_and_the_exported_picture_agree(scored_app: App, qtbot: QtBot, stain: Stain) -> None:
    app = scored_app
    app.set_map("2+", "layer4")
    shown = exportable(app.store.state)
    assert shown is not None
    page = annotated_page(
        shown.images.read().pixels,
        shown.attribution,
        shown.evidence.prediction,
        stains=(stain,),
        style=shown.style,
        full_scale=None,
        case_id="x",
        mpp={},
    )
    x, y = page.tissue[stain]
    exported = page.picture[y : y + 256, x : x + 256]
    app.window.zoom_to(1.0)
    view = app.window.panes[stain].view
    from .test_pane import drawn

    image = app.store.state.image(stain)
    assert image is not None
    app.window.resize(1280, 800)
    seen, _ = drawn(view, image)
    assert np.abs(seen.astype(int) - exported[: seen.shape[0], : seen.shape[1]]).max() <= 2


def test_an_export_that_fails_leaves_what_was_there(scored_app: App, qtbot: QtBot, tmp_path: Path) -> None:
    app = scored_app
    target = tmp_path / "nowhere" / "picture.png"
    app.exporting.export(ExportWish(target, tuple(Stain), True, True))
    qtbot.waitUntil(lambda: "picture.png" in app.window.messages.text)
    assert app.store.state.exporting is None
    assert not target.parent.exists()


def test_an_export_can_be_cancelled(scored_app: App, qtbot: QtBot, tmp_path: Path) -> None:
    app = scored_app
    target = tmp_path / "picture.png"
    app.exporting.export(ExportWish(target, tuple(Stain), True, False))
    qtbot.keyClick(app.window, Qt.Key.Key_Escape)
    assert app.store.state.exporting is None
    qtbot.waitUntil(lambda: not app.lanes.files.busy)
    assert app.window.messages.text == ""


def test_the_dialog_says_what_would_be_replaced(qtbot: QtBot, tmp_path: Path) -> None:
    (tmp_path / "there.png").write_bytes(b"x")
    dialog = ExportDialog(tmp_path, "there", map_on=True)
    qtbot.addWidget(dialog)
    assert "will be replaced" in dialog._hint.text()
    dialog.name.setText("a/b")
    assert not dialog.export.isEnabled()
    dialog.name.setText("")
    assert not dialog.export.isEnabled()
    dialog.name.setText("new")
    assert dialog.export.isEnabled()


def test_the_picture_of_a_field_is_of_that_field_and_says_so(scored_app: App, qtbot: QtBot, tmp_path: Path) -> None:
    app = scored_app
    drawn = app.fields.editor.add(Shape.rectangle(40, 60, 120, 80))
    assert drawn is not None
    app.fields.scoring.score(drawn.id)
    qtbot.waitUntil(lambda: app.store.state.fields.annotations[drawn.id].score is not None)
    app.settings.set_text_of("export/folder", str(tmp_path))
    qtbot.keyClick(app.window, Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    dialog = app.window.findChild(ExportDialog)
    assert dialog.name.text() == f"00001_train_2+_{drawn.title}_overlay"
    assert any(f"Of {drawn.title} alone" in label.text() for label in dialog.findChildren(QLabel))
    dialog.with_map.setChecked(False)
    dialog.export.click()
    qtbot.waitUntil(lambda: app.window.messages.text.startswith("Written"))
    stem = tmp_path / f"00001_train_2+_{drawn.title}_overlay"
    picture = cv2.imread(f"{stem}.png")[..., ::-1]
    pair = app.store.state.pair
    assert pair is not None
    for image in pair:
        tissue = image.source.read(0, 40, 60, 120, 80)
        _, _, (x, y), _ = cv2.minMaxLoc(cv2.matchTemplate(picture, tissue, cv2.TM_SQDIFF))
        assert np.array_equal(picture[y : y + 80, x : x + 120], tissue), "the field of each image, pixel for pixel"
        whole = cv2.matchTemplate(picture, image.source.read(0, 0, 0, 140, 80), cv2.TM_SQDIFF_NORMED)
        assert whole.min() > 0.001, "and nothing around it"
    result = json.loads(Path(f"{stem}.json").read_text(encoding="utf-8"))
    assert result["field_name"] == drawn.title and result["case_id"] == "00001_train_2+"
    assert result["field"]["ihc"] == {"x": 40, "y": 60, "width": 120, "height": 80}
    # Back at the whole image, the picture is of the whole image again.
    app.fields.scoring.show_whole()
    shown = exportable(app.store.state)
    assert shown is not None and shown.field is None and shown.title == ""
