"""Registering in a real window: by key, by itself, poorly, stopped, undone, and what it does to link and score."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from her2viewer.export.overlay import OverlayStyle
from her2viewer.gui.actions.ids import ActionId
from her2viewer.gui.app import App
from her2viewer.gui.controllers.exporting import ExportWish
from her2viewer.gui.resolve.score import resolve_score
from her2viewer.gui.state import ScorePhase
from her2viewer.imaging.alignment import Alignment
from her2viewer.scoring.prediction import FieldOfView
from her2viewer.scoring.stains import Stain

from ..conftest import AppMaker, opened, tissue, user_error
from ..test_pane import pixels_of
from .conftest import TURNED, FakeRegister

Key = Qt.Key


def settled(app: App, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: app.store.state.registration.progress is None)


def in_force(app: App) -> Alignment:
    alignment = app.store.state.registration.alignment
    assert alignment is not None
    return alignment


def link_text(app: App) -> str:
    return app.registration.link_button.text()


def test_registered_by_a_key_said_and_undone(aligned_app: App, qtbot: QtBot, register: FakeRegister) -> None:
    app = aligned_app
    assert in_force(app).origin == "assumed" and link_text(app) == "Linked"
    assert not app.window.actions_[ActionId.UNDO_REGISTRATION].isEnabled()
    register.gate.clear()
    qtbot.keyClick(app.window, Key.Key_G)
    assert link_text(app) == "Registering"
    qtbot.waitUntil(lambda: app.window.status_line._doing.text() == "Registering")
    register.gate.set()
    settled(app, qtbot)
    assert in_force(app) is TURNED
    assert link_text(app) == "Linked, registered, 1.9 px"
    assert "1.9 px off" in app.window.messages.text
    he, ihc = (app.window.panes[stain].view.viewpoint for stain in Stain)
    assert he is not None and ihc is not None
    assert he.rotation == pytest.approx(20) and he.px == pytest.approx(ihc.px / 1.1)
    assert TURNED.to_ihc([(he.x, he.y)])[0] == pytest.approx((ihc.x, ihc.y))
    qtbot.keyClick(app.window, Key.Key_G, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    assert in_force(app).origin == "assumed" and link_text(app) == "Linked"
    he = app.window.panes[Stain.HE].view.viewpoint
    assert he is not None and he.rotation == 0


def test_a_poor_registration_changes_nothing_warns_and_offers_landmarks(
    aligned_app: App, qtbot: QtBot, register: FakeRegister
) -> None:
    app = aligned_app
    before = in_force(app)
    register.result = replace(before, origin="automatic", poor=True)
    app.registration.controller.register()
    settled(app, qtbot)
    assert in_force(app) is before
    messages = app.window.messages
    assert messages.text.startswith("Poor: ") and "set landmarks" in messages.text
    assert messages.property("level") == "warning"
    qtbot.mouseClick(messages._remedy, Qt.MouseButton.LeftButton)
    assert app.registration.strip.isVisible()


def test_bending_is_asked_for_by_its_own_key(aligned_app: App, qtbot: QtBot, register: FakeRegister) -> None:
    qtbot.keyClick(aligned_app.window, Key.Key_G, Qt.KeyboardModifier.AltModifier)
    settled(aligned_app, qtbot)
    qtbot.keyClick(aligned_app.window, Key.Key_G)
    settled(aligned_app, qtbot)
    assert [wish.bend for wish in register.wishes] == [True, False]


def test_what_cannot_be_registered_is_said(aligned_app: App, qtbot: QtBot, register: FakeRegister) -> None:
    register.result = user_error("there is no tissue in it")
    before = in_force(aligned_app)
    aligned_app.registration.controller.register()
    settled(aligned_app, qtbot)
    assert in_force(aligned_app) is before
    assert "there is no tissue in it" in aligned_app.window.messages.text


def test_esc_frees_the_window_at_once_and_stops_the_work(
    aligned_app: App, qtbot: QtBot, register: FakeRegister
) -> None:
    app = aligned_app
    before = in_force(app)
    register.gate.clear()
    app.registration.controller.register()
    qtbot.waitUntil(register.started.is_set)
    qtbot.keyClick(app.window, Key.Key_Escape)
    assert app.store.state.registration.progress is None
    qtbot.waitUntil(register.stopped.is_set)
    qtbot.waitUntil(lambda: not app.registration.lane.busy)
    assert in_force(app) is before


def test_a_pair_is_registered_by_itself_where_the_user_wants_it(
    make_app: AppMaker, qtbot: QtBot, register: FakeRegister, pair: tuple[Path, Path], other_pair: tuple[Path, Path]
) -> None:
    app = make_app()
    app.registration.controller._register = register
    app.settings.register_on_open = True
    opened(app, qtbot, pair)
    assert register.wishes == []  # images of one size are taken to show one field
    opened(app, qtbot, other_pair)
    qtbot.waitUntil(lambda: in_force(app) is TURNED)
    assert app.window.messages.text == ""  # not asked for, it says no more than the status line does


def test_a_score_wished_at_opening_waits_for_the_alignment(
    make_app: AppMaker, qtbot: QtBot, register: FakeRegister, other_pair: tuple[Path, Path]
) -> None:
    app = make_app()
    app.registration.controller._register = register
    app.settings.register_on_open = app.settings.score_on_open = True
    register.gate.clear()
    app.images.open({Stain.HE: other_pair[0], Stain.IHC: other_pair[1]})
    qtbot.waitUntil(register.started.is_set)
    assert app.store.state.scoring.phase is ScorePhase.NONE
    register.gate.set()
    qtbot.waitUntil(lambda: app.store.state.scoring.phase is ScorePhase.SCORED)
    assert app.store.state.scoring.alignment is TURNED


def test_another_pair_drops_alignment_and_work(
    aligned_app: App, qtbot: QtBot, register: FakeRegister, other_pair: tuple[Path, Path]
) -> None:
    app = aligned_app
    app.registration.controller.register()
    settled(app, qtbot)
    register.gate.clear()
    register.started.clear()
    app.registration.controller.register()
    qtbot.waitUntil(register.started.is_set)
    opened(app, qtbot, other_pair)
    assert in_force(app).origin == "assumed"
    assert app.store.state.registration.progress is None
    qtbot.waitUntil(register.stopped.is_set)
    qtbot.waitUntil(lambda: not app.registration.lane.busy)
    assert in_force(app).origin == "assumed"
    assert in_force(app).to_ihc([(320, 240)]).tolist() == [[480, 360]]


def test_a_score_of_another_alignment_says_so_and_is_offered_again(aligned_app: App, qtbot: QtBot) -> None:
    app = aligned_app
    panel = app.window.score_panel
    qtbot.waitUntil(lambda: app.window.actions_[ActionId.SCORE].isEnabled())
    app.scoring.score()
    qtbot.waitUntil(lambda: app.store.state.scoring.phase is ScorePhase.SCORED)
    assert panel._against.isHidden() and panel._button.isHidden()
    app.registration.controller.register()
    settled(app, qtbot)
    assert "alignment of the images has changed" in panel._against.text()
    assert panel._button.text() == "Score again"
    qtbot.mouseClick(panel._button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: app.store.state.scoring.alignment is TURNED)
    qtbot.waitUntil(lambda: panel._against.isHidden())
    assert ("H&E", TURNED.words) in resolve_score(app.store.state).provenance


@pytest.mark.parametrize("sizes", [(1280, 800), (1010, 640)])
@pytest.mark.parametrize("mirrored", [False, True])
def test_linked_panes_stay_within_a_pixel_over_200_moves(
    aligned_app: App, qtbot: QtBot, register: FakeRegister, sizes: tuple[int, int], mirrored: bool
) -> None:
    app = aligned_app
    app.window.resize(*sizes)
    flip = (-1.0 if mirrored else 1.0, 0, 256.0 if mirrored else 0.0, 0, 1.0, 0)
    register.result = replace(TURNED, he_to_ihc=type(TURNED.he_to_ihc)(*flip).then(TURNED.he_to_ihc))
    app.registration.controller.register()
    settled(app, qtbot)
    he, ihc = (app.window.panes[stain].view for stain in Stain)
    app.window.panes[Stain.HE].setFixedWidth(300)  # panes of unlike width
    rng = np.random.default_rng(3)
    for _ in range(200):
        mover = (he, ihc)[rng.integers(2)]
        match rng.integers(5):
            case 0:
                mover.zoom_at(float(rng.uniform(0.7, 1.45)))
            case 1:
                mover.turn(float(rng.uniform(-90, 90)))
            case 2 if rng.random() < 0.2:
                mover.flip()
            case _:
                mover.move_by(*rng.uniform(-60, 60, 2))
    alignment = in_force(app)
    for at in ((0, 0), (128, 128), (250, 30)):
        in_he = he.to_screen(*at) - he.rect().toRectF().center()
        in_ihc = ihc.to_screen(*alignment.to_ihc([at])[0]) - ihc.rect().toRectF().center()
        scale = max(1.0, in_he.manhattanLength() / 1000)  # points far outside the viewport
        assert (in_he - in_ihc).manhattanLength() <= scale


def test_the_cursor_of_the_other_pane_is_mapped_exactly(aligned_app: App, qtbot: QtBot) -> None:
    app = aligned_app
    app.registration.controller.register()
    settled(app, qtbot)
    he, ihc = (app.window.panes[stain].view for stain in Stain)
    he.cursor_moved.emit((40.0, 200.0))
    assert ihc._ghost is not None
    assert (ihc._ghost.x(), ihc._ghost.y()) == pytest.approx(tuple(TURNED.to_ihc([(40, 200)])[0]))
    ihc.cursor_moved.emit((40.0, 200.0))
    assert he._ghost is not None
    assert (he._ghost.x(), he._ghost.y()) == pytest.approx(tuple(TURNED.to_he([(40, 200)])[0]))


def test_the_offset_is_locked_and_the_link_keeps_it(aligned_app: App, qtbot: QtBot) -> None:
    app = aligned_app
    he, ihc = (app.window.panes[stain].view for stain in Stain)
    app.window.actions_[ActionId.LINK].trigger()
    assert link_text(app) == "Unlinked"
    he.move_by(-31, 17)
    he.turn(10)
    he.zoom_at(1.2)
    before_he, before_ihc = he.viewpoint, ihc.viewpoint
    assert before_he is not None and before_ihc is not None
    qtbot.keyClick(app.window, Key.Key_L, Qt.KeyboardModifier.ShiftModifier)
    assert link_text(app) == "Linked by hand"
    assert in_force(app).to_ihc([(before_he.x, before_he.y)])[0] == pytest.approx(
        (before_ihc.x, before_ihc.y), abs=0.05
    )
    assert he.viewpoint is not None and he.viewpoint.rotation == pytest.approx(before_he.rotation)
    ihc.move_by(20, 5)
    now_he, now_ihc = he.viewpoint, ihc.viewpoint
    assert now_he is not None and now_ihc is not None
    assert in_force(app).to_ihc([(now_he.x, now_he.y)])[0] == pytest.approx((now_ihc.x, now_ihc.y))


def test_what_is_not_beside_each_other_is_not_locked(aligned_app: App) -> None:
    lock = aligned_app.window.actions_[ActionId.LOCK_OFFSET]
    assert lock.isEnabled()
    aligned_app.window.actions_[ActionId.BLEND].trigger()
    assert not lock.isEnabled()


def test_a_nudge_moves_the_he_by_one_screen_pixel(aligned_app: App, qtbot: QtBot) -> None:
    app = aligned_app
    he, ihc = (app.window.panes[stain].view for stain in Stain)
    before = ihc.to_screen(*in_force(app).to_ihc([(60, 70)])[0])
    stood = he.to_screen(60, 70)
    for _ in range(3):
        qtbot.keyClick(app.window, Key.Key_Right, Qt.KeyboardModifier.ControlModifier)
    after = ihc.to_screen(*in_force(app).to_ihc([(60, 70)])[0])
    assert (after - before).x() == pytest.approx(3) and (after - before).y() == pytest.approx(0)
    assert (he.to_screen(60, 70) - stood).x() == pytest.approx(3)
    app.window.actions_[ActionId.NUDGE_CLOCKWISE].trigger()
    assert in_force(app).he_to_ihc.rotation == pytest.approx(0.25)
    app.window.actions_[ActionId.UNDO_REGISTRATION].trigger()
    assert in_force(app).origin == "assumed"


def test_the_score_is_read_through_the_alignment_and_its_map_lies_on_the_he(aligned_app: App, qtbot: QtBot) -> None:
    app = aligned_app
    app.registration.controller.register()
    settled(app, qtbot)
    qtbot.waitUntil(lambda: app.window.actions_[ActionId.SCORE].isEnabled())
    app.scoring.score()
    qtbot.waitUntil(lambda: app.store.state.drawn.attribution is not None)
    app.set_map("1+", "layer4")
    attribution = app.store.state.drawn.attribution
    assert attribution is not None
    assert attribution.fields[Stain.HE].frame == TURNED.he_to_ihc
    assert attribution.fields[Stain.IHC] == FieldOfView.whole((256, 256))
    # Where the map of the H&E's pane is drawn: at the places that the alignment gives to the IHC's rectangle.
    view = app.window.panes[Stain.HE].view
    app.store.change(style=OverlayStyle(1.0, 0.05, fade=False))
    with_map = pixels_of(view.viewport().grab().toImage())
    app.store.change(overlay_on=False)
    beneath = pixels_of(view.viewport().grab().toImage())
    drawn = (with_map != beneath).any(axis=2)
    values = attribution.render(Stain.HE, FieldOfView.whole((256, 256)), (256, 256))
    inside = np.argwhere(values > 0.3)[::97]
    assert len(inside) > 50
    for row, column in inside:
        at = view.to_screen(column + 0.5, row + 0.5).toPoint()
        if view.viewport().rect().adjusted(2, 2, -2, -2).contains(at):
            assert drawn[at.y(), at.x()], (row, column)
    below = view.to_screen(*TURNED.to_he([(128.0, 262.0)])[0]).toPoint()  # beyond the IHC there is no map
    assert view.viewport().rect().contains(below) and not drawn[below.y(), below.x()]


def test_the_exported_picture_is_that_of_the_scored_alignment(aligned_app: App, qtbot: QtBot, tmp_path: Path) -> None:
    app = aligned_app
    app.registration.controller.register()
    settled(app, qtbot)
    qtbot.waitUntil(lambda: app.window.actions_[ActionId.SCORE].isEnabled())
    app.scoring.score()
    qtbot.waitUntil(lambda: app.store.state.drawn.attribution is not None)
    app.registration.controller.undo()  # what is exported is what was scored, whatever has changed since
    app.exporting.export(ExportWish(tmp_path / "out.png", (Stain.HE,), with_map=False, with_result=True))
    qtbot.waitUntil(lambda: app.window.messages.text.startswith("Written"))
    picture = cv2.imread(str(tmp_path / "out.png"))[..., ::-1].astype(int)
    warped = cv2.warpAffine(
        tissue(1), TURNED.he_to_ihc.indices, (256, 256), flags=cv2.INTER_LINEAR, borderValue=(255, 255, 255)
    )
    found = cv2.matchTemplate(picture.astype(np.uint8), warped[96:160, 96:160], cv2.TM_CCOEFF_NORMED)
    assert found.max() > 0.99
    result = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert np.allclose(result["field"]["he"]["frame"], TURNED.he_to_ihc.matrix.ravel())
