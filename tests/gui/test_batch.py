"""A batch in the dialog: found, run, cancelled, with one bad pair, with the window in use meanwhile."""

import csv
import json
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from her2viewer.gui.app import App
from her2viewer.gui.batch.dialog import BatchDialog
from her2viewer.gui.batch.table import PAIR_ROLE, SORT_ROLE, BatchTable
from her2viewer.gui.state import ScorePhase
from her2viewer.scoring.stains import Stain

from .conftest import FakeScorer, opened, tissue, write


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


def test_closing_the_window_ends_a_batch(app: App, dialog: BatchDialog, qtbot: QtBot, scorer: FakeScorer) -> None:
    dialog.start.click()
    qtbot.waitUntil(scorer.started.is_set)
    app.window.close()
    assert not dialog.isVisible()


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
    assert table.index(0, 3).data(SORT_ROLE) == float("inf")


def test_export_of_a_case_opened_from_the_list_needs_a_score(app: App, qtbot: QtBot, pair: tuple[Path, Path]) -> None:
    opened(app, qtbot, pair)
    app.desk.export()
    assert app.store.state.exporting is None
