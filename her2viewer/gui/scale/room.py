"""The scale of what is on screen: typed where the file does not say it, objectives, matched panes, rulers."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from her2viewer.gui.actions.ids import ActionId as Id
from her2viewer.gui.controllers.messenger import Level
from her2viewer.gui.frame.menus import OBJECTIVES
from her2viewer.gui.pane.pane import ImagePane
from her2viewer.gui.parts import Parts
from her2viewer.gui.scale.link import ScaleLink
from her2viewer.gui.scale.magnification import MAGNIFICATION_RULE, PRESETS, um_per_device_px
from her2viewer.gui.scale.popover import ScalePopover
from her2viewer.gui.scale.resolution import NO_SCALE, resolve_mpp, resolve_scale, resolve_scales
from her2viewer.gui.scale.ruler import RulerLayer, Rulers, RulerTool
from her2viewer.gui.state import State
from her2viewer.scoring.stains import Stain

NO_IMAGE: Final = "Open an image first."
ONE_SCALE: Final = "Both images need a known pixel size: click 'no scale known' above the image that has none."

_RULES: Final = (Id.RULE_1, Id.RULE_2, Id.RULE_3)
"""In the order of MAGNIFICATION_RULE."""


class ScaleRoom:
    """Ties the scale's views to state, settings and panes."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        window = parts.window
        self.popover = ScalePopover(window.body)
        self.rulers = Rulers(self._repaint)
        self.tool = RulerTool(self.rulers, lambda: self.set_ruler(on=False))
        self.measuring = False
        self._links: dict[Stain, ScaleLink] = {}
        self._layers: list[RulerLayer] = []
        for stain, pane in window.panes.items():
            self._links[stain] = self._add_link(stain, pane)
            layer = RulerLayer(self.rulers, self._um)
            pane.view.add_layer(layer)
            pane.view.tool_changed.connect(self._on_tool)
            self._layers.append(layer)
        parts.store.change(scales=parts.settings.typed_scales)
        parts.store.listen(self._on_state)
        self.popover.typed.connect(self._on_typed)
        self._show(parts.store.state)

    def handlers(self) -> Mapping[Id, Callable[[], object]]:
        """Who does what, for the window's actions."""
        return {
            **{action: partial(self.look_through, m) for action, m in zip(OBJECTIVES, PRESETS, strict=True)},
            **{
                action: partial(self.look_through, membrane.objective)
                for action, membrane in zip(_RULES, MAGNIFICATION_RULE, strict=True)
            },
            Id.MATCH_RESOLUTION: self.match_resolution,
            Id.TYPE_SCALE: self._type,
            Id.RULER: lambda: self.set_ruler(on=not self.measuring),
            Id.CLEAR_RULERS: self._clear_rulers,
        }

    def look_through(self, objective: float) -> None:
        """Shows the active pane, or the other one where only that has a scale, as through an objective."""
        window = self._parts.window
        active = window.active_pane()
        for pane in (active, window.panes[active.stain.other]):
            um, viewpoint = self._um(pane.stain), pane.view.viewpoint
            if um is not None and viewpoint is not None:
                pane.view.zoom_at(viewpoint.px * um / um_per_device_px(objective))
                return

    def match_resolution(self) -> None:
        """The other pane at the active one's micrometres per screen pixel, about the place it shows."""
        window, store = self._parts.window, self._parts.store
        active = window.active_pane()
        other = window.panes[active.stain.other].view
        mine, theirs = self._um(active.stain), self._um(active.stain.other)
        here, there = active.view.viewpoint, other.viewpoint
        if mine is None or theirs is None or here is None or there is None:
            return
        factor = (there.px * theirs) / (here.px * mine)
        if abs(factor - 1) < 1e-3:
            window.messages.say("Both panes have the same resolution already.")
            return
        if store.state.linked:
            # Linked panes show the same place of each image; images of unlike size would drift apart again at once.
            store.change(linked=False)
            window.link.set_on(False)
            window.messages.say(
                "The panes show the same micrometres per pixel now, and are unlinked: linked (L), they show the same share "
                "of each image instead.",
                Level.INFO,
            )
        other.zoom_at(factor)

    def set_ruler(self, *, on: bool) -> None:
        """Takes the ruler in hand, or puts it away; what was measured stays."""
        if not on:
            self.tool.give_up()
        self.measuring = on
        for pane in self._parts.window.panes.values():
            if on or pane.view.tool is self.tool:
                pane.view.set_tool(self.tool if on else None)
        for layer in self._layers:
            layer.tool_on = on
        self._parts.window.actions_.set_checked({Id.RULER: on})
        if on:
            self._parts.window.active_pane().view.setFocus()
        self._repaint()

    def _on_tool(self, tool: object) -> None:
        """Another room's tool has the mouse: the ruler is put away."""
        if self.measuring and tool not in (None, self.tool):
            self.set_ruler(on=False)

    def escape(self) -> bool:
        """Esc: leaves the popover, then the ruler; False where neither is there."""
        if not self.popover.isHidden():
            self.popover.dismiss()
            return True
        if self.measuring:
            if not self.tool.give_up():
                self.set_ruler(on=False)
            return True
        return False

    def _add_link(self, stain: Stain, pane: ImagePane) -> ScaleLink:
        link = ScaleLink(stain, pane)
        link.clicked.connect(lambda: self._ask(stain))
        pane.add_to_header(link)
        return link

    def _type(self) -> None:
        self._ask(self._parts.window.active_pane().stain)

    def _ask(self, stain: Stain) -> None:
        state = self._parts.store.state
        if state.image(stain) is not None:
            self.popover.ask(self._links[stain], stain, resolve_scales(state), pair=state.pair is not None)

    def _on_typed(self, stains: tuple[Stain, ...], um: float | None) -> None:
        store = self._parts.store
        scales = store.state.scales
        for stain in stains:
            image = store.state.image(stain)
            if image is not None:
                scales = scales.typed(image.source, um)
        store.change(scales=scales)
        self._parts.settings.typed_scales = scales

    def _on_state(self, old: State, new: State) -> None:
        if old.slots is not new.slots or old.scales is not new.scales:
            if old.slots is not new.slots:
                self.popover.dismiss()
            self._show(new)

    def _show(self, state: State) -> None:
        for stain, link in self._links.items():
            link.show_scale(resolve_scale(state, stain))
        actions, reasons = self._parts.window.actions_, scale_reasons(state)
        actions.set_enabled({action: not why for action, why in reasons.items()})
        actions.set_reasons(reasons)
        self._parts.window.refresh_scales()
        self._repaint()

    def _clear_rulers(self) -> None:
        for image in self._parts.store.state.slots.values():
            if image.image is not None:
                self.rulers.clear(image.image.source)

    def _um(self, stain: Stain) -> float | None:
        mpp = resolve_mpp(self._parts.store.state, stain)
        return mpp.um if mpp is not None else None

    def _repaint(self) -> None:
        for pane in self._parts.window.panes.values():
            pane.view.repaint_layers()


def scale_reasons(state: State) -> dict[Id, str]:
    """Why each action that needs an image or a scale is not possible, empty where it is."""
    some = any(state.image(stain) is not None for stain in Stain)
    known = [stain for stain in Stain if resolve_mpp(state, stain) is not None]
    looking = NO_IMAGE if not some else "" if known else NO_SCALE
    reasons = dict.fromkeys((*OBJECTIVES, *_RULES), looking)
    reasons[Id.MATCH_RESOLUTION] = NO_IMAGE if state.pair is None else "" if len(known) == 2 else ONE_SCALE
    reasons.update(dict.fromkeys((Id.TYPE_SCALE, Id.RULER, Id.CLEAR_RULERS), "" if some else NO_IMAGE))
    return reasons
