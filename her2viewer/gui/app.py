"""The composition root: builds every part of the app once and ties them together. Nothing here is global."""

import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from her2viewer import __version__
from her2viewer.cases.library.place import library_path
from her2viewer.export.overlay import OverlayStyle
from her2viewer.gui.actions.ids import ActionId as Id
from her2viewer.gui.actions.specs import STAIN_VIEW_ACTIONS
from her2viewer.gui.batch.controller import BatchController
from her2viewer.gui.bench import Bench, Loader, load_scorer
from her2viewer.gui.cases.information import InformationRoom
from her2viewer.gui.cases.prefetch import PrefetchingOpener
from her2viewer.gui.cases.room import CasesRoom
from her2viewer.gui.compare.room import CompareRoom
from her2viewer.gui.controllers.exporting import Exporting
from her2viewer.gui.controllers.images import Images, Opener
from her2viewer.gui.controllers.messenger import Level
from her2viewer.gui.controllers.scoring import ScoringController
from her2viewer.gui.controllers.stain_views import StainViews
from her2viewer.gui.crash import CrashReporter, log_path, start_log
from her2viewer.gui.demo import demo_pair
from her2viewer.gui.dialogs.desk import Desk, show_in_folder
from her2viewer.gui.evidence.room import EvidenceRoom
from her2viewer.gui.fields.room import FieldsRoom
from her2viewer.gui.frame.docks import Panel
from her2viewer.gui.frame.room import FrameRoom
from her2viewer.gui.garbage import GarbageCollection, put_modules_aside
from her2viewer.gui.guard.room import GuardRoom
from her2viewer.gui.lanes import Lanes
from her2viewer.gui.library.keeper import Keeper
from her2viewer.gui.library.room import LibraryRoom
from her2viewer.gui.library.shelf import LibraryShelf
from her2viewer.gui.membranes.room import MembranesRoom
from her2viewer.gui.memory import FreedMemory, share_few_arenas
from her2viewer.gui.pane.tissue_view import WHEEL_DEGREES
from her2viewer.gui.parts import Parts
from her2viewer.gui.precedence import put_window_first
from her2viewer.gui.presenter import Presenter
from her2viewer.gui.readings.room import ReadingsRoom
from her2viewer.gui.registration.room import RegistrationRoom
from her2viewer.gui.registration.work import Register, registered
from her2viewer.gui.resolve.map import next_target
from her2viewer.gui.scale.room import ScaleRoom
from her2viewer.gui.settings import Settings, settings_path
from her2viewer.gui.state import MapWish, ScorePhase, State
from her2viewer.gui.store import Store
from her2viewer.gui.theme import Theme, ThemeChoice
from her2viewer.gui.trust.room import TrustRoom
from her2viewer.gui.what_if.room import WhatIfRoom
from her2viewer.gui.window import MainWindow
from her2viewer.imaging.opening import open_image
from her2viewer.scoring.stains import Stain

OPACITY_STEP = 0.1


class App:
    """One window with its lanes, state and controllers. Everything that differs in a test is handed in.

    library: where the case library is; beside the settings unless it is named.
    """

    def __init__(
        self,
        application: QApplication,
        settings: Settings,
        *,
        opener: Opener = open_image,
        loader: Loader = load_scorer,
        register: Register = registered,
        library: Path | None = None,
        reporter: CrashReporter | None = None,
    ) -> None:
        self.settings = settings
        self.theme = Theme(application, settings.theme)
        self.lanes = Lanes()
        self.store = Store(State(style=settings.style))
        self.window = MainWindow()
        self.bench = Bench(loader)
        messages = self.window.messages
        opening = PrefetchingOpener(opener)
        self.images = Images(self.store, self.lanes.files, opening, messages)
        self.scoring = ScoringController(self.store, self.lanes, self.bench, messages)
        self.presenter = Presenter(
            self.store,
            self.window.panes,
            self.window.score_panel,
            self.window.explain_panel,
            self.window.status_line,
            self.window.actions_,
        )
        self.stain_views = StainViews(self.store, self.lanes.files, messages)
        self.exporting = Exporting(self.store, self.lanes.files, messages, show_in_folder)
        self.batch = BatchController(self.store, self.lanes, self.bench)
        parts = Parts(
            settings,
            self.theme,
            self.lanes,
            self.store,
            self.window,
            opener,
            self.images,
            self.scoring,
            self.exporting,
            self.batch,
            self.stain_views,
        )
        self.desk = Desk(parts)
        self.registration = RegistrationRoom(parts, register)
        self.compare = CompareRoom(parts)
        keeper = Keeper(library or settings.library_file, messages.say_error)
        self.fields = FieldsRoom(parts, self.bench, LibraryShelf(keeper))
        self.library = LibraryRoom(parts, keeper, self.fields.editor, self.registration.controller)
        self.cases = CasesRoom(parts, opening)
        self.scale = ScaleRoom(parts)
        self.information = InformationRoom(parts)
        self.what_if = WhatIfRoom(parts, self.bench)
        self.evidence = EvidenceRoom(parts, self.bench)
        self.trust = TrustRoom(parts, self.bench)
        self.membranes = MembranesRoom(parts)
        self.guard = GuardRoom(parts)
        self.readings = ReadingsRoom(parts, self.library, self.membranes.cancel)
        self.window.docks.add(Panel.CASES, "Cases", self.cases.panel)
        self.window.docks.add(Panel.FIELDS, "Fields", self.window.fields_panel, shown=False)
        self.window.fields_panel.reveal_wanted.connect(partial(self.window.docks.show_panel, Panel.FIELDS))
        self.frame = FrameRoom(parts)
        self.desk.on_hints_wanted = self.frame.hints.reset
        self.frame.escapes[:0] = [self.information.escape, self.scale.escape]
        self.window.command_search.add_source(self.cases.commands)
        # Before the views: a score that is wished at opening waits for the registration.
        rooms = {**self.registration.tie(), **self.compare.tie(), **self.fields.tie(), **self.what_if.tie()}
        rooms |= self.evidence.tie()
        rooms |= {**self.trust.tie(), **self.membranes.tie(), **self.library.tie(), **self.readings.tie()}
        self.guard.tie()
        self._tie_views()
        self._tie_lanes(reporter or CrashReporter(self.window))
        self.window.actions_.connect_all({**self._handlers(), **rooms})
        self._show_theme()
        self.window.set_recent(settings.recent_pairs, veiled=settings.blind_first)

    def start(self, pair: tuple[Path, Path] | None = None, *, demo: bool = False) -> None:
        """Shows the window; the model is loaded and the first pair opened once it has been painted."""
        self.window.show()
        first_time = self.settings.demo_at_start
        self.settings.demo_at_start = False
        QTimer.singleShot(0, self.window, lambda: self._begin(pair, demo=demo, first_time=first_time))

    def _begin(self, pair: tuple[Path, Path] | None, *, demo: bool, first_time: bool) -> None:
        # Images first: they are there before torch has been imported.
        if demo or (pair is None and first_time and demo_pair() is not None):
            self.open_demo(score=demo or first_time)
        elif pair is not None:
            self.images.open({Stain.HE: pair[0], Stain.IHC: pair[1]})
        self.scoring.load_model(self.settings.model)

    def open_demo(self, *, score: bool = False) -> None:
        """Opens the pair that ships with the app, and scores it where that was asked for."""
        pair = demo_pair()
        if pair is None:
            self.window.messages.say(
                "No demo pair ships with this copy; open a pair of your own with Ctrl+O.", Level.WARNING
            )
            return
        self._score_next = score
        self.images.open({Stain.HE: pair[0], Stain.IHC: pair[1]})

    def close(self) -> None:
        """Stops all work, waits for it, and remembers the window."""
        self.frame.close()
        self.settings.style = self.store.state.style
        self.settings.save()
        self.desk.close()
        self.fields.close()
        self.compare.close()
        self.registration.close()
        self.membranes.close()
        self.theme.close()
        self.window.fetching.close()
        self.lanes.close()
        self.batch.close()
        self.library.close()
        self.cases.close()
        self.images.close()

    _score_next = False

    def _on_pair(self, he: Path, ihc: Path) -> None:
        # An image that came into one pane alone is looked at where the other one is.
        self.window.link.set_on(self.store.state.linked)
        self.window.refresh_scales()
        self.settings.remember_pair(he, ihc)
        self.window.set_recent(self.settings.recent_pairs, veiled=self.settings.blind_first)
        wanted, self._score_next = self._score_next or self.settings.score_on_open, False
        if wanted and self.store.state.scoring.phase not in (ScorePhase.SCORED, ScorePhase.SEALED):
            self.library.when_known(lambda: self.registration.controller.when_settled(self.scoring.score))

    def _tie_views(self) -> None:
        window, store = self.window, self.store
        self.images.on_pair_opened.append(self._on_pair)
        for stain, pane in window.panes.items():
            pane.files_dropped.connect(partial(self._on_drop, stain))
            pane.open_requested.connect(self.desk.open_pair)
            pane.view.mosaic.failed.connect(self.window.messages.say_error)
        window.recent_chosen.connect(lambda he, ihc: self.images.open({Stain.HE: he, Stain.IHC: ihc}))
        window.page_requested.connect(self.cases.page)
        window.look_beneath.connect(lambda held: store.change(overlay_held_away=held))
        window.closing.connect(self.close)
        window.may_close = self.desk.may_close
        window.status_line.cancel_requested.connect(self.cancel)
        window.status_line.model_requested.connect(self.desk.model_card)
        window.score_panel.score_requested.connect(self.scoring.score)
        window.score_panel.cancel_requested.connect(self.cancel)
        window.score_panel.swap_requested.connect(self.images.swap)
        explain = window.explain_panel
        explain.overlay_toggled.connect(lambda on: store.change(overlay_on=on))
        explain.style_changed.connect(lambda style: store.change(style=style))
        explain.target_changed.connect(lambda target: self.scoring.show_map(replace(store.state.wish, target=target)))
        explain.stage_changed.connect(lambda stage: self.scoring.show_map(replace(store.state.wish, stage=stage)))
        explain.method_changed.connect(lambda method: self.scoring.show_map(replace(store.state.wish, method=method)))
        explain.against_changed.connect(lambda other: self.scoring.show_map(replace(store.state.wish, against=other)))
        self.theme.changed.connect(self._show_theme)

    def _tie_lanes(self, reporter: CrashReporter) -> None:
        for lane in (
            self.lanes.files,
            self.lanes.inference,
            self.registration.lane,
            self.membranes.lane,
            self.library.keeper.lane,
            self.window.fetching,
        ):
            lane.crashed.connect(reporter.report)
        reporter.reported.connect(self.desk.show_report)

    def _on_drop(self, stain: Stain, files: list[Path]) -> None:
        self.images.drop(files, stain)

    def _handlers(self) -> dict[Id, Callable[[], object]]:
        window, scoring = self.window, self.scoring
        return {
            Id.OPEN_PAIR: self.desk.open_pair,
            Id.OPEN_DEMO: self.open_demo,
            Id.SWAP: self.images.swap,
            Id.EXPORT: self.desk.export,
            Id.BATCH: self.desk.batch,
            Id.PREFERENCES: self.desk.preferences,
            Id.QUIT: window.close,
            Id.FIT: window.fit,
            Id.ONE_TO_ONE: partial(window.zoom_to, 1.0),
            Id.ZOOM_IN: partial(window.zoom_by, 2.0),
            Id.ZOOM_OUT: partial(window.zoom_by, 0.5),
            Id.PAN_LEFT: partial(window.pan_by, -0.125, 0),
            Id.PAN_RIGHT: partial(window.pan_by, 0.125, 0),
            Id.PAN_UP: partial(window.pan_by, 0, -0.125),
            Id.PAN_DOWN: partial(window.pan_by, 0, 0.125),
            Id.TURN_LEFT: partial(window.turn_by, -90.0),
            Id.TURN_RIGHT: partial(window.turn_by, 90.0),
            Id.TURN_A_LITTLE_LEFT: partial(window.turn_by, -WHEEL_DEGREES),
            Id.TURN_A_LITTLE_RIGHT: partial(window.turn_by, WHEEL_DEGREES),
            Id.FLIP: window.flip,
            Id.UPRIGHT: window.set_upright,
            Id.OVERVIEW_MAP: lambda: self.store.change(overview_map=not self.store.state.overview_map),
            **{action: partial(self.stain_views.show, view) for view, action in STAIN_VIEW_ACTIONS.items()},
            Id.STAIN_VECTORS: self.desk.stain_vectors,
            Id.LINK: self._toggle_link,
            Id.SCORE: scoring.score,
            Id.CANCEL: self.cancel,
            Id.OVERLAY: lambda: self.store.change(overlay_on=not self.store.state.overlay_on),
            Id.MORE_OPACITY: partial(self._change_opacity, OPACITY_STEP),
            Id.LESS_OPACITY: partial(self._change_opacity, -OPACITY_STEP),
            Id.NEXT_CLASS: lambda: scoring.show_map(next_target(self.store.state, 1)),
            Id.PREVIOUS_CLASS: lambda: scoring.show_map(next_target(self.store.state, -1)),
            Id.THEME_SYSTEM: partial(self.choose_theme, ThemeChoice.SYSTEM),
            Id.THEME_LIGHT: partial(self.choose_theme, ThemeChoice.LIGHT),
            Id.THEME_DARK: partial(self.choose_theme, ThemeChoice.DARK),
            Id.SHORTCUTS: self.desk.shortcuts,
            Id.COPY_MESSAGE: window.messages.copy,
            Id.MODEL_CARD: self.desk.model_card,
            Id.ABOUT: self.desk.about,
            **self.cases.handlers(),
            **self.scale.handlers(),
            **self.information.handlers(),
            **self.frame.handlers(),
        }

    def cancel(self) -> None:
        """Stops whatever the window is working on; a batch has its own button."""
        self.registration.cancel()
        self.images.cancel()
        self.scoring.cancel()
        self.what_if.cancel()
        self.trust.cancel()
        self.membranes.cancel()
        self.exporting.cancel()
        self.evidence.cancel()
        self.fields.rescoring.cancel()

    def choose_theme(self, choice: ThemeChoice) -> None:
        """Changes the theme and remembers it."""
        self.settings.theme = choice
        self.theme.choose(choice)
        self._show_theme()

    def set_style(self, style: OverlayStyle) -> None:
        """Draws the map otherwise."""
        self.store.change(style=style)

    def set_map(self, target: str | None, stage: str, method: str = "Grad-CAM", against: str | None = None) -> None:
        """Draws another map."""
        self.scoring.show_map(MapWish(target, stage, method, against))

    def _change_opacity(self, by: float) -> None:
        style = self.store.state.style
        self.set_style(replace(style, opacity=min(max(round(style.opacity + by, 2), 0.0), 1.0)))

    def _toggle_link(self) -> None:
        linked = not self.store.state.linked
        self.store.change(linked=linked)
        self.window.link.set_on(linked)

    def _show_theme(self) -> None:
        themes = {
            Id.THEME_SYSTEM: ThemeChoice.SYSTEM,
            Id.THEME_LIGHT: ThemeChoice.LIGHT,
            Id.THEME_DARK: ThemeChoice.DARK,
        }
        self.window.actions_.set_checked({action: choice is self.theme.choice for action, choice in themes.items()})


def application() -> QApplication:
    """The Qt application, made once; its thread goes before the workers'."""
    put_window_first()
    share_few_arenas()
    existing = QApplication.instance()
    if isinstance(existing, QApplication):
        return existing
    made = QApplication(sys.argv[:1])
    made.setApplicationName("HER2 Viewer")
    made.setApplicationVersion(__version__)
    made.setDesktopFileName("her2viewer")
    GarbageCollection(made)
    FreedMemory(made)
    return made


def run(paths: tuple[Path, Path] | None = None, demo: bool = False) -> int:
    """Opens the window, with a pair (H&E, IHC) or the demo pair where asked for, and returns when it is closed."""
    start_log(log_path())
    qt = application()
    reporter = CrashReporter()
    reporter.install()
    try:
        app = App(qt, Settings(settings_path()), library=library_path(), reporter=reporter)
        put_modules_aside(app.store)
        app.start(paths, demo=demo)
        return qt.exec()
    finally:
        reporter.uninstall()
