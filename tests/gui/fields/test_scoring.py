"""Scoring fields by click, key and menu; what the panels then speak of, and the way back."""

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from her2viewer.gui.actions.ids import ActionId as Id
from her2viewer.gui.fields.evidence_keep import EvidenceKeep
from her2viewer.gui.fields.state import GridWish
from her2viewer.gui.resolve.score import resolve_score
from her2viewer.gui.state import ScorePhase
from her2viewer.imaging.affine import Affine
from her2viewer.imaging.alignment import Alignment
from her2viewer.scoring.prediction import FieldOfView
from her2viewer.scoring.stains import Stain

from ..conftest import FakeScorer
from .conftest import Hand

Key = Qt.Key
SHIFT = Qt.KeyboardModifier.ShiftModifier


def scored(hand: Hand) -> None:
    hand.qtbot.waitUntil(lambda: hand.app.store.state.scoring.phase is ScorePhase.SCORED)


def test_score_here_draws_a_field_of_the_size_that_is_set_and_scores_it(hand: Hand) -> None:
    hand.app.store.change(fields=replace(hand.fields, grid=GridWish(96)))
    hand.choose((128, 100), "scoreHere")
    scored(hand)
    box = hand.only.shape.bounds
    assert (box.width, box.height) == (96, 96)
    assert (box.x + 48, box.y + 48) == pytest.approx((128, 100), abs=1.5)
    score = hand.only.score
    assert score is not None
    assert score.field == box
    shown = resolve_score(hand.app.store.state)
    assert shown.subject == "Field 1"
    assert hand.app.window.score_panel._subject.text() == "Field 1"
    prediction = shown.prediction
    assert prediction is not None
    assert prediction.fields[Stain.IHC] == box
    assert prediction.score == score.score


def test_without_a_size_a_field_is_the_models_and_stays_on_the_image(hand: Hand) -> None:
    hand.choose((10, 250), "scoreHere", Stain.HE)
    scored(hand)
    box = hand.only.shape.bounds
    assert (box.x, box.y, box.width, box.height) == (0, 0, 256, 256)  # 1,024 px do not fit


def test_the_map_lies_over_that_field_only(hand: Hand) -> None:
    hand.add(40, 50, 80, 60)
    hand.shortcut(Key.Key_S, SHIFT)
    scored(hand)
    hand.qtbot.waitUntil(lambda: hand.app.store.state.drawn.attribution is not None)
    attribution = hand.app.store.state.drawn.attribution
    assert attribution is not None
    whole = FieldOfView(0, 0, 256, 256)
    values = attribution.render(Stain.IHC, whole, (256, 256))
    outside = values.copy()
    outside[50:110, 40:120] = 0
    assert abs(values).max() > 0
    assert abs(outside).max() == 0


def test_double_click_scores_and_the_whole_image_comes_back(hand: Hand, scorer: FakeScorer) -> None:
    hand.app.scoring.score()
    scored(hand)
    whole = hand.app.store.state.scoring.evidence
    hand.add()
    hand.room.editor.select(None)
    before = hand.view().viewpoint
    hand.double_click((80, 80))
    hand.qtbot.waitUntil(lambda: hand.only.score is not None)
    assert hand.view().viewpoint == before
    assert hand.app.store.state.scoring.key == hand.only.id
    button = hand.app.window.score_panel.findChild(QPushButton, "wholeButton")
    assert not button.isHidden()
    hand.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert hand.app.store.state.scoring.evidence is whole
    assert resolve_score(hand.app.store.state).subject == ""
    assert button.parent().isHidden()
    count = scorer.scored
    hand.click((80, 80))  # its evidence is at hand
    assert resolve_score(hand.app.store.state).subject == "Field 1"
    assert scorer.scored == count
    hand.shortcut(Key.Key_Backspace)
    assert hand.app.store.state.scoring.evidence is whole


def test_evidence_that_is_gone_is_computed_again(hand: Hand, scorer: FakeScorer) -> None:
    hand.add()
    hand.room.scoring.score()
    hand.qtbot.waitUntil(lambda: hand.only.score is not None)
    hand.room.scoring.show_whole()
    assert hand.app.store.state.scoring.phase is ScorePhase.NONE
    hand.room.scoring._kept.clear()
    count = scorer.scored
    hand.room.scoring.show(hand.only.id)
    scored(hand)
    assert scorer.scored == count + 1
    assert hand.app.store.state.scoring.key == hand.only.id


def test_what_is_kept_has_a_bound(hand: Hand) -> None:
    hand.add()
    hand.room.scoring.score()
    scored(hand)
    evidence = hand.app.store.state.scoring.evidence
    assert evidence is not None
    size = evidence.network_input.nbytes + evidence.class_maps.nbytes
    keep = EvidenceKeep(most_bytes=3 * size)
    fields = [FieldOfView(x, 0, 10, 10) for x in range(5)]
    for field in fields:
        keep.put(field, evidence)
        keep.get(fields[0])  # looked at again and again
    assert len(keep) == 3
    assert keep.bytes == 3 * size
    assert [keep.get(field) is not None for field in fields] == [True, False, False, True, True]


def test_a_move_takes_the_score_and_undo_brings_it_back(hand: Hand) -> None:
    hand.add()
    hand.room.scoring.score()
    hand.qtbot.waitUntil(lambda: hand.only.score is not None)
    before = hand.only.score
    hand.key(Key.Key_Right)
    assert hand.only.score is None
    hand.room.editor.undo()
    assert hand.only.score == before


def test_a_field_too_small_to_score_is_said_in_the_panel(hand: Hand, scorer: FakeScorer) -> None:
    from her2viewer.errors import ImageError

    hand.add(40, 50, 10, 10)
    scorer.fail = ImageError("the IHC image is 10 x 10 pixels, too small to score", remedy="open a larger field")
    hand.room.scoring.score()
    hand.qtbot.waitUntil(lambda: hand.app.store.state.scoring.phase is ScorePhase.FAILED)
    shown = resolve_score(hand.app.store.state)
    assert "too small" in shown.text
    assert shown.subject == "Field 1"


def test_a_turned_he_is_read_where_it_lies(hand: Hand) -> None:
    state = hand.app.store.state
    alignment = Alignment(Affine.similarity(degrees=10, about=(128, 128)), None, "automatic")
    hand.app.store.change(registration=replace(state.registration, alignment=alignment))
    hand.add(100, 100, 64, 64)
    hand.room.scoring.score()
    hand.qtbot.waitUntil(lambda: hand.only.score is not None)
    evidence = hand.app.store.state.scoring.evidence
    assert evidence is not None
    he = evidence.prediction.fields[Stain.HE]
    assert he.frame is not None and not he.frame.is_upright
    assert hand.app.store.state.scoring.alignment == alignment


def test_cancel_leaves_the_field_unscored(hand: Hand, scorer: FakeScorer) -> None:
    scorer.gate.clear()
    hand.add()
    hand.room.scoring.score()
    hand.qtbot.waitUntil(scorer.started.is_set)
    hand.app.cancel()
    scorer.gate.set()
    hand.qtbot.waitUntil(lambda: not hand.app.lanes.inference.busy)
    assert hand.app.store.state.scoring.phase is ScorePhase.CANCELLED
    assert hand.only.score is None


def test_the_menu_of_a_right_click(hand: Hand, qtbot: QtBot, guide_picture) -> None:
    hand.add()
    menu = hand.menu((80, 80))
    texts = [action.text() for action in menu.actions() if not action.isSeparator()]
    assert texts == [
        "Score here",
        "Score Field 1",
        "Grid of fields in Field 1...",
        "Rename Field 1",
        "Delete Field 1",
        "Copy position",
    ]
    menu.close()
    hand.choose((80, 80), "copyPosition")
    assert QGuiApplication.clipboard().text().startswith("IHC HER2 ")
    hand.choose((80, 80), "deleteField")
    assert len(hand.fields.annotations) == 0
    menu = hand.menu((80, 80))
    names = {action.objectName() for action in menu.actions()}
    menu.close()
    assert "deleteField" not in names
    assert "gridHere" in names


def test_actions_follow_what_can_be_done(hand: Hand) -> None:
    actions = hand.app.window.actions_
    assert not actions[Id.SCORE_FIELD].isEnabled()
    assert not actions[Id.WHOLE_IMAGE].isEnabled()
    hand.add()
    assert actions[Id.SCORE_FIELD].isEnabled()
    hand.room.scoring.score()
    hand.qtbot.waitUntil(lambda: actions[Id.WHOLE_IMAGE].isEnabled())
