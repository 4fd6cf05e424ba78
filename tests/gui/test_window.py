"""The main job in a real window, by clicks and keys."""

import json
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QGuiApplication
from PySide6.QtWidgets import QComboBox, QPushButton
from pytestqt.qtbot import QtBot

from her2viewer import RESEARCH_USE
from her2viewer.errors import ImageError, PackageError
from her2viewer.export.overlay import OverlayStyle
from her2viewer.gui.actions.ids import ActionId
from her2viewer.gui.app import App
from her2viewer.gui.controllers.exporting import ExportWish
from her2viewer.gui.resolve.map import resolve_explain
from her2viewer.gui.resolve.score import ScoreFace, resolve_score
from her2viewer.gui.settings import Settings
from her2viewer.gui.state import MapWish, ModelPhase, ScorePhase
from her2viewer.gui.theme import ThemeChoice
from her2viewer.scoring.methods import MapRequest
from her2viewer.scoring.stains import Stain

from .conftest import AppMaker, FakeScorer, opened, tissue, write
from .test_pane import pixels_of

Key = Qt.Key


def press(app: App, qtbot: QtBot, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    qtbot.keyClick(app.window, key, modifier)


def look(app: App, stain: Stain = Stain.IHC) -> np.ndarray:
    return pixels_of(app.window.panes[stain].view.viewport().grab().toImage())


def drop(app: App, stain: Stain, files: list[Path]) -> None:
    pane = app.window.panes[stain]
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(file)) for file in files])
    copy, left = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    none = Qt.KeyboardModifier.NoModifier
    pane.dropEvent(QDropEvent(QPointF(50, 50), copy, data, left, none))


def test_open_score_explain_by_keys(app: App, qtbot: QtBot, pair: tuple[Path, Path]) -> None:
    assert resolve_score(app.store.state).face is ScoreFace.EMPTY
    opened(app, qtbot, pair)
    assert resolve_score(app.store.state).face is ScoreFace.READY
    press(app, qtbot, Key.Key_S)
    qtbot.waitUntil(lambda: app.store.state.scoring.phase is ScorePhase.SCORED)
    evidence = app.store.state.scoring.evidence
    assert evidence is not None
    panel = app.window.score_panel
    assert panel._score.text() == evidence.prediction.score
    assert panel._kind.text() == "Field-level prediction"
    assert app.window.status_line._research.text() == RESEARCH_USE
    qtbot.waitUntil(lambda: app.store.state.drawn.attribution is not None)
    before = look(app)
    for _ in range(3):
        press(app, qtbot, Key.Key_BracketRight)
    assert app.store.state.style.opacity == pytest.approx(0.9)
    assert not np.array_equal(before, look(app))
    press(app, qtbot, Key.Key_Period)
    assert app.store.state.target != evidence.prediction.score


def test_score_button_and_class_buttons(app: App, qtbot: QtBot, pair: tuple[Path, Path]) -> None:
    opened(app, qtbot, pair)
    qtbot.mouseClick(app.window.score_panel._button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: app.store.state.scoring.phase is ScorePhase.SCORED)
    for name in ("1+", "2+", "3+"):
        button = app.window.explain_panel.findChild(QPushButton, f"class_{name}")
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        assert app.store.state.target == name
        qtbot.waitUntil(lambda: not app.store.state.drawn.pending)
        drawn = app.store.state.drawn.attribution
        assert drawn is not None and drawn.target == name
        assert button.isChecked()


def test_a_map_without_positive_evidence_is_said(scored_app: App) -> None:
    scored_app.set_map("0", "layer4")
    legend = resolve_explain(scored_app.store.state).legend
    assert "No positive evidence for 0" in legend.note
    assert legend.top is None


def test_opacity_slider_changes_the_picture_and_not_the_worker(
    scored_app: App, qtbot: QtBot, scorer: FakeScorer
) -> None:
    scored_app.set_map("1+", "layer4")
    scorer.gate.clear()  # a worker that was asked for anything would wait for ever
    before = look(scored_app)
    scored_app.window.explain_panel.opacity.slider.setValue(95)
    more = look(scored_app)
    scored_app.window.explain_panel.threshold.slider.setValue(70)
    less = look(scored_app)
    assert not np.array_equal(before, more)
    assert not np.array_equal(more, less)
    assert not scored_app.lanes.inference.busy
    assert scored_app.store.state.style == OverlayStyle(0.95, 0.7)


def test_other_stages_are_computed_in_the_worker_and_kept(scored_app: App, qtbot: QtBot, scorer: FakeScorer) -> None:
    scorer.gate.clear()
    scored_app.set_map("2+", "layer2")
    assert scored_app.store.state.drawn.pending
    assert scored_app.window.status_line._doing.text() == "Computing the map"
    scorer.gate.set()
    qtbot.waitUntil(lambda: not scored_app.store.state.drawn.pending)
    drawn = scored_app.store.state.drawn.attribution
    assert drawn is not None and drawn.values.shape == (28, 28)
    scored_app.set_map("2+", "layer4")
    scored_app.set_map("2+", "layer2")
    assert scored_app.store.state.drawn.attribution is drawn


def test_the_panel_asks_for_method_and_comparison(scored_app: App, qtbot: QtBot) -> None:
    panel, store = scored_app.window.explain_panel, scored_app.store
    scored_app.set_map("2+", "layer4")

    def choose(name: str, data: object) -> None:
        box = panel.findChild(QComboBox, name)
        qtbot.waitUntil(box.isEnabled)
        box.setCurrentIndex(box.findData(data))
        box.activated.emit(box.currentIndex())
        qtbot.waitUntil(lambda: not store.state.drawn.pending)

    def offered(name: str) -> list[object]:
        box = panel.findChild(QComboBox, name)
        return [box.itemData(index) for index in range(box.count())]

    assert offered("why_not") == [None, "0", "1+", "3+"]
    choose("why_not", "1+")
    choose("method", "LayerCAM")
    choose("stage", "fused")
    drawn = store.state.drawn.attribution
    assert drawn is not None and drawn.request == MapRequest("2+", "fused", "LayerCAM", against="1+")
    choose("method", "Occlusion")
    assert offered("stage") == ["input"]
    assert not panel.findChild(QComboBox, "stage").isEnabled()
    choose("why_not", None)
    choose("method", "Grad-CAM")
    drawn = store.state.drawn.attribution
    assert drawn is not None and drawn.request == MapRequest("2+", "fused"), "the stage wished for is kept"
    assert panel.findChild(QComboBox, "why_not").currentText() == "No comparison"


def test_a_slow_map_shows_how_far_it_is_and_can_be_cancelled(scored_app: App, qtbot: QtBot, scorer: FakeScorer) -> None:
    scored_app.set_map("2+", "layer4")
    before = scored_app.store.state.drawn.attribution
    scorer.gate.clear()
    scored_app.set_map("2+", "layer4", "Score-CAM")
    qtbot.waitUntil(lambda: scored_app.store.state.drawn.progress.total == 4)
    assert scored_app.store.state.drawn.attribution is before, "the map at hand stays until the other is there"
    press(scored_app, qtbot, Key.Key_Escape)
    assert not scored_app.store.state.drawn.pending
    assert scored_app.store.state.wish == MapWish("2+", "layer4", "Grad-CAM")
    qtbot.waitUntil(lambda: not scored_app.lanes.inference.busy)  # the gate is still closed: it was the token
    assert scored_app.store.state.drawn.attribution is before


def test_space_held_looks_beneath(scored_app: App, qtbot: QtBot) -> None:
    scored_app.set_map("1+", "layer4")
    with_map = look(scored_app)
    qtbot.keyPress(scored_app.window, Key.Key_Space)
    beneath = look(scored_app)
    qtbot.keyRelease(scored_app.window, Key.Key_Space)
    assert not np.array_equal(with_map, beneath)
    assert np.array_equal(with_map, look(scored_app))
    press(scored_app, qtbot, Key.Key_O)
    assert np.array_equal(beneath, look(scored_app))


def test_space_on_the_tissue_reaches_the_window(scored_app: App, qtbot: QtBot) -> None:
    view = scored_app.window.panes[Stain.HE].view
    qtbot.keyPress(view, Key.Key_Space)
    assert scored_app.store.state.overlay_held_away
    qtbot.keyRelease(view, Key.Key_Space)
    assert not scored_app.store.state.overlay_held_away


def test_cancel_stops_scoring(app: App, qtbot: QtBot, pair: tuple[Path, Path], scorer: FakeScorer) -> None:
    opened(app, qtbot, pair)
    scorer.gate.clear()
    press(app, qtbot, Key.Key_S)
    qtbot.waitUntil(scorer.started.is_set)
    begun = time.perf_counter()
    press(app, qtbot, Key.Key_Escape)
    assert app.store.state.scoring.phase is ScorePhase.CANCELLED
    assert time.perf_counter() - begun < 0.5
    scorer.gate.set()
    qtbot.waitUntil(lambda: not app.lanes.inference.busy)
    assert app.store.state.scoring.phase is ScorePhase.CANCELLED
    press(app, qtbot, Key.Key_S)
    qtbot.waitUntil(lambda: app.store.state.scoring.phase is ScorePhase.SCORED)


def test_a_score_of_the_pair_before_is_not_shown(
    app: App, qtbot: QtBot, pair: tuple[Path, Path], other_pair: tuple[Path, Path], scorer: FakeScorer
) -> None:
    opened(app, qtbot, pair)
    scorer.gate.clear()
    app.scoring.score()
    qtbot.waitUntil(scorer.started.is_set)
    opened(app, qtbot, other_pair)
    scorer.gate.set()
    qtbot.waitUntil(lambda: not app.lanes.inference.busy)
    assert app.store.state.scoring.phase is ScorePhase.NONE
    assert app.store.state.drawn.attribution is None


def test_failing_score_says_so_and_the_next_works(
    app: App, qtbot: QtBot, pair: tuple[Path, Path], scorer: FakeScorer
) -> None:
    opened(app, qtbot, pair)
    scorer.fail = ImageError("the H&E image is 1 x 1 pixels, too small to score", remedy="open a larger field")
    app.scoring.score()
    qtbot.waitUntil(lambda: app.store.state.scoring.phase is ScorePhase.FAILED)
    assert "too small to score" in app.window.score_panel._text.text()
    scorer.fail = None
    app.scoring.score()
    qtbot.waitUntil(lambda: app.store.state.scoring.phase is ScorePhase.SCORED)


def test_score_can_be_asked_for_before_the_model_is_there(
    make_app: AppMaker, qtbot: QtBot, pair: tuple[Path, Path], scorer: FakeScorer
) -> None:
    app = make_app()
    app.images.open({Stain.HE: pair[0], Stain.IHC: pair[1]})
    qtbot.waitUntil(lambda: app.store.state.pair is not None)
    app.scoring.score()
    qtbot.waitUntil(lambda: app.store.state.scoring.phase is ScorePhase.SCORED)


def test_no_model_is_said_and_images_are_still_seen(
    make_app: AppMaker, qtbot: QtBot, pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app()

    def refuse(_wish: object) -> None:
        raise PackageError("no model ships with this copy", remedy="name a model package")

    app.bench._loader = refuse  # type: ignore[assignment]
    app.scoring.load_model(app.settings.model)
    qtbot.waitUntil(lambda: app.store.state.model.phase is ModelPhase.FAILED)
    opened(app, qtbot, pair)
    assert "no model ships" in app.window.score_panel._text.text()
    assert not app.window.actions_[ActionId.SCORE].isEnabled()
    press(app, qtbot, Key.Key_S)
    assert app.store.state.scoring.phase is ScorePhase.NONE


def test_drop_one_file_fills_that_pane(app: App, qtbot: QtBot, pair: tuple[Path, Path]) -> None:
    drop(app, Stain.IHC, [pair[1]])
    qtbot.waitUntil(lambda: app.store.state.image(Stain.IHC) is not None)
    assert app.store.state.image(Stain.HE) is None
    assert "Open the H&E image" in resolve_score(app.store.state).text


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_drop_two_files_in_any_order(app: App, qtbot: QtBot, pair: tuple[Path, Path], order: tuple[int, int]) -> None:
    drop(app, Stain.HE, [pair[order[0]], pair[order[1]]])
    qtbot.waitUntil(lambda: app.store.state.pair is not None)
    assert tuple(image.source.path for image in app.store.state.pair or ()) == pair
    assert app.window.messages.text == ""


def test_drop_two_files_of_unknown_stain_offers_to_swap(app: App, qtbot: QtBot, tmp_path: Path) -> None:
    a, b = write(tmp_path / "x" / "a.png", tissue(1)), write(tmp_path / "x" / "b.png", tissue(2))
    drop(app, Stain.HE, [a, b])
    qtbot.waitUntil(lambda: app.store.state.pair is not None)
    assert "first is taken as H&E" in app.window.messages.text
    qtbot.mouseClick(app.window.messages._remedy, Qt.MouseButton.LeftButton)
    pair = app.store.state.pair
    assert pair is not None and pair[0].source.path == b
    assert app.window.messages.text == ""


def test_drop_three_files_is_refused_in_words(app: App, pair: tuple[Path, Path]) -> None:
    drop(app, Stain.HE, [*pair, pair[0]])
    assert "3 files cannot be one pair" in app.window.messages.text


def test_swap_by_key(scored_app: App, qtbot: QtBot, pair: tuple[Path, Path]) -> None:
    press(scored_app, qtbot, Key.Key_X)
    swapped = scored_app.store.state.pair
    assert swapped is not None and swapped[0].source.path == pair[1]
    assert scored_app.store.state.scoring.phase is ScorePhase.NONE
    assert scored_app.window.panes[Stain.HE]._name.text() == pair[1].name


@pytest.mark.parametrize("fault", ["missing", "text", "empty", "truncated", "folder"])
def test_bad_files_are_said_and_nothing_is_lost(
    scored_app: App, qtbot: QtBot, pair: tuple[Path, Path], tmp_path: Path, fault: str
) -> None:
    bad = tmp_path / "bad.png"
    if fault == "text":
        bad.write_text("not an image")
    elif fault == "empty":
        bad.touch()
    elif fault == "truncated":
        bad.write_bytes(pair[0].read_bytes()[:2000])
    elif fault == "folder":
        bad.mkdir()
    scored_app.images.open({Stain.HE: pair[0], Stain.IHC: bad})
    qtbot.waitUntil(lambda: "bad.png" in scored_app.window.messages.text)
    assert scored_app.store.state.scoring.phase is ScorePhase.SCORED
    assert tuple(image.source.path for image in scored_app.store.state.pair or ()) == pair
    qtbot.keyClick(
        scored_app.window, Key.Key_C, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    )
    assert QGuiApplication.clipboard().text() == scored_app.window.messages.text


def test_a_bad_file_in_an_empty_window_stands_in_its_pane(app: App, qtbot: QtBot, pair: tuple[Path, Path]) -> None:
    app.images.open({Stain.HE: pair[0], Stain.IHC: pair[1].with_name("nowhere.png")})
    qtbot.waitUntil(lambda: app.store.state.image(Stain.HE) is not None)
    assert "nowhere.png: there is no such file" in app.window.panes[Stain.IHC]._empty._text.text()


def test_the_same_picture_twice_is_refused(app: App, qtbot: QtBot, pair: tuple[Path, Path], tmp_path: Path) -> None:
    copy = tmp_path / "copy.png"
    copy.write_bytes(pair[0].read_bytes())
    opened(app, qtbot, pair)
    app.images.open({Stain.IHC: copy})
    qtbot.waitUntil(lambda: "same picture" in app.window.messages.text)
    assert tuple(image.source.path for image in app.store.state.pair or ()) == pair


def test_of_two_openings_in_a_row_the_last_counts(
    app: App, qtbot: QtBot, pair: tuple[Path, Path], other_pair: tuple[Path, Path]
) -> None:
    app.images.open({Stain.HE: pair[0], Stain.IHC: pair[1]})
    opened(app, qtbot, other_pair)
    qtbot.waitUntil(lambda: not app.lanes.files.busy)
    assert tuple(image.source.path for image in app.store.state.pair or ()) == other_pair


def test_zoom_keys_move_both_panes(app: App, qtbot: QtBot, other_pair: tuple[Path, Path]) -> None:
    opened(app, qtbot, other_pair)
    views = [app.window.panes[stain].view for stain in Stain]
    press(app, qtbot, Key.Key_1, Qt.KeyboardModifier.ControlModifier)
    assert app.window.active_pane().view.viewpoint is not None
    assert sorted(round(view.viewpoint.px, 6) for view in views if view.viewpoint)[0] in (1.0, round(2 / 3, 6))
    before = [view.viewpoint for view in views]
    press(app, qtbot, Key.Key_Plus)
    for view, old in zip(views, before, strict=True):
        assert view.viewpoint is not None and old is not None
        assert view.viewpoint.px == pytest.approx(old.px / 2)
    press(app, qtbot, Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    press(app, qtbot, Key.Key_L)
    assert not app.store.state.linked
    press(app, qtbot, Key.Key_F)


def test_wheel_zooms_at_the_mouse_and_drag_moves(app: App, qtbot: QtBot, pair: tuple[Path, Path]) -> None:
    opened(app, qtbot, pair)
    view = app.window.panes[Stain.HE].view
    before = view.viewpoint
    assert before is not None
    start = QPoint(view.width() // 2, view.height() // 2)
    qtbot.mousePress(view.viewport(), Qt.MouseButton.LeftButton, pos=start)
    for step in range(1, 6):
        qtbot.mouseMove(view.viewport(), start + QPoint(12 * step, 6 * step))
    qtbot.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=start + QPoint(60, 30))
    view.zoom_at(2.0)
    other = app.window.panes[Stain.IHC].view
    assert view.viewpoint is not None and other.viewpoint is not None
    assert view.viewpoint.px == pytest.approx(before.px / 2)
    assert other.viewpoint.px == pytest.approx(view.viewpoint.px)


def test_recent_pairs_are_remembered_without_doubles(
    app: App, qtbot: QtBot, pair: tuple[Path, Path], other_pair: tuple[Path, Path], settings: Settings
) -> None:
    for one in (pair, other_pair, pair):
        opened(app, qtbot, one)
    assert settings.recent_pairs == [pair, other_pair]
    assert len(app.window._recent.actions()) == 2
    app.window._recent.actions()[1].trigger()
    qtbot.waitUntil(lambda: tuple(image.source.path for image in app.store.state.pair or ()) == other_pair)


def test_style_and_geometry_outlive_the_window(make_app: AppMaker, qtbot: QtBot, settings: Settings) -> None:
    app = make_app()
    app.set_style(OverlayStyle(0.25, 0.5, fade=False))
    app.choose_theme(ThemeChoice.DARK)
    app.window.close()
    again = make_app()
    assert again.store.state.style == OverlayStyle(0.25, 0.5, fade=False)
    assert again.theme.is_dark
    again.choose_theme(ThemeChoice.SYSTEM)


def test_first_start_opens_the_demo_and_the_second_does_not(
    make_app: AppMaker, qtbot: QtBot, settings: Settings, pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("her2viewer.gui.app.demo_pair", lambda: pair)
    settings.demo_at_start = True
    first = make_app()
    qtbot.waitUntil(lambda: first.store.state.scoring.phase is ScorePhase.SCORED)
    first.window.close()
    second = make_app()
    qtbot.waitUntil(lambda: second.store.state.model.phase is ModelPhase.READY)
    assert second.store.state.pair is None


@pytest.mark.parametrize("moment", range(12))
def test_close_while_busy(
    make_app: AppMaker, qtbot: QtBot, pair: tuple[Path, Path], scorer: FakeScorer, moment: int
) -> None:
    app = make_app()
    app.images.open({Stain.HE: pair[0], Stain.IHC: pair[1]})
    if moment % 3:
        qtbot.waitUntil(lambda: app.store.state.pair is not None)
        if moment % 3 == 2:
            scorer.gate.clear()
            threading.Timer(0.2, scorer.gate.set).start()
        app.scoring.score()
        if moment % 2:
            qtbot.waitUntil(scorer.started.is_set)
    begun = time.perf_counter()
    app.window.close()
    assert time.perf_counter() - begun < 3
    assert not app.window.isVisible()


def test_a_bug_in_the_worker_ends_in_a_report(
    app: App, qtbot: QtBot, pair: tuple[Path, Path], scorer: FakeScorer
) -> None:
    from her2viewer.gui.dialogs.report import ReportDialog

    opened(app, qtbot, pair)
    scorer.fail = ZeroDivisionError("a bug")
    app.scoring.score()
    qtbot.waitUntil(lambda: app.window.findChild(ReportDialog) is not None)
    dialog = app.window.findChild(ReportDialog)
    assert "ZeroDivisionError: a bug" in dialog.report.toPlainText()
    assert app.store.state.scoring.phase is ScorePhase.FAILED
    scorer.fail = None
    app.scoring.score()
    qtbot.waitUntil(lambda: app.store.state.scoring.phase is ScorePhase.SCORED)


@pytest.mark.parametrize("size", [(1, 1), (31, 400), (3000, 8)])
def test_odd_sizes_are_shown_and_can_be_asked_for(
    app: App, qtbot: QtBot, tmp_path: Path, size: tuple[int, int]
) -> None:
    he, ihc = write(tmp_path / "a_HE.png", tissue(1, size)), write(tmp_path / "a_IHC.png", tissue(2, size, Stain.IHC))
    opened(app, qtbot, (he, ihc))
    for key in (Key.Key_Plus, Key.Key_Plus, Key.Key_F):
        press(app, qtbot, key)
    app.scoring.score()
    qtbot.waitUntil(lambda: app.store.state.scoring.phase in (ScorePhase.SCORED, ScorePhase.FAILED))


def test_a_new_image_in_one_pane_is_looked_at_where_the_other_one_is(
    app: App, qtbot: QtBot, pair: tuple[Path, Path], other_pair: tuple[Path, Path]
) -> None:
    opened(app, qtbot, pair)
    press(app, qtbot, Key.Key_Plus)
    drop(app, Stain.IHC, [other_pair[1]])
    qtbot.waitUntil(lambda: app.window.panes[Stain.IHC]._name.text() == other_pair[1].name)
    he, ihc = (app.window.panes[stain].view.viewpoint for stain in Stain)
    assert he is not None and ihc is not None
    assert he.px / 256 == pytest.approx(ihc.px / 480)


def test_the_ihc_alone_is_scored_and_exported(
    app: App, qtbot: QtBot, pair: tuple[Path, Path], tmp_path: Path, scorer: FakeScorer
) -> None:
    app.images.open({Stain.IHC: pair[1]})
    qtbot.waitUntil(lambda: app.store.state.image(Stain.IHC) is not None)
    assert "rests on one stain" in resolve_score(app.store.state).text
    press(app, qtbot, Key.Key_S)
    qtbot.waitUntil(lambda: app.store.state.scoring.phase is ScorePhase.SCORED)
    evidence = app.store.state.scoring.evidence
    assert evidence is not None and set(evidence.prediction.fields) == {Stain.IHC}
    app.exporting.export(ExportWish(tmp_path / "alone.png", tuple(Stain), True, True))
    qtbot.waitUntil(lambda: app.window.messages.text.startswith("Written"))
    result = json.loads((tmp_path / "alone.json").read_text(encoding="utf-8"))
    assert set(result["images"]) == {"ihc"} and set(result["field"]) == {"ihc"}
    # With the H&E it is another question: the score of the IHC alone goes.
    app.images.open({Stain.HE: pair[0]})
    qtbot.waitUntil(lambda: app.store.state.pair is not None)
    assert app.store.state.scoring.phase is ScorePhase.NONE
