"""A real window whose library lies in the test's own folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from her2viewer.gui.app import App
from her2viewer.gui.readings.state import LibraryPhase
from her2viewer.gui.state import ScorePhase
from her2viewer.scoring.stains import Stain

from ..conftest import opened, tissue, write


def known(app: App, qtbot: QtBot) -> None:
    """The library has said which case is on screen, and everything is written."""
    qtbot.waitUntil(lambda: app.store.state.readings.case is not None)
    settled(app, qtbot)


def settled(app: App, qtbot: QtBot) -> None:
    """Nothing is asked of the library any more."""
    room = app.library
    qtbot.waitUntil(
        lambda: not room.keeper.lane.busy and not room._listing.isActive() and not room._soon.isActive()
    )
    qtbot.waitUntil(lambda: not app.lanes.files.busy and not app.fields.keeping._timer.isActive())


def shown(app: App, qtbot: QtBot, pair: tuple[Path, Path]) -> None:
    """A pair stands and its case is known."""
    opened(app, qtbot, pair)
    known(app, qtbot)


def scored(app: App, qtbot: QtBot) -> None:
    """The model has spoken, seen or sealed."""
    app.scoring.score()
    qtbot.waitUntil(lambda: app.store.state.scoring.phase in (ScorePhase.SCORED, ScorePhase.SEALED))
    settled(app, qtbot)


def read(app: App, qtbot: QtBot, score: str) -> None:
    """The reader's own score, by its button."""
    app.window.reading_panel.buttons[score].click()
    qtbot.waitUntil(
        lambda: app.store.state.readings.reading is not None and app.store.state.readings.reading.score == score
    )
    settled(app, qtbot)


@pytest.fixture
def open_app(app: App, qtbot: QtBot, pair: tuple[Path, Path]) -> App:
    """An app with a pair whose case is known."""
    qtbot.waitUntil(lambda: app.store.state.readings.phase is LibraryPhase.OPEN)
    shown(app, qtbot, pair)
    return app


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Four pairs in BCI's layout."""
    root = tmp_path / "study"
    for index, label in enumerate(("0", "1+", "2+", "3+")):
        for place, stain in (("HE", Stain.HE), ("IHC", Stain.IHC)):
            write(root / place / f"{index:05}_train_{label}.png", tissue(10 * index + (stain is Stain.IHC), stain=stain))
    return root
