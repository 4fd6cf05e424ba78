"""From state to views: what each shows is resolved for the old and the new state, and only what differs is pushed."""

from collections.abc import Mapping
from typing import Protocol

from her2viewer.gui.actions.actions import Actions
from her2viewer.gui.actions.ids import ActionId
from her2viewer.gui.actions.specs import STAIN_VIEW_ACTIONS
from her2viewer.gui.compare.resolve import comparison_of
from her2viewer.gui.compare.state import CompareMode
from her2viewer.gui.membranes.resolve import can_read
from her2viewer.gui.pane.pane import ImagePane
from her2viewer.gui.panels.explain import ExplainPanel
from her2viewer.gui.panels.score import ScorePanel
from her2viewer.gui.registration.resolve import enabled_registration
from her2viewer.gui.resolve.doing import Doing, resolve_doing, resolve_model_words
from her2viewer.gui.resolve.map import overlay_visible, resolve_explain, resolve_overlay
from her2viewer.gui.resolve.pane import resolve_colouring, resolve_pane
from her2viewer.gui.resolve.score import resolve_score
from her2viewer.gui.state import ModelPhase, ScorePhase, State
from her2viewer.gui.store import Store
from her2viewer.gui.trust.resolve import can_question, resolve_trust
from her2viewer.gui.what_if.resolve import can_vary
from her2viewer.scoring.stains import Stain


class StatusView(Protocol):
    """What the presenter needs of the status bar."""

    def set_model(self, text: str) -> None: ...

    def set_doing(self, doing: Doing) -> None: ...


class Presenter:
    """Listens to the store and keeps the views true."""

    def __init__(
        self,
        store: Store,
        panes: Mapping[Stain, ImagePane],
        score: ScorePanel,
        explain: ExplainPanel,
        status: StatusView,
        actions: Actions,
    ) -> None:
        self._panes = panes
        self._score = score
        self._explain = explain
        self._status = status
        self._actions = actions
        store.listen(self.present)
        self.present(None, store.state)

    def present(self, old: State | None, new: State) -> None:
        """Pushes what differs; everything where there is no old state."""
        for stain, pane in self._panes.items():
            self._present_pane(pane, stain, old, new)
        if old is None or resolve_score(old) != resolve_score(new):
            self._score.show_score(resolve_score(new))
        if old is None or resolve_explain(old) != resolve_explain(new):
            self._explain.show_explain(resolve_explain(new))
        if old is None or resolve_model_words(old) != resolve_model_words(new):
            self._status.set_model(resolve_model_words(new))
        if old is None or resolve_doing(old) != resolve_doing(new):
            self._status.set_doing(resolve_doing(new))
        if old is None or enabled_actions(old) != enabled_actions(new):
            self._actions.set_enabled(enabled_actions(new))
        if old is None or checked_actions(old) != checked_actions(new):
            self._actions.set_checked(checked_actions(new))

    def _present_pane(self, pane: ImagePane, stain: Stain, old: State | None, new: State) -> None:
        before, shown = resolve_pane(old, stain) if old is not None else None, resolve_pane(new, stain)
        other_image = before is None or before.image is not shown.image
        if before != shown:
            if other_image:
                pane.set_image(shown.image)
            pane.set_header(shown.name, shown.info, shown.more)
            pane.set_um_per_px(shown.um_per_px)
            pane.set_opening(shown.opening)
            pane.set_error(shown.error)
        if old is None or other_image or resolve_overlay(old, stain) != resolve_overlay(new, stain):
            pane.set_overlay(resolve_overlay(new, stain), new.style)
        elif old.style != new.style:
            pane.set_overlay_style(new.style)
        colouring = resolve_colouring(new, stain)
        if old is None or other_image or resolve_colouring(old, stain).name != colouring.name:
            pane.set_colouring(colouring)
        if old is None or old.overview_map != new.overview_map:
            pane.set_overview_map(new.overview_map)
        if old is None or overlay_visible(old) != overlay_visible(new):
            pane.set_overlay_visible(overlay_visible(new))


def enabled_actions(state: State) -> dict[ActionId, bool]:
    """Which actions can be asked for now; those not named always can."""
    some = any(state.image(stain) is not None for stain in Stain)
    scored = state.scoring.evidence is not None
    opening = any(slot.opening is not None for slot in state.slots.values())
    scoring = state.scoring.phase is ScorePhase.SCORING
    busy = scoring or opening or state.drawn.pending or state.exporting is not None
    busy = busy or state.registration.progress is not None or state.registration.setting
    busy = busy or state.what_if.progress is not None or state.fields.again is not None
    busy = busy or state.trust.asking or state.membranes.busy
    enabled = {
        ActionId.SWAP: some,
        ActionId.EXPORT: scored and state.exporting is None,
        ActionId.EXPORT_EVIDENCE: scored and state.exporting is None,
        ActionId.SCORE: state.scorable is not None and state.model.phase is not ModelPhase.FAILED and not scoring,
        ActionId.CANCEL: busy,
    }
    looking = (ActionId.FIT, ActionId.ONE_TO_ONE, ActionId.ZOOM_IN, ActionId.ZOOM_OUT)
    turning = (
        ActionId.TURN_LEFT,
        ActionId.TURN_RIGHT,
        ActionId.TURN_A_LITTLE_LEFT,
        ActionId.TURN_A_LITTLE_RIGHT,
        ActionId.FLIP,
        ActionId.UPRIGHT,
    )
    moving = (ActionId.PAN_LEFT, ActionId.PAN_RIGHT, ActionId.PAN_UP, ActionId.PAN_DOWN)
    enabled.update(dict.fromkeys((*looking, *moving, *turning, *STAIN_VIEW_ACTIONS.values()), some))
    explaining = (
        ActionId.OVERLAY,
        ActionId.MORE_OPACITY,
        ActionId.LESS_OPACITY,
        ActionId.NEXT_CLASS,
        ActionId.PREVIOUS_CLASS,
    )
    enabled.update(dict.fromkeys(explaining, scored))
    enabled[ActionId.QUESTION_MAP] = can_question(state) and not state.trust.asking
    enabled[ActionId.UNTRAINED_MAP] = resolve_trust(state).can_show_untrained
    enabled[ActionId.READ_MEMBRANES] = enabled[ActionId.SHOW_CELLS] = can_read(state)
    enabled[ActionId.WHAT_IF] = state.what_if.on or can_vary(state)
    enabled.update(enabled_registration(state))
    return enabled


def checked_actions(state: State) -> dict[ActionId, bool]:
    """Which of the actions that are on or off are on."""
    viewed = state.stain_viewing.view
    return {
        ActionId.LINK: state.linked,
        ActionId.OVERVIEW_MAP: state.overview_map,
        ActionId.OVERLAY: state.overlay_on,
        ActionId.LANDMARKS: state.registration.setting,
        ActionId.WHAT_IF: state.what_if.on,
        ActionId.UNTRAINED_MAP: state.trust.untrained,
        ActionId.SHOW_CELLS: state.membranes.cells_shown and state.membranes.reading is not None,
        **{ActionId(mode): mode is comparison_of(state).mode for mode in CompareMode},
        **{action: view is viewed for view, action in STAIN_VIEW_ACTIONS.items()},
    }
