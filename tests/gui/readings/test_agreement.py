"""Agreement in the real window: taught where there is nothing, counted, of a tag, of blind readings, saved as a table."""

import csv
from pathlib import Path

import numpy as np
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from her2viewer.cases.library.figures import study_figures
from her2viewer.cases.library.library import Library
from her2viewer.cases.library.records import NOT_ASSESSABLE
from her2viewer.cases.pair import pair_files
from her2viewer.gui.actions.ids import ActionId as Id
from her2viewer.gui.app import App
from her2viewer.gui.readings.dashboard import AgreementDialog, CountsTable
from her2viewer.gui.readings.figures import resolve_agreement

from ..conftest import tissue, write
from .conftest import read, scored, settled


def fill(
    library: Library, folder: Path, scores: list[tuple[str, str, bool]], model_name: str = "fake 1", sha256: str = "0" * 64
) -> None:
    """Cases with the model's score, the reader's, and whether the reader had seen it."""
    for index, (model, own, seen) in enumerate(scores):
        paths = [write(folder / stain / f"c{index}.png", tissue(2 * index + place, (16, 16)))
                 for place, stain in enumerate(("HE", "IHC"))]  # fmt: skip
        case = library.open_case(pair_files(*paths)).id
        library.keep_prediction(
            case, score=model, no_call=None, model=model_name, model_sha256=sha256, document=f'{{"case": {index}}}'
        )
        if seen:
            library.reveal(case, sha256)
        library.read(case, own, seconds=10.0 + index)
        if index % 2:
            library.set_tags(case, ["odd"])


SCORES = [("0", "0", False), ("1+", "1+", False), ("2+", "3+", False), ("3+", "2+", True), ("2+", NOT_ASSESSABLE, True)]


def dialog_of(app: App, qtbot: QtBot) -> AgreementDialog:
    app.window.actions_[Id.AGREEMENT].trigger()
    dialog = app.readings.agreement.dialog
    assert dialog is not None
    settled(app, qtbot)
    qtbot.waitUntil(lambda: dialog._figures is not None)
    return dialog


def rows(dialog: AgreementDialog) -> dict[str, str]:
    return {name.text(): value.text() for name, value in dialog.rows._rows if not name.isHidden()}


def test_nothing_read_yet_is_taught(open_app: App, qtbot: QtBot) -> None:
    dialog = dialog_of(open_app, qtbot)
    assert dialog.empty.isVisible() and "No case is read yet" in dialog.empty.text()
    assert not dialog.save.isEnabled() and not dialog.isModal()


def test_it_follows_the_reading(open_app: App, qtbot: QtBot) -> None:
    dialog = dialog_of(open_app, qtbot)
    scored(open_app, qtbot)
    read(open_app, qtbot, "0")
    qtbot.waitUntil(lambda: dialog.counted.isVisible())
    assert dialog.counted.text() == "1 case scored by you and the model."
    assert dialog.few.text() == "1 case: too few to tell more than these counts."


def test_counts_and_figures_of_all_of_a_tag_and_of_blind_readings(open_app: App, qtbot: QtBot, tmp_path: Path) -> None:
    with Library(open_app.library.keeper.path) as library:
        fill(library, tmp_path / "cases", SCORES)
    dialog = dialog_of(open_app, qtbot)
    assert dialog.counted.text() == "4 cases scored by you and the model; 1 not assessable."
    told = rows(dialog)
    assert told["The same score"].startswith("50% (95% interval ")
    assert told["Within one step"].startswith("100% (")
    assert told["Weighted kappa"].startswith("0.80 (95% interval ")
    assert told["Overrides"] == "2 (0 upwards, 1 downwards)"
    assert told["Time a case"] == "12 s (half of them 11 s to 13 s)"
    assert "you 3+, model 2+: 1" in dialog.table.accessibleDescription()
    dialog.blind.setChecked(True)
    assert dialog.counted.text() == "3 cases scored by you before the model was seen."
    assert "Overrides" not in rows(dialog)
    dialog.blind.setChecked(False)
    open_app.library.refresh()
    settled(open_app, qtbot)
    qtbot.waitUntil(lambda: dialog.tags.findData("odd") > 0)
    dialog.tags.setCurrentIndex(dialog.tags.findData("odd"))
    dialog.tags.activated.emit(dialog.tags.currentIndex())
    qtbot.waitUntil(lambda: dialog.counted.text() == "2 cases scored by you and the model.")


def test_the_table_holds_every_reading_and_no_path(open_app: App, qtbot: QtBot, tmp_path: Path) -> None:
    with Library(open_app.library.keeper.path) as library:
        fill(library, tmp_path / "cases", SCORES)
    dialog_of(open_app, qtbot)
    out = tmp_path / "readings.csv"
    open_app.readings.agreement.write(out)
    qtbot.waitUntil(lambda: open_app.window.messages.text == "Written: readings.csv, 5 readings.")
    with out.open(encoding="utf-8-sig", newline="") as file:
        found = list(csv.DictReader(file))
    assert [(row["model_score"], row["reader_score"]) for row in found] == [(model, own) for model, own, _ in SCORES]
    assert [row["kind"] for row in found] == ["blind"] * 3 + ["override"] * 2
    assert str(tmp_path) not in out.read_text(encoding="utf-8-sig")


def test_a_table_that_cannot_be_written_is_said(open_app: App, qtbot: QtBot, tmp_path: Path) -> None:
    dialog_of(open_app, qtbot)
    open_app.readings.agreement.write(tmp_path / "no folder" / "readings.csv")
    qtbot.waitUntil(lambda: "readings.csv" in open_app.window.messages.text)
    assert not open_app.window.messages.text.startswith("Written")


def test_each_cell_says_its_count(qapp: QApplication) -> None:
    """By text, and the darker the more: no cell is as dark as its text."""
    assert resolve_agreement(study_figures([]), blind=False).empty
    table = CountsTable()
    figures = study_figures([])
    table.set_agreement(figures.agreement)
    table.resize(table.sizeHint())
    image = table.grab().toImage()
    grey = np.array([image.pixelColor(x, y).lightness() for x in range(90, 376, 3) for y in range(50, 220, 3)])
    assert len(np.unique(grey)) > 3 and table.accessibleDescription() == "no counts"
