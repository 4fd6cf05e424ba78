"""A batch in the dialog: found, run, cancelled, with one bad pair, with the window in use meanwhile."""

import csv
import json
from pathlib import Path

import pytest
from PySide6.QtCore import QItemSelectionModel, QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QLabel, QMessageBox
from pytestqt.qtbot import QtBot

from her2viewer.batch.options import BatchOptions
from her2viewer.batch.run import run_batch
from her2viewer.batch.store import RowStore
from her2viewer.cases.folders import pair_folder
from her2viewer.cases.manifest import read_manifest
from her2viewer.cases.rule import Rule
from her2viewer.gui.app import App
from her2viewer.gui.batch.dialog import BatchDialog
from her2viewer.gui.batch.summary import summed
from her2viewer.gui.batch.table import CASE, LABEL, PAIR_ROLE, SORT_ROLE, SURE, BatchTable, Kind, Line
from her2viewer.gui.state import ScorePhase
from her2viewer.scoring.stains import Stain
from tests.gui.conftest import FakeScorer, opened, tissue, write


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Five pairs in BCI's layout, the third of them broken, and one image without a partner."""
    root = tmp_path / "bci"
    for number in range(5):
        name = f"0000{number}_test_{number % 4 or '0'}{'+' if number % 4 else ''}.png"
        write(root / "HE" / "test" / name, tissue(number, (64, 64)))
        write(root / "IHC" / "test" / name, tissue(10 + number, (64, 64), Stain.IHC))
    (root / "HE" / "test" / "00002_test_2+.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    write(root / "HE" / "test" / "00009_test_1+.png", tissue(9, (64, 64)))
    return root


@pytest.fixture
def dialog(app: App, qtbot: QtBot, folder: Path, tmp_path: Path) -> BatchDialog:
    app.desk.batch()
    made = app.window.findChild(BatchDialog)
    qtbot.waitExposed(made)
    made.first.setText(str(folder))
    made.first.editingFinished.emit()
    qtbot.waitUntil(lambda: bool(made.table.lines))
    made.out.setText(str(tmp_path / "out"))
    return made


def states(dialog: BatchDialog) -> list[str]:
    return [line.state for line in dialog.table.lines]


def test_a_folder_is_listed_with_what_was_left_out(dialog: BatchDialog) -> None:
    assert "5 pairs" in dialog._found.text()
    assert "1 image without a partner" in dialog._found.text()
    assert states(dialog) == ["Waiting"] * 5 + ["Left out: no partner"]


def test_run_writes_everything_and_a_bad_pair_costs_its_row(
    app: App, dialog: BatchDialog, qtbot: QtBot, tmp_path: Path, folder: Path
) -> None:
    qtbot.mouseClick(dialog.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: dialog._words.text().startswith("Done"))
    assert "5 of 5 pairs, 1 of them failed" in dialog._words.text()
    assert [state.split(":")[0] for state in states(dialog)] == ["Scored"] * 2 + ["Failed"] + ["Scored"] * 2 + [
        "Left out"
    ]
    out = tmp_path / "out"
    with (out / "results.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 5
    assert [bool(row["error"]) for row in rows] == [False, False, True, False, False]
    assert len(json.loads((out / "results.json").read_text(encoding="utf-8"))) == 5
    assert len(list(out.glob("*_overlay.png"))) == 4
    assert str(tmp_path) not in (out / "results.csv").read_text(encoding="utf-8")
    assert app.store.state.batch is None
    # Double click opens the pair.
    dialog.view.doubleClicked.emit(dialog.view.model().index(0, 0))
    qtbot.waitUntil(lambda: app.store.state.pair is not None)


def test_a_second_run_into_the_same_folder_is_refused_unless_it_goes_on(
    dialog: BatchDialog, qtbot: QtBot, scorer: FakeScorer
) -> None:
    dialog.start.click()
    qtbot.waitUntil(lambda: dialog._words.text().startswith("Done"))
    scored = scorer.scored
    dialog.start.click()
    qtbot.waitUntil(lambda: "results in this folder already" in dialog._trouble.text())
    dialog.resume.setChecked(True)
    dialog.start.click()
    qtbot.waitUntil(lambda: "Scored before" in states(dialog) and dialog._words.text().startswith("Done"))
    assert scorer.scored == scored


def test_cancel_keeps_what_is_done(dialog: BatchDialog, qtbot: QtBot, scorer: FakeScorer, tmp_path: Path) -> None:
    dialog.table.dataChanged.connect(lambda *_: dialog.cancel.click() if "Scored" in states(dialog) else None)
    dialog.start.click()
    qtbot.waitUntil(lambda: dialog._words.text().startswith("Stopped"))
    done = states(dialog).count("Scored")
    assert 1 <= done < 5
    assert "Not scored" in states(dialog)
    assert len(list((tmp_path / "out").glob("*_overlay.png"))) == done
    assert (tmp_path / "out" / "results.csv").exists()


def test_the_window_scores_while_a_batch_runs(
    app: App, dialog: BatchDialog, qtbot: QtBot, pair: tuple[Path, Path]
) -> None:
    dialog.start.click()
    qtbot.waitUntil(lambda: app.batch.running and app.store.state.batch is not None)
    assert "Batch" in app.window.status_line._doing.text()
    app.images.open({Stain.HE: pair[0], Stain.IHC: pair[1]})
    qtbot.waitUntil(lambda: app.store.state.pair is not None)
    app.scoring.score()
    qtbot.waitUntil(lambda: app.store.state.scoring.phase is ScorePhase.SCORED)
    qtbot.waitUntil(lambda: not app.batch.running)


def test_closing_the_window_asks_while_a_batch_runs(
    app: App, dialog: BatchDialog, qtbot: QtBot, scorer: FakeScorer, tmp_path: Path
) -> None:
    scorer.gate.clear()
    dialog.start.click()
    qtbot.waitUntil(scorer.started.is_set)

    def asked() -> QMessageBox:
        (box,) = [one for one in app.window.findChildren(QMessageBox) if one.isVisible()]
        return box

    def press(text: str) -> None:
        (button,) = [one for one in asked().buttons() if one.text() == text]
        button.click()

    app.window.close()
    assert "pairs are done and kept" in asked().informativeText()
    press("Let it run")
    assert app.window.isVisible() and app.batch.running
    app.window.close()
    scorer.gate.set()
    press("Stop it and close")
    assert not app.window.isVisible() and not dialog.isVisible()
    # What was begun is written, and the folder can be gone on with.
    store = RowStore(tmp_path / "out")
    assert len(store) <= 5
    store.close()


def test_a_folder_without_pairs_says_what_was_looked_for(app: App, qtbot: QtBot, tmp_path: Path) -> None:
    app.desk.batch()
    dialog = app.window.findChild(BatchDialog)
    (tmp_path / "nothing").mkdir()
    dialog.first.setText(str(tmp_path / "nothing"))
    dialog.first.editingFinished.emit()
    qtbot.waitUntil(lambda: bool(dialog._trouble.text()))
    assert not dialog.start.isEnabled()


def test_an_output_that_cannot_be_a_folder_stops_before_it_begins(
    dialog: BatchDialog, qtbot: QtBot, tmp_path: Path
) -> None:
    file = tmp_path / "a-file"
    file.write_text("x")
    dialog.out.setText(str(file))
    dialog.start.click()
    qtbot.waitUntil(lambda: bool(dialog._trouble.text()))
    assert file.read_text() == "x"
    assert dialog.start.isEnabled()


def test_two_folders(app: App, qtbot: QtBot, folder: Path) -> None:
    app.desk.batch()
    dialog = app.window.findChild(BatchDialog)
    dialog.first.setText(str(folder / "HE"))
    dialog.second.setText(str(folder / "IHC"))
    dialog.second.editingFinished.emit()
    qtbot.waitUntil(lambda: bool(dialog.table.lines))
    assert "5 pairs" in dialog._found.text()


def test_the_table_keeps_qts_rules(dialog: BatchDialog, qtmodeltester) -> None:
    qtmodeltester.check(dialog.table)
    table: BatchTable = dialog.table
    assert table.index(0, 0).data(PAIR_ROLE).case_id == "00000_test_0"
    assert table.index(5, 0).data(PAIR_ROLE) is None
    assert table.index(0, SURE).data(SORT_ROLE) == float("inf")


def test_export_of_a_case_opened_from_the_list_needs_a_score(app: App, qtbot: QtBot, pair: tuple[Path, Path]) -> None:
    opened(app, qtbot, pair)
    app.desk.export()
    assert app.store.state.exporting is None


def line_of(dialog: BatchDialog, start: str) -> Line:
    return next(line for line in dialog.table.lines if line.name.startswith(start))


def choose(dialog: BatchDialog, *starts: str) -> None:
    dialog.view.clearSelection()
    for row in range(dialog.order.rowCount()):
        if dialog.order.index(row, 0).data().startswith(starts):
            dialog.view.selectionModel().select(
                dialog.order.index(row, 0),
                QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows,
            )


def test_pairs_are_looked_over_before_they_are_scored(
    dialog: BatchDialog, qtbot: QtBot, folder: Path, tmp_path: Path
) -> None:
    assert not dialog.remove.isEnabled() and not dialog.partner.isEnabled() and dialog.save.isEnabled()
    choose(dialog, "00001", "00002")
    dialog.remove.click()
    assert [line.name for line in dialog.table.lines if line.pair] == ["00000_test_0", "00003_test_3+", "00004_test_0"]
    assert states(dialog).count("Left out: by hand") == 4
    choose(dialog, "00003")
    dialog.swap.click()
    swapped = line_of(dialog, "00003").pair
    assert swapped is not None and swapped.he is not None and swapped.he.parts[-3] == "IHC"
    # What is odd about it is found again: the folder's name says the other stain.
    qtbot.waitUntil(lambda: "swapped?" in line_of(dialog, "00003").state)
    dialog.kind.setCurrentIndex(dialog.kind.findData(Kind.DOUBTFUL))
    assert dialog.order.rowCount() == 1
    dialog.kind.setCurrentIndex(0)
    choose(dialog, "00003")
    dialog.swap.click()
    # A file without a partner gets one by hand.
    lonely = line_of(dialog, "test/00009")
    choose(dialog, "test/00009")
    assert dialog.partner.isEnabled()
    dialog.join(lonely, folder / "IHC" / "test" / "00001_test_1+.png")
    joined = line_of(dialog, "00009").pair
    assert joined is not None and joined.he == lonely.path and joined.ihc.name == "00001_test_1+.png"
    # Case and label are typed over; a case id that stands already is refused.
    place = dialog.table.lines.index(line_of(dialog, "00009"))
    assert dialog.table.setData(dialog.table.index(place, CASE), "Block 7")
    assert dialog.table.setData(dialog.table.index(place, LABEL), "2+")
    assert not dialog.table.setData(dialog.table.index(place, CASE), "00000_TEST_0")
    saved = tmp_path / "pairs.csv"
    dialog.save_list_requested.emit(dialog.table.pairs, saved)
    qtbot.waitUntil(saved.is_file)
    assert [(pair.case_id, pair.label) for pair in read_manifest(saved).pairs][-1] == ("Block 7", "2+")
    dialog.start.click()
    qtbot.waitUntil(lambda: dialog._words.text().startswith("Done"))
    with (tmp_path / "out" / "results.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = {row["case_id"]: row for row in csv.DictReader(file)}
    assert len(rows) == 4 and rows["Block 7"]["label"] == "2+"
    assert not dialog.remove.isEnabled() and not dialog.table.flags(dialog.table.index(0, CASE)) & Qt.ItemFlag.ItemIsEditable


def test_a_pattern_that_the_user_types(app: App, qtbot: QtBot, tmp_path: Path) -> None:
    for name in ("P7 [HE] 1", "P7 [HER2] 2"):
        write(tmp_path / "odd" / f"{name}.png", tissue(len(name), (64, 64)))
    app.desk.batch()
    dialog = app.window.findChild(BatchDialog)
    dialog.first.setText(str(tmp_path / "odd"))
    dialog.first.editingFinished.emit()
    qtbot.waitUntil(lambda: bool(dialog._trouble.text()))
    dialog.rule.setCurrentIndex(dialog.rule.findData(Rule.PATTERN))
    dialog.rule.activated.emit(dialog.rule.currentIndex())
    assert dialog.pattern.isVisible()
    dialog.pattern.setText("{case} [{stain}]*")
    dialog.pattern.editingFinished.emit()
    qtbot.waitUntil(lambda: bool(dialog.table.pairs))
    assert dialog.table.pairs[0].case_id == "P7" and not dialog._trouble.isVisible()


def test_pause_feeds_no_more_until_it_goes_on(
    app: App, dialog: BatchDialog, qtbot: QtBot, scorer: FakeScorer
) -> None:
    scorer.gate.clear()
    dialog.start.click()
    qtbot.waitUntil(scorer.started.is_set)
    dialog.pause.click()
    assert dialog.pause.text() == "Go on" and "paused" in app.window.status_line._doing.text()
    scorer.gate.set()
    qtbot.waitUntil(lambda: states(dialog).count("Scored") >= 1)
    run = app.batch._run
    assert run is not None
    qtbot.waitUntil(lambda: not run.scoring and not run.reading)
    qtbot.wait(100)
    assert "Waiting" in states(dialog) and app.batch.running and dialog._words.text().startswith("Paused")
    dialog.pause.click()
    qtbot.waitUntil(lambda: dialog._words.text().startswith("Done"))
    assert dialog.pause.text() == "Pause"


def test_the_summary_sets_scores_beside_labels(dialog: BatchDialog, qtbot: QtBot) -> None:
    dialog.start.click()
    qtbot.waitUntil(lambda: dialog._words.text().startswith("Done"))
    told = summed(
        [line.row.result for line in dialog.table.lines if line.row is not None and line.row.result is not None],
        1,
        dialog.table.classes,
    )
    assert told.agreement is not None and told.agreement.fields == 4 and told.failed == 1
    assert sum(count for _, count in told.counts) == 4
    for place, label in enumerate(told.agreement.classes):
        labelled = [line for line in dialog.table.lines if line.row and line.row.result and line.row.result.label == label]
        assert told.agreement.counts[place].sum() == len(labelled)
    texts = [label.text() for label in dialog.summary.findChildren(QLabel) if label.isVisibleTo(dialog.summary)]
    assert "Labels and scores" in texts and "label \\ score" in texts and any("to" in text for text in texts)


def test_rows_are_filtered_by_words_and_sorted_by_how_sure(dialog: BatchDialog, qtbot: QtBot) -> None:
    dialog.start.click()
    qtbot.waitUntil(lambda: dialog._words.text().startswith("Done"))
    dialog.kind.setCurrentIndex(dialog.kind.findData(Kind.FAILED))
    assert [dialog.order.index(row, 0).data() for row in range(dialog.order.rowCount())] == ["00002_test_2+"]
    dialog.kind.setCurrentIndex(0)
    dialog.words.setText("scored 00003")
    assert dialog.order.rowCount() == 1
    dialog.words.clear()
    dialog.view.sortByColumn(SURE, Qt.SortOrder.AscendingOrder)
    keys = [dialog.order.index(row, SURE).data(SORT_ROLE) for row in range(dialog.order.rowCount())]
    assert keys == sorted(keys) and keys[-1] == float("inf")


def test_a_folder_that_is_dropped_is_looked_at(app: App, qtbot: QtBot, folder: Path) -> None:
    app.desk.batch()
    dialog = app.window.findChild(BatchDialog)
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(folder / "IHC")), QUrl.fromLocalFile(str(folder / "HE"))])
    dialog.dropEvent(
        QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    )
    qtbot.waitUntil(lambda: len(dialog.table.pairs) == 5)
    assert dialog.first.text() == str(folder / "HE") and dialog.second.text() == str(folder / "IHC")


def test_the_dialog_and_the_command_line_give_the_same_numbers(
    app: App, dialog: BatchDialog, qtbot: QtBot, folder: Path, tmp_path: Path, scorer: FakeScorer
) -> None:
    dialog.start.click()
    qtbot.waitUntil(lambda: dialog._words.text().startswith("Done"))
    out = tmp_path / "alone"
    run_batch(pair_folder(folder).pairs, scorer, BatchOptions(out, overlay=False, root=folder))
    one, other = (json.loads((place / "results.json").read_text("utf-8")) for place in (tmp_path / "out", out))
    for mine, theirs in zip(one, other, strict=True):
        assert mine["case_id"] == theirs["case_id"] and mine.get("error") == theirs.get("error")
        assert mine.get("probabilities") == theirs.get("probabilities")


def test_names_are_left_out_of_what_is_written_and_stay_on_screen(dialog: BatchDialog, qtbot: QtBot, tmp_path: Path) -> None:
    dialog.no_names.setChecked(True)
    shown = [line.pair.case_id for line in dialog.table.lines if line.pair is not None]
    qtbot.mouseClick(dialog.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: dialog._words.text().startswith("Done"))
    assert [line.pair.case_id for line in dialog.table.lines if line.pair is not None] == shown
    assert not [state for state in states(dialog) if state == "Waiting"]
    for path in (tmp_path / "out").iterdir():
        for case_id in shown:
            assert case_id not in path.name and case_id.encode() not in path.read_bytes(), path.name
    ids = [row["case_id"] for row in json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8"))]
    assert len(ids) == len(shown) and all(case_id.startswith("case-") for case_id in ids)
