"""The frame of the real window: panels, full screen, Esc, hints, command search, themes, nothing that jumps."""

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QByteArray, QEvent, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QColor, QGuiApplication, QPalette, QStyleHints
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QApplication, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from her2viewer.gui.actions.actions import Actions
from her2viewer.gui.actions.ids import ActionId
from her2viewer.gui.actions.specs import SPECS
from her2viewer.gui.app import App
from her2viewer.gui.command_search import Command
from her2viewer.gui.frame.docks import Panel
from her2viewer.gui.frame.hints import HINTS
from her2viewer.gui.frame.menus import FOLDED, OBJECTIVES
from her2viewer.gui.frame.reasons import reasons
from her2viewer.gui.presenter import enabled_actions
from her2viewer.gui.settings import Settings
from her2viewer.gui.state import ScorePhase, State
from her2viewer.gui.theme import DARK, LIGHT, ThemeChoice, Tokens, palette_of
from her2viewer.scoring.stains import Stain

from ..conftest import AppMaker, opened
from ..test_pane import pixels_of
from ..test_theme import contrast

Key = Qt.Key
SHIFT = Qt.KeyboardModifier.ShiftModifier
CTRL = Qt.KeyboardModifier.ControlModifier


def shown(app: App) -> list[Panel]:
    return [panel for panel in Panel if app.window.docks.is_shown(panel)]


def pane_places(app: App) -> list[QRect]:
    return [QRect(pane.mapTo(app.window, QPoint(0, 0)), pane.size()) for pane in app.window.panes.values()]


def laid_out(qtbot: QtBot) -> None:
    QApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)
    qtbot.wait(0)


# Panels


def test_panels_come_and_go_by_keys(app: App, qtbot: QtBot) -> None:
    assert shown(app) == [Panel.CASES, Panel.ANSWER]
    qtbot.keyClick(app.window, Key.Key_F2)
    assert shown(app) == [Panel.ANSWER]
    assert not app.window.actions_[ActionId.PANEL_CASES].isChecked()
    qtbot.keyClick(app.window, Key.Key_F3)
    qtbot.keyClick(app.window, Key.Key_F2)
    assert shown(app) == [Panel.CASES]
    assert app.window.actions_[ActionId.PANEL_CASES].isChecked()
    app.window.docks[Panel.CASES].close()  # by its own button
    assert not app.window.actions_[ActionId.PANEL_CASES].isChecked()
    app.window.actions_[ActionId.RESET_PANELS].trigger()
    assert shown(app) == [Panel.CASES, Panel.ANSWER]


def test_a_panel_below_can_be_added(app: App, qtbot: QtBot) -> None:
    content = QWidget()
    app.window.docks.add(Panel.FIELDS, "Fields", content)
    assert app.window.dockWidgetArea(app.window.docks[Panel.FIELDS]) == Qt.DockWidgetArea.BottomDockWidgetArea
    laid_out(qtbot)
    fields, panes = app.window.docks[Panel.FIELDS].geometry(), app.window.body.geometry()
    assert fields.top() >= panes.bottom() and abs(fields.width() - panes.width()) <= 2


def test_panels_remember_their_place(make_app: AppMaker, qtbot: QtBot) -> None:
    first = make_app()
    first.window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, first.window.docks[Panel.CASES])
    first.window.docks.toggle(Panel.ANSWER)
    first.window.close()
    again = make_app()
    docks = again.window.docks
    assert again.window.dockWidgetArea(docks[Panel.CASES]) == Qt.DockWidgetArea.RightDockWidgetArea
    assert shown(again) == [Panel.CASES]


@pytest.mark.parametrize("layout", [b"", b"nonsense", b"\x00\x00\x00\xff\x00\x00\x00\x07"])
def test_a_broken_layout_gives_the_first_one(make_app: AppMaker, settings: Settings, layout: bytes) -> None:
    settings.layout = QByteArray(layout)
    app = make_app()
    assert shown(app) == [Panel.CASES, Panel.ANSWER]
    area = app.window.dockWidgetArea(app.window.docks[Panel.CASES])
    assert area == Qt.DockWidgetArea.LeftDockWidgetArea


def test_a_layout_of_another_version_is_not_taken(make_app: AppMaker, settings: Settings) -> None:
    first = make_app()
    first.window.docks.toggle(Panel.CASES)
    settings.layout = first.window.saveState(99)
    saved = settings.layout
    first.window.close()
    settings.layout = saved
    assert shown(make_app()) == [Panel.CASES, Panel.ANSWER]


def test_a_window_of_a_screen_that_is_gone_is_reachable(make_app: AppMaker, settings: Settings) -> None:
    first = make_app()
    first.window.setGeometry(9000, 9000, 1000, 650)
    first.window.close()
    again = make_app()
    screen = QGuiApplication.primaryScreen().availableGeometry()
    assert again.window.geometry().intersects(screen) and again.window.geometry().top() >= screen.top()


# Full screen


def test_the_magnification_follows_the_window(app: App, qtbot: QtBot, pair: tuple[Path, Path]) -> None:
    opened(app, qtbot, pair)
    before = app.window.status_line._zoom
    qtbot.keyClick(app.window, Key.Key_F11, SHIFT)
    qtbot.waitUntil(lambda: app.window.status_line._zoom != before)
    viewpoint = app.window.active_pane().view.viewpoint
    assert viewpoint is not None and app.window.status_line._zoom == f"{1 / viewpoint.px:.0%}"


def test_full_screen_and_the_tissue_alone_and_esc(app: App, qtbot: QtBot) -> None:
    window = app.window
    qtbot.keyClick(window, Key.Key_F11)
    assert window.full_screen.on and window.menuBar().isHidden() and window.tool_bar.isVisible()
    qtbot.keyClick(window, Key.Key_F11, SHIFT)
    assert shown(app) == [] and window.tool_bar.isHidden()
    assert window.status_line._research.isVisible(), "the line on research use stays"
    assert window.actions_[ActionId.TISSUE_ALONE].isChecked()
    qtbot.keyClick(window, Key.Key_Escape)
    assert shown(app) == [Panel.CASES, Panel.ANSWER] and window.full_screen.on
    qtbot.keyClick(window, Key.Key_Escape)
    assert not window.full_screen.on and window.menuBar().isVisible()
    qtbot.keyClick(window, Key.Key_Escape)
    assert window.isVisible()


def test_keys_work_while_the_menu_bar_is_hidden(app: App, qtbot: QtBot, pair: tuple[Path, Path]) -> None:
    opened(app, qtbot, pair)
    qtbot.keyClick(app.window, Key.Key_F11)
    qtbot.keyClick(app.window, Key.Key_S)
    qtbot.waitUntil(lambda: app.store.state.scoring.phase is ScorePhase.SCORED)


def test_closing_in_full_screen_remembers_the_window(make_app: AppMaker, qtbot: QtBot) -> None:
    first = make_app()
    first.window.full_screen.toggle()
    first.window.full_screen.toggle_alone()
    first.window.close()
    again = make_app()
    assert not again.window.full_screen.on and shown(again) == [Panel.CASES, Panel.ANSWER]


def test_esc_closes_what_is_innermost(app: App, qtbot: QtBot, pair: tuple[Path, Path]) -> None:
    opened(app, qtbot, pair)
    app.window.full_screen.toggle()
    app.scale.set_ruler(on=True)
    app.information.open(Stain.HE)
    app.frame.escape()
    assert app.information.popover.isHidden() and app.scale.measuring
    app.frame.escape()
    assert not app.scale.measuring and app.window.full_screen.on
    app.frame.escape()
    assert not app.window.full_screen.on


# Nothing jumps


def test_the_panes_stay_where_they_are(app: App, qtbot: QtBot, pair: tuple[Path, Path]) -> None:
    laid_out(qtbot)
    places = [pane_places(app)]

    def note() -> None:
        laid_out(qtbot)
        places.append(pane_places(app))

    app.images.open({Stain.HE: pair[0], Stain.IHC: pair[1]})
    note()
    opened(app, qtbot, pair)
    note()
    app.scoring.score()
    note()
    qtbot.waitUntil(lambda: app.store.state.scoring.phase is ScorePhase.SCORED)
    note()
    assert app.window.body.findChild(QWidget, "hint").isVisible()
    app.images.open({Stain.HE: pair[0].with_name("a name that is long enough to be a sentence of its own.png")})
    qtbot.waitUntil(lambda: bool(app.window.messages.text))
    note()
    qtbot.keyPress(app.window, Key.Key_Space)
    note()
    qtbot.keyRelease(app.window, Key.Key_Space)
    assert all(place == places[0] for place in places)


def test_a_message_stands_over_the_panes_and_in_the_window(app: App, qtbot: QtBot) -> None:
    app.window.messages.say("word " * 80)
    laid_out(qtbot)
    bar = app.window.messages
    assert app.window.body.rect().contains(bar.geometry())
    assert bar._text.height() >= bar._text.heightForWidth(bar._text.width())


@pytest.mark.parametrize("size", [QSize(960, 600), QSize(1280, 800), QSize(1440, 900)])
def test_everything_fits_at_every_size(app: App, qtbot: QtBot, pair: tuple[Path, Path], size: QSize) -> None:
    opened(app, qtbot, pair)
    app.window.resize(size)
    laid_out(qtbot)
    assert app.window.size() == size
    bar = app.window.tool_bar
    for spec in (spec for spec in SPECS if spec.toolbar and spec.id not in FOLDED):
        button = bar.widgetForAction(app.window.actions_[spec.id])
        assert button.isVisible() and bar.rect().contains(button.geometry()), f"{spec.id} has no room"
    for fold, (segment, menu) in bar._folds.items():
        assert segment.isVisible() != menu.isVisible()
        shown = bar.widgetForAction(menu if bar.folded(fold) else segment)
        assert bar.rect().contains(shown.geometry()), f"{fold.text} has no room"
    for pane in app.window.panes.values():
        assert pane.width() >= 224
        caption = pane.findChild(QWidget, "paneHeader").layout().itemAt(0).widget()
        assert caption.width() >= caption.sizeHint().width(), "which stain it is can always be read"


# Hints


def hint(app: App) -> str:
    return app.frame.hints._strip.text


def test_hints_come_one_at_a_time_and_never_again(
    make_app: AppMaker, qtbot: QtBot, pair: tuple[Path, Path], settings: Settings
) -> None:
    app = make_app()
    assert hint(app) == ""
    opened(app, qtbot, pair)
    assert hint(app) == HINTS[0].text
    qtbot.keyClick(app.window, Key.Key_2)  # done
    qtbot.keyClick(app.window, Key.Key_1)
    assert hint(app) != HINTS[0].text
    app.scoring.score()
    qtbot.waitUntil(lambda: app.store.state.scoring.phase is ScorePhase.SCORED)
    app.frame.hints._strip._close.click()  # sent away, whichever it is
    qtbot.keyPress(app.window, Key.Key_Space)
    qtbot.keyRelease(app.window, Key.Key_Space)
    qtbot.keyClick(app.window, Key.Key_K, CTRL)
    app.window.command_search.hide()
    assert hint(app) == ""
    assert settings.hints_gone == sorted(one.id for one in HINTS)
    app.window.close()
    again = make_app()
    opened(again, qtbot, pair)
    assert hint(again) == ""


def test_there_are_few_hints_and_they_are_short() -> None:
    assert len(HINTS) <= 3
    assert all(len(one.text) < 60 for one in HINTS)


def test_a_preference_brings_the_hints_back(app: App, qtbot: QtBot, pair: tuple[Path, Path]) -> None:
    from her2viewer.gui.dialogs.preferences import PreferencesDialog

    opened(app, qtbot, pair)
    for one in HINTS:
        app.frame.hints.gone(one.id)
    assert hint(app) == ""
    app.desk.preferences()
    dialog = app.window.findChild(PreferencesDialog)
    dialog.hints_again.setChecked(True)
    dialog.accept()
    assert hint(app) == HINTS[0].text


# Command search


def found(app: App, qtbot: QtBot, typed: str) -> list[Command]:
    app.frame._find_command()
    search = app.window.command_search
    search.line.setText(typed)
    return [search.list.item(row).data(Qt.ItemDataRole.UserRole) for row in range(search.list.count())]


@pytest.mark.parametrize(
    ("typed", "action"),
    [
        ("10x", ActionId.OBJECTIVE_10),
        ("membrane", ActionId.RULE_1),
        ("equivocal", ActionId.RULE_2),
        ("measure", ActionId.RULER),
        ("micron", ActionId.TYPE_SCALE),
        ("mpp", ActionId.TYPE_SCALE),
        ("worklist", ActionId.NEXT_CASE),
        ("barcode", ActionId.IMAGE_INFORMATION),
        ("dock", ActionId.PANEL_CASES),
        ("hpf", ActionId.OBJECTIVE_40),
        ("same scale", ActionId.MATCH_RESOLUTION),
    ],
)
def test_found_by_the_words_of_a_pathologist(app: App, qtbot: QtBot, typed: str, action: ActionId) -> None:
    assert action in [command.id for command in found(app, qtbot, typed)]


def test_why_a_command_cannot_be_run_stands_with_it(app: App, qtbot: QtBot, pair: tuple[Path, Path]) -> None:
    ruler = next(command for command in found(app, qtbot, "ruler") if command.id == ActionId.RULER)
    assert ruler.why == "Open an image first." and ruler.keys == "M"
    opened(app, qtbot, pair)
    objective = next(command for command in found(app, qtbot, "10x") if command.id == ActionId.OBJECTIVE_10)
    assert "No scale is known" in objective.why
    assert all(command.why for command in found(app, qtbot, "objective 5x"))


def test_what_was_used_last_stands_first(app: App, qtbot: QtBot, settings: Settings) -> None:
    search = app.window.command_search
    found(app, qtbot, "shortcuts")
    qtbot.keyClick(search.line, Key.Key_Return)
    found(app, qtbot, "about")
    qtbot.keyClick(search.line, Key.Key_Return)
    app.desk.close()
    assert settings.recent_commands == ["about", "shortcuts"]
    assert [command.id for command in found(app, qtbot, "")][:2] == ["about", "shortcuts"]


def test_cases_can_be_found(
    app: App, qtbot: QtBot, pair: tuple[Path, Path], other_pair: tuple[Path, Path], settings: Settings
) -> None:
    settings.remember_pair(*other_pair)
    opened(app, qtbot, pair)
    assert [command.text for command in found(app, qtbot, "case 00001")] == ["Case 00001_train_2+"]
    recent = found(app, qtbot, "recent 00002")
    assert [command.text for command in recent] == ["Recent case 00002_train_0"]
    qtbot.keyClick(app.window.command_search.line, Key.Key_Return)
    qtbot.waitUntil(lambda: tuple(image.source.path for image in app.store.state.pair or ()) == other_pair)


def test_every_action_that_is_barred_says_why(app: App, qtbot: QtBot, pair: tuple[Path, Path]) -> None:
    for _ in range(2):
        barred = [spec.id for spec in SPECS if not app.window.actions_[spec.id].isEnabled()]
        told = [action for action in barred if app.window.actions_.reason(action)]
        mine = {*reasons(State()), *OBJECTIVES, ActionId.RULER, ActionId.IMAGE_INFORMATION, ActionId.PANEL_FIELDS}
        assert set(told) >= set(barred) & mine
        opened(app, qtbot, pair)


def test_reasons_and_enabled_actions_agree(scored_app: App) -> None:
    state = scored_app.store.state
    for some in (State(), state, state.unscored(), replace(state, exporting=None)):
        why, can = reasons(some), enabled_actions(some)
        for action in set(why) & set(can):
            assert bool(why[action]) != can[action], action


# Looks


@pytest.mark.parametrize("tokens", [LIGHT, DARK])
def test_the_palette_can_be_read(tokens: Tokens) -> None:
    palette = palette_of(tokens)
    role = QPalette.ColorRole

    def named(one: QPalette.ColorRole) -> str:
        return palette.color(QPalette.ColorGroup.Active, one).name()

    grounds = (role.Window, role.Base, role.AlternateBase, role.Button, role.ToolTipBase, role.Midlight)
    texts = (role.WindowText, role.Text, role.ButtonText, role.ToolTipText, role.PlaceholderText)
    for ground in grounds:
        for text in texts:
            assert contrast(named(text), named(ground)) >= 4.5, (text, ground)
    assert contrast(named(role.HighlightedText), named(role.Highlight)) >= 4.5
    for ground in (role.Window, role.Base, role.AlternateBase):
        assert contrast(named(role.Link), named(ground)) >= 4.5, "the scale in the header is a link"


def test_a_theme_of_the_system_is_followed_while_running(
    app: App, qtbot: QtBot, pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(app, qtbot, pair)
    app.choose_theme(ThemeChoice.LIGHT)
    light = pixels_of(app.window.grab().toImage())
    app.choose_theme(ThemeChoice.SYSTEM)
    # The offscreen platform has no scheme of its own to be changed.
    monkeypatch.setattr(QStyleHints, "colorScheme", lambda _: Qt.ColorScheme.Dark)
    QGuiApplication.styleHints().colorSchemeChanged.emit(Qt.ColorScheme.Dark)
    assert app.theme.is_dark
    dark = pixels_of(app.window.grab().toImage())
    panel = app.cases.panel.mapTo(app.window, QPoint(4, 4)) * app.window.devicePixelRatioF()
    at = (int(panel.y()), int(panel.x()))
    assert QColor(*light[at].tolist()) == QColor(LIGHT.panel)
    assert QColor(*dark[at].tolist()) == QColor(DARK.panel)
    icon = app.window.docks[Panel.CASES].titleBarWidget()._hide.icon().pixmap(16, 16).toImage()
    inks = [icon.pixelColor(x, y) for x in range(icon.width()) for y in range(icon.height())]
    assert max(ink.lightness() for ink in inks if ink.alpha() > 200) > 180, "icons follow"
    monkeypatch.undo()
    QGuiApplication.styleHints().colorSchemeChanged.emit(Qt.ColorScheme.Light)


@pytest.mark.parametrize("ratio", [1.0, 1.25, 1.5, 2.0])
def test_icons_are_drawn_for_the_screen_they_are_on(app: App, ratio: float) -> None:
    for spec in SPECS:
        pixmap = app.window.actions_[spec.id].icon().pixmap(QSize(20, 20), ratio)
        assert pixmap.width() == round(20 * ratio), spec.id


def test_all_that_takes_the_keyboard_has_a_name(app: App, qtbot: QtBot, pair: tuple[Path, Path]) -> None:
    opened(app, qtbot, pair)
    app.information.open(Stain.HE)
    app.scale._ask(Stain.IHC)
    kinds = (QAbstractButton, QLineEdit, QAbstractItemView)
    nameless = []
    for widget in (widget for kind in kinds for widget in app.window.findChildren(kind)):
        if widget.isVisible() and widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
            text = widget.text() if isinstance(widget, QAbstractButton) else ""
            if not (widget.accessibleName() or text or widget.toolTip()):
                nameless.append(widget)
    assert nameless == []


def test_the_keyboard_goes_from_left_to_right(app: App, qtbot: QtBot, pair: tuple[Path, Path]) -> None:
    opened(app, qtbot, pair)
    chain, widget = [], app.window.nextInFocusChain()
    while widget is not app.window:
        if widget.isVisible() and widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
            chain.append(widget)
        widget = widget.nextInFocusChain()
    wanted = [
        app.cases.panel.filter,
        app.cases.panel.list,
        app.scale._links[Stain.HE],
        app.scale._links[Stain.IHC],
        app.window.explain_panel.opacity.slider,
    ]
    places = [chain.index(one) for one in wanted]
    assert places == sorted(places)


def test_actions_that_are_on_or_off_show_it(app: App) -> None:
    assert isinstance(app.window.actions_, Actions)
    assert app.window.actions_[ActionId.PANEL_ANSWER].isChecked()
    assert not app.window.actions_[ActionId.FULL_SCREEN].isChecked()
