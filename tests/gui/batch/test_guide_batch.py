"""A folder of phantoms from finding to summary, with the model that ships, as the guide shows it."""

from pathlib import Path

import cv2
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from her2viewer.errors import PackageError
from her2viewer.gui.app import App
from her2viewer.gui.batch.dialog import BatchDialog
from her2viewer.gui.bench import ModelWish
from her2viewer.gui.settings import Settings
from her2viewer.gui.state import ModelPhase
from her2viewer.scoring.package import bundled_package
from tests.gui.guide import Photograph
from training.phantom.pair import make_phantom

COUNT = 12


def test_a_folder_is_scored_with_the_model_that_ships(
    qapp: QApplication, qtbot: QtBot, settings: Settings, guide_picture: Photograph, tmp_path: Path
) -> None:
    try:
        bundled_package()
    except PackageError:
        pytest.skip("no model ships with this checkout yet")
    folder = tmp_path / "study"
    for index in range(COUNT):
        phantom = make_phantom(11, index, 512)
        for stain, image in (("HE", phantom.he), ("IHC", phantom.ihc)):
            path = folder / stain / f"{index:05d}_test_{phantom.label}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    images = sorted((folder / "IHC").rglob("*.png"))
    images[3].unlink()
    images[5].write_bytes(images[5].read_bytes()[:2000])
    settings.model = ModelWish(None, "cpu")
    app = App(qapp, settings)
    app.start()
    qtbot.waitUntil(lambda: app.store.state.model.phase is ModelPhase.READY, timeout=60_000)
    app.desk.batch()
    dialog = app.window.findChild(BatchDialog)
    dialog.first.setText(str(folder))
    dialog.first.editingFinished.emit()
    qtbot.waitUntil(lambda: len(dialog.table.pairs) == COUNT - 1)
    dialog.out.setText(str(tmp_path / "study-her2"))
    whole = [row for row, pair in enumerate(dialog.table.pairs) if pair.ihc != images[5]]
    decoration = Qt.ItemDataRole.DecorationRole
    qtbot.waitUntil(lambda: all(dialog.table.index(row, 0).data(decoration) is not None for row in whole))
    for line in (dialog.first, dialog.out):  # not the test's own folder, in the picture
        line.setText(Path(line.text()).name)
    dialog.view.selectRow(1)
    guide_picture(dialog, "batch-found")
    dialog.first.setText(str(folder))
    dialog.out.setText(str(tmp_path / "study-her2"))
    dialog.start.click()
    qtbot.waitUntil(lambda: dialog._words.text().startswith("Done"), timeout=60_000)
    assert f"{COUNT - 1} of {COUNT - 1} pairs, 1 of them failed" in dialog._words.text()
    dialog._sum_up()
    for line in (dialog.first, dialog.out):
        line.setText(Path(line.text()).name)
    guide_picture(dialog, "batch-done")
    app.window.close()
