"""A picture of the real window, opened and scored, made without a screen."""

import os
import tempfile
from pathlib import Path

from PySide6.QtCore import QEventLoop, QTimer

from her2viewer.errors import ExportError, UserError
from her2viewer.gui.app import App, application
from her2viewer.gui.bench import ModelWish
from her2viewer.gui.demo import demo_pair
from her2viewer.gui.frame.hints import HINTS
from her2viewer.gui.settings import Settings
from her2viewer.gui.state import ModelPhase, ScorePhase, State
from her2viewer.gui.theme import ThemeChoice

LONGEST_WAIT_MS = 180_000


def window_picture(
    out: Path,
    pair: tuple[Path, Path] | None = None,
    *,
    model: ModelWish | None = None,
    size: tuple[int, int] = (1440, 900),
    theme: ThemeChoice = ThemeChoice.LIGHT,
) -> None:
    """Opens a pair (H&E, IHC; the demo pair where none is given), scores it, and writes the window to `out` as PNG.

    Needs no display. The user's settings are neither read nor changed. Raises UserError for what the window would have
    shown as one, ExportError where the picture cannot be written.
    """
    if not os.environ.get("QT_QPA_PLATFORM"):
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    pair = pair or demo_pair()
    if pair is None:
        raise ExportError("no demo pair ships with this copy", remedy="name a pair of your own")
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(Path(folder) / "settings.ini")
        settings.demo_at_start = False
        settings.hints_gone = [hint.id for hint in HINTS]
        settings.score_on_open = True
        settings.register_on_open = False  # the score is that of `her2viewer score`, which does not register
        settings.theme = theme
        settings.model = model or ModelWish()
        app = App(application(), settings)
        try:
            app.window.resize(*size)
            app.start(pair)
            trouble = _settle(app)
            if trouble is not None:
                raise trouble
            _save(app, Path(out))
        finally:
            app.window.close()


def _settle(app: App) -> UserError | None:
    """Runs the window until it is scored and drawn, or says why it is not."""
    loop = QEventLoop()
    app.store.listen(lambda _old, new: loop.quit() if _trouble(new) or _scored(new) else None)
    QTimer.singleShot(LONGEST_WAIT_MS, loop, loop.quit)
    if not (_trouble(app.store.state) or _scored(app.store.state)):
        loop.exec()
    for lane in (app.lanes.files, app.lanes.inference):
        if lane.busy:
            lane.busy_changed.connect(loop.quit)
            loop.exec()
    app.window.grab()  # a pane asks for its tiles when it is painted
    for pane in app.window.panes.values():
        pane.view.mosaic.changed.connect(loop.quit)
        while not pane.view.mosaic.settled:
            loop.exec()
    trouble = _trouble(app.store.state)
    if trouble is None and not _scored(app.store.state):
        return ExportError("the window was not ready in time", remedy="try again when the computer is less busy")
    return trouble


def _scored(state: State) -> bool:
    return state.scoring.phase is ScorePhase.SCORED and state.drawn.attribution is not None


def _trouble(state: State) -> UserError | None:
    if state.model.phase is ModelPhase.FAILED:
        return state.model.error
    if state.scoring.phase is ScorePhase.FAILED:
        return state.scoring.error
    return next((slot.error for slot in state.slots.values() if slot.error is not None), None)


def _save(app: App, out: Path) -> None:
    """Under a temporary name first, so that nothing is left half-written."""
    draft = out.with_name(f".{out.name}.part")
    if not app.window.grab().save(str(draft), "PNG"):
        draft.unlink(missing_ok=True)
        raise ExportError("the picture of the window cannot be written", path=out, remedy="choose another folder")
    draft.replace(out)
