"""A grid of fields over a region in the real window: live, paused, cancelled, resumed, retried."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from her2viewer.cases.score_map import NOT_A_CASE_SCORE, CellState
from her2viewer.cases.shape import Shape
from her2viewer.errors import ImageError
from her2viewer.gui.actions.ids import ActionId as Id
from her2viewer.gui.app import App
from her2viewer.gui.fields.files import MAP_FILTER
from her2viewer.gui.fields.map_file import read_any_map
from her2viewer.gui.fields.resolve import duration, progress_words, resolve_fields
from her2viewer.gui.fields.state import GridRun, GridWish, RunPhase, cell_key
from her2viewer.gui.fields.table import Column
from her2viewer.gui.resolve.score import resolve_score
from her2viewer.gui.state import ScorePhase
from her2viewer.scoring.stains import Stain

from ..conftest import FakeScorer, opened, tissue, write
from .conftest import BROKEN, NO_TISSUE, Hand, map_of

SHIFT = Qt.KeyboardModifier.ShiftModifier


def push(hand: Hand, name: str) -> None:
    hand.follow()
    button = hand.app.window.fields_panel.findChild(QPushButton, name)
    hand.qtbot.waitUntil(lambda: not button.isHidden() and button.isEnabled())
    hand.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def done(hand: Hand) -> int:
    score_map = hand.fields.score_map
    return len(score_map.cells) - len(score_map.waiting) if score_map is not None else 0


class Step:
    """Lets the scorer do one field at a time."""

    def __init__(self, scorer: FakeScorer) -> None:
        self.scorer = scorer
        self.turn = threading.Semaphore(0)
        self.scorer.gate = self  # type: ignore[assignment]

    def wait(self, timeout: float) -> bool:
        return self.turn.acquire(timeout=timeout)

    def set(self) -> None:
        self.turn.release(10_000)


def test_a_grid_over_the_image_by_key(hand: Hand, scorer: FakeScorer) -> None:
    hand.app.store.change(fields=replace(hand.fields, grid=GridWish(64)))
    hand.shortcut(Qt.Key.Key_T)
    score_map = hand.grid_done()
    assert len(score_map.cells) == 16
    assert scorer.scored == 16
    hand.follow()
    panel = hand.app.window.fields_panel
    assert panel._not_a_case_score.text() == NOT_A_CASE_SCORE
    assert not panel._not_a_case_score.isHidden()
    counts = score_map.figures().counts
    assert [one.count for one in panel._bars._shares] == list(counts.values())
    assert sum(one.share or 0 for one in panel._bars._shares) == pytest.approx(1)
    assert panel.listing.table.rowCount() == 16


def test_a_grid_in_a_drawn_region_holds_the_cells_whose_centre_is_inside(hand: Hand) -> None:
    hand.room.editor.add(Shape.ellipse(20, 20, 200, 160))
    hand.app.store.change(fields=replace(hand.fields, grid=GridWish(32)))
    hand.choose((120, 100), "gridHere")
    score_map = hand.grid_done()
    region = hand.only.shape
    assert 10 < len(score_map.cells) < 35
    for cell in score_map.cells:
        assert region.contains(cell.field.x + cell.field.width / 2, cell.field.y + cell.field.height / 2)
    assert min(cell.share for cell in score_map.cells) < 1


def test_live_pause_resume_cancel_and_on_again(hand: Hand, scorer: FakeScorer) -> None:
    step = Step(scorer)
    hand.grid(64)
    hand.qtbot.waitUntil(lambda: hand.fields.run.phase is RunPhase.RUNNING)
    assert done(hand) == 0
    step.turn.release(3)
    hand.qtbot.waitUntil(lambda: done(hand) == 3)  # each as it comes
    hand.follow()
    assert "3 of 16 fields" in hand.app.window.fields_panel._progress_words.text()
    push(hand, "pauseButton")
    step.turn.release(1)  # the one under way is finished
    hand.qtbot.waitUntil(lambda: done(hand) == 4)
    hand.qtbot.waitUntil(lambda: not hand.app.lanes.inference.busy)
    assert hand.fields.run.phase is RunPhase.PAUSED
    push(hand, "resumeButton")
    hand.qtbot.waitUntil(lambda: hand.app.lanes.inference.busy)
    step.turn.release(2)
    hand.qtbot.waitUntil(lambda: done(hand) == 6)
    push(hand, "stopButton")
    assert hand.fields.run.phase is RunPhase.STOPPED
    step.turn.release(1)  # what was under way is not waited for
    hand.qtbot.waitUntil(lambda: not hand.app.lanes.inference.busy)
    assert done(hand) == 6
    kept = hand.fields.score_map
    push(hand, "resumeButton")
    step.set()
    score_map = hand.grid_done()
    assert score_map.waiting == ()
    assert kept is not None
    assert all(
        before is None or after is before for before, after in zip(kept.outcomes, score_map.outcomes, strict=True)
    )


def test_what_the_user_asks_for_goes_in_between(hand: Hand, scorer: FakeScorer) -> None:
    step = Step(scorer)
    hand.grid(32)
    hand.qtbot.waitUntil(lambda: hand.fields.run.phase is RunPhase.RUNNING and hand.app.lanes.inference.busy)
    hand.app.scoring.score()
    while hand.app.store.state.scoring.phase is not ScorePhase.SCORED:
        step.turn.release()
        hand.qtbot.wait(5)
    assert done(hand) <= 8  # and not after the 64
    step.set()
    hand.grid_done()


def test_cells_without_tissue_or_in_trouble_cost_themselves_alone(hand: Hand, scorer: FakeScorer) -> None:
    step = Step(scorer)
    hand.grid(64)
    step.turn.release(2)
    hand.qtbot.waitUntil(lambda: done(hand) == 2)
    scorer.fail = ImageError("the tile cannot be read", remedy="get a fresh copy")
    step.turn.release(1)
    hand.qtbot.waitUntil(lambda: done(hand) == 3)
    scorer.fail = None
    step.set()
    score_map = hand.grid_done()
    states = [score_map.state(index) for index in range(16)]
    assert states.count(CellState.FAILED) == 1
    push(hand, "retryButton")
    hand.qtbot.waitUntil(lambda: hand.fields.score_map is not score_map)
    again = hand.grid_done()
    assert again.figures().failed == 0


def test_a_click_on_a_cell_selects_its_row_and_shows_it_and_a_row_centres_its_cell(hand: Hand) -> None:
    hand.grid(64)
    score_map = hand.grid_done()
    hand.follow()
    panel = hand.app.window.fields_panel
    cell = score_map.cells[6].field
    hand.click((cell.x + 10, cell.y + 10))
    assert hand.fields.selected == cell_key(6)
    hand.follow()
    assert panel.listing.selected == cell_key(6)
    hand.qtbot.waitUntil(lambda: hand.app.store.state.scoring.phase is ScorePhase.SCORED)
    shown = resolve_score(hand.app.store.state)
    assert shown.subject == "Row 2, column 3"
    assert shown.prediction is not None
    assert shown.prediction.score == score_map.score(6).score
    hand.view().zoom_at(3.0)
    place = panel.listing.table.place(cell_key(13))
    assert place is not None
    index = panel.listing.table.index(place, Column.NAME)
    panel.listing._view.scrollTo(index)
    hand.qtbot.mouseClick(
        panel.listing._view.viewport(), Qt.MouseButton.LeftButton, pos=panel.listing._view.visualRect(index).center()
    )
    assert hand.fields.selected == cell_key(13)
    target = score_map.cells[13].field
    viewpoint = hand.view().viewpoint
    assert (viewpoint.x, viewpoint.y) == pytest.approx((target.x + 32, target.y + 32), abs=0.5)
    hand.qtbot.waitUntil(lambda: resolve_score(hand.app.store.state).subject == "Row 4, column 2")


def test_no_more_than_a_grid_can_hold_is_laid(hand: Hand) -> None:
    hand.app.store.change(fields=replace(hand.fields, grid=GridWish(1)))
    hand.room.start_grid()
    hand.qtbot.waitUntil(lambda: "at most 20,000" in hand.app.window.messages.text)
    assert hand.fields.run.phase is RunPhase.NONE
    assert hand.fields.score_map is None


def test_another_pair_takes_the_map_and_its_run_away(
    hand: Hand, scorer: FakeScorer, other_pair: tuple[Path, Path]
) -> None:
    step = Step(scorer)
    hand.grid(32)
    hand.qtbot.waitUntil(lambda: hand.app.lanes.inference.busy)
    opened(hand.app, hand.qtbot, other_pair)
    assert hand.fields.score_map is None
    assert hand.fields.run.phase is RunPhase.NONE
    step.set()
    hand.qtbot.waitUntil(lambda: not hand.app.lanes.inference.busy)
    assert hand.fields.score_map is None


def test_another_alignment_stops_the_run_and_resume_says_why(hand: Hand, scorer: FakeScorer) -> None:
    from her2viewer.imaging.affine import Affine
    from her2viewer.imaging.alignment import Alignment

    step = Step(scorer)
    hand.grid(32)
    step.turn.release(2)
    hand.qtbot.waitUntil(lambda: done(hand) == 2)
    registration = hand.app.store.state.registration
    moved = Alignment(Affine.similarity(shift=(5, 5)), None, "by hand")
    hand.app.store.change(registration=replace(registration, alignment=moved))
    hand.qtbot.waitUntil(lambda: hand.fields.run.phase is RunPhase.STOPPED)
    assert "alignment has changed" in hand.app.window.messages.text
    step.set()
    push(hand, "resumeButton")
    hand.qtbot.waitUntil(lambda: "another alignment" in hand.app.window.messages.text)
    assert hand.fields.run.phase is RunPhase.STOPPED
    assert done(hand) == 2


def test_a_removed_map_can_be_brought_back(hand: Hand) -> None:
    hand.grid(64)
    score_map = hand.grid_done()
    hand.room.grid.remove()
    assert hand.fields.score_map is None
    hand.app.window.messages._on_remedy()
    assert hand.fields.score_map is score_map


def test_closing_in_the_middle_of_a_run(hand: Hand, scorer: FakeScorer) -> None:
    hand.grid(16)
    hand.qtbot.waitUntil(lambda: done(hand) > 1)
    hand.app.window.close()
    assert not hand.app.lanes.inference.busy


def test_words_of_progress(hand: Hand) -> None:
    assert [duration(seconds) for seconds in (0.2, 59, 61, 200, 7_500)] == [
        "1 s",
        "59 s",
        "1 min",
        "3 min",
        "2 h 5 min",
    ]
    waiting = replace(map_of(4, 4), outcomes=(NO_TISSUE, BROKEN) + (None,) * 14)
    fields = replace(hand.fields, score_map=waiting, run=GridRun(RunPhase.RUNNING, 2.0))
    assert progress_words(fields) == "2 of 16 fields, 2.0 a second, 7 s left"
    shown = resolve_fields(replace(hand.app.store.state, fields=replace(fields, run=GridRun(RunPhase.PAUSED))))
    assert shown.progress == "2 of 16 fields, paused"
    assert shown.can_resume and shown.can_retry and not shown.can_pause
    assert any("1 without tissue" in words for words in shown.sentences)


def test_the_pause_key(hand: Hand, scorer: FakeScorer) -> None:
    step = Step(scorer)
    hand.grid(64)
    hand.qtbot.waitUntil(lambda: hand.app.lanes.inference.busy)
    hand.shortcut(Qt.Key.Key_T, SHIFT)
    assert hand.fields.run.phase is RunPhase.PAUSED
    assert hand.app.window.actions_[Id.PAUSE_GRID].isEnabled()
    step.set()
    hand.shortcut(Qt.Key.Key_T, SHIFT)
    hand.grid_done()


def test_threshold_leaves_cells_out_of_the_shares(hand: Hand, qtbot: QtBot) -> None:
    score_map = map_of(8, 8)
    hand.app.store.change(fields=replace(hand.fields, score_map=score_map, run=GridRun(RunPhase.DONE)))
    hand.follow()
    panel = hand.app.window.fields_panel
    before = sum(one.count for one in panel._bars._shares)
    panel.threshold.slider.setValue(70)
    hand.follow()
    assert sum(one.count for one in panel._bars._shares) == score_map.figures(0.7).counted < before
    assert "below a probability of 70%" in panel._sentences.text()


def test_glass_of_the_ihc_is_found_by_the_ihc_itself(
    app: App, qtbot: QtBot, tmp_path: Path, scorer: FakeScorer
) -> None:
    """Where the H&E is not aligned it may show tissue beside bare glass of the IHC."""
    ihc = tissue(2, stain=Stain.IHC)
    ihc[:, :128] = 240
    pair = write(tmp_path / "a_HE.png", tissue(1)), write(tmp_path / "a_IHC.png", ihc)
    opened(app, qtbot, pair)
    hand = Hand(app, qtbot)
    hand.grid(64)
    score_map = hand.grid_done()
    for index, cell in enumerate(score_map.cells):
        expected = CellState.NO_TISSUE if cell.field.x < 128 else CellState.SCORED
        assert score_map.state(index) is expected, cell
    assert "The IHC image holds hardly any tissue" in score_map.outcomes[0].reason  # type: ignore[union-attr]


def test_a_grid_hashes_no_file_before_it_is_saved(hand: Hand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slide is read from end to end for its hash; a grid begins, pauses and goes on without."""
    hashed = []
    source = type(hand.app.store.state.pair[0].source)  # type: ignore[index]
    told = property(lambda self: hashed.append(self.path.name) or "0" * 64)
    monkeypatch.setattr(source, "sha256", told, raising=False)
    hand.grid(64)
    hand.room.grid.pause()
    hand.room.grid.resume()
    score_map = hand.grid_done()
    assert hashed == [] and score_map.basis.images == {}
    hand.room.files.ask_save = lambda *_: (tmp_path / "a", MAP_FILTER)  # type: ignore[assignment]
    hand.room.files.save_map()
    hand.qtbot.waitUntil(lambda: "Written" in hand.app.window.messages.text)
    assert len(hashed) == 2
    assert set(read_any_map(tmp_path / "a.scoremap.json").basis.images) == set(Stain)
