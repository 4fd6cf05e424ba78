"""A folder of pairs, and an app that lists it."""

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from her2viewer.gui.app import App
from her2viewer.scoring.stains import Stain

from ..conftest import tissue, write

LABELS = ("0", "1+", "2+", "3+", "1+")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Five pairs in BCI's layout, and an image without a partner."""
    root = tmp_path / "study"
    for number, label in enumerate(LABELS):
        name = f"{number:05}_train_{label}.png"
        write(root / "HE" / name, tissue(2 * number))
        write(root / "IHC" / name, tissue(2 * number + 1, stain=Stain.IHC))
    write(root / "HE" / "00099_train_0.png", tissue(99))
    return root


@pytest.fixture
def listed(app: App, qtbot: QtBot, folder: Path) -> App:
    """The folder is listed and its first case open."""
    app.cases.open_folder(folder)
    qtbot.waitUntil(lambda: app.store.state.pair is not None)
    settled(app, qtbot)
    return app


def settled(app: App, qtbot: QtBot) -> None:
    """Nothing is under way in the files lane."""
    qtbot.waitUntil(lambda: not app.lanes.files.busy)


def on_screen(app: App) -> str:
    """The name of the H&E that is shown."""
    image = app.store.state.image(Stain.HE)
    return image.source.path.name if image is not None else ""
