"""Ties registration to the window: its strip, its marks, its tool, its words, and the actions that belong to it."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from PySide6.QtCore import QEvent, QObject, QPointF
from PySide6.QtGui import QFontMetrics, QKeyEvent
from PySide6.QtWidgets import QMenu, QToolButton

from her2viewer.gui.actions.ids import ActionId as Id
from her2viewer.gui.controllers.messenger import Level, Remedy
from her2viewer.gui.lanes import Lane
from her2viewer.gui.pane.layer import Sight
from her2viewer.gui.pane.tissue_view import TissueView
from her2viewer.gui.parts import Parts
from her2viewer.gui.registration.by_hand import as_shown, nudged, turned
from her2viewer.gui.registration.controller import RegistrationController
from her2viewer.gui.registration.landmark_layer import LandmarkLayer
from her2viewer.gui.registration.landmark_strip import LandmarkStrip
from her2viewer.gui.registration.landmark_tool import KEYS, LandmarkTool
from her2viewer.gui.registration.resolve import is_unlikely_field, resolve_landmarks, resolve_link
from her2viewer.gui.registration.work import Register
from her2viewer.gui.resolve.doing import resolve_doing
from her2viewer.gui.state import State
from her2viewer.scoring.stains import Stain

TURN_DEGREES: Final = 0.25


class RegistrationRoom(QObject):
    """Built once. `cancel` and `close` belong to the window's own."""

    def __init__(self, parts: Parts, register: Register) -> None:
        super().__init__(parts.window)
        self._parts = parts
        self._views = {stain: pane.view for stain, pane in parts.window.panes.items()}
        self.lane = Lane("registration")
        self.controller = RegistrationController(parts.store, self.lane, parts.window.messages, register)
        self.strip = LandmarkStrip()
        self._tool = LandmarkTool(lambda: parts.store.state.registration.landmarks, self.controller, _pan)
        self._layer = LandmarkLayer(lambda: parts.store.state.registration)
        self.link_button = QToolButton()
        self.link_button.setObjectName("linkState")
        # Nothing beside it moves when the words change.
        longest = QFontMetrics(self.link_button.font()).horizontalAdvance("Linked by landmarks, 00.0 µm")
        self.link_button.setMinimumWidth(longest + 32)
        self.link_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.link_button.setAccessibleName("How the panes are linked")

    def tie(self) -> Mapping[Id, Callable[[], object]]:
        """Puts the parts where they belong; returns who does the actions of this room."""
        parts, controller, strip = self._parts, self.controller, self.strip
        window = parts.window
        window.below_panes.addWidget(strip)
        strip.chosen.connect(controller.choose)
        strip.delete_requested.connect(controller.delete_chosen)
        strip.clear_requested.connect(controller.clear)
        strip.bend_toggled.connect(controller.bend)
        strip.done_requested.connect(controller.leave)
        for view in self._views.values():
            view.add_layer(self._layer)
            view.tool_changed.connect(self._on_tool)
            view.installEventFilter(self)
        menu = QMenu(self.link_button)
        for action in (Id.LINK, Id.REGISTER, Id.LANDMARKS, Id.LOCK_OFFSET, Id.UNDO_REGISTRATION):
            menu.addAction(window.actions_[action])
        self.link_button.setMenu(menu)
        window.status_line.addPermanentWidget(self.link_button)
        parts.images.on_pair_opened.append(lambda *_: self._on_pair())
        parts.store.listen(self.present)
        self.present(None, parts.store.state)
        return {
            Id.REGISTER: controller.register,
            Id.REGISTER_BENT: partial(controller.register, bend=True),
            Id.LANDMARKS: controller.set_landmarks,
            Id.LOCK_OFFSET: self.lock_offset,
            Id.UNDO_REGISTRATION: controller.undo,
            Id.NUDGE_LEFT: partial(self.nudge, -1, 0),
            Id.NUDGE_RIGHT: partial(self.nudge, 1, 0),
            Id.NUDGE_UP: partial(self.nudge, 0, -1),
            Id.NUDGE_DOWN: partial(self.nudge, 0, 1),
            Id.NUDGE_ANTICLOCKWISE: partial(self.turn, -TURN_DEGREES),
            Id.NUDGE_CLOCKWISE: partial(self.turn, TURN_DEGREES),
        }

    def close(self) -> None:
        """Stops what is under way and waits for it."""
        for view in self._views.values():
            view.removeEventFilter(self)
        self.lane.close(1.0)

    def cancel(self) -> None:
        """Esc: stops the registration, or leaves the landmarks where nothing else is under way that it might be meant for."""
        state = self._parts.store.state
        self.controller.cancel()
        if state.registration.setting and not resolve_doing(state).can_cancel:
            self.controller.leave()

    def lock_offset(self) -> None:
        """What the two panes show now lies on each other from now on, and the link keeps it."""
        he, ihc = self._views[Stain.HE], self._views[Stain.IHC]
        if self._parts.store.state.pair is None:
            return
        self.controller.align_by_hand(as_shown(he, _middle(he), ihc, _middle(ihc)))
        self._parts.store.change(linked=True)
        self._parts.window.link.set_on(True)

    def nudge(self, dx: float, dy: float) -> None:
        """The H&E moved over the IHC by logical px of the IHC's pane."""
        alignment = self._parts.store.state.registration.alignment
        if alignment is not None:
            self.controller.align_by_hand(nudged(alignment.he_to_ihc, self._views[Stain.IHC], dx, dy))

    def turn(self, degrees: float) -> None:
        """The H&E turned over the IHC about the middle of the IHC's pane."""
        alignment, ihc = self._parts.store.state.registration.alignment, self._views[Stain.IHC]
        if alignment is not None:
            self.controller.align_by_hand(turned(alignment.he_to_ihc, ihc, _middle(ihc), degrees))

    def present(self, old: State | None, new: State) -> None:
        """Pushes what differs."""
        before, now = old.registration if old is not None else None, new.registration
        if old is None or resolve_link(old) != resolve_link(new):
            shown = resolve_link(new)
            self.link_button.setText(shown.text)
            self.link_button.setToolTip(shown.more)
            self.link_button.setVisible(bool(shown.text))
        if before is now:
            return
        if before is None or before.setting != now.setting:
            for view in self._views.values():
                if now.setting or view.tool is self._tool:  # another room's tool is not ours to take away
                    view.set_tool(self._tool if now.setting else None)
            if before is not None and now.setting:
                self._views[Stain.HE].setFocus()
        if old is None or resolve_landmarks(old) != resolve_landmarks(new):
            self.strip.show_landmarks(resolve_landmarks(new))
        if before is None or before.alignment is not now.alignment:
            # While a mark is dragged, the pane under the mouse must not move; otherwise the H&E comes to the IHC.
            leader = self._tool.touched if now.setting else Stain.IHC
            self._parts.window.link.set_alignment(now.alignment, leader)
        for view in self._views.values():
            view.repaint_layers()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A key that the tool takes is no shortcut meanwhile: Delete takes a landmark, not what else it might."""
        taken = event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and event.key() in KEYS
        if taken and self._parts.store.state.registration.setting:
            event.accept()
            return True
        return super().eventFilter(watched, event)

    def _on_tool(self, tool: object) -> None:
        """Another room's tool has the mouse: no landmarks are being set any more."""
        if tool not in (None, self._tool) and self._parts.store.state.registration.setting:
            self.controller.leave()

    def _on_pair(self) -> None:
        """Two images of one size are taken for the same field cut out of registered slides: there is little to find.

        Of twelve such pairs of BCI the registration holds for two, and it takes some seconds.
        """
        pair = self._parts.store.state.pair
        if pair is not None and self._parts.settings.register_on_open and pair[0].source.size != pair[1].source.size:
            self.controller.register(asked=False)
        elif is_unlikely_field(self._parts.store.state):
            self._parts.window.messages.say(
                "The two images measure different pieces of tissue, so that they may not lie on each other as they are shown.",
                Level.INFO,
                Remedy("Register them", self.controller.register),
            )


def _middle(view: TissueView) -> QPointF:
    """The middle of a view in its logical px."""
    return QPointF(view.width() / 2, view.height() / 2)


def _pan(sight: Sight, dx: float, dy: float) -> None:
    """A pane's tissue moved by logical px, while the mouse is a tool's."""
    assert isinstance(sight, TissueView)
    sight.move_by(dx, dy)
