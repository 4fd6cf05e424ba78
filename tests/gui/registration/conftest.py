"""A registration that knows nothing but what it is told, and can be held up."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from pytestqt.qtbot import QtBot

from her2viewer.errors import UserError
from her2viewer.gui.app import App
from her2viewer.gui.registration.work import Wish
from her2viewer.imaging.affine import Affine
from her2viewer.imaging.alignment import Alignment

from ..conftest import AppMaker, opened

TURNED = Alignment(Affine.similarity(1.1, 20.0, (6.0, -9.0), about=(128.0, 128.0)), origin="automatic", error_px=1.9)


@dataclass
class FakeRegister:
    """Implements Register. `gate` holds it up, as long as nobody stops it."""

    result: Alignment | UserError = TURNED
    gate: threading.Event = field(default_factory=threading.Event)
    started: threading.Event = field(default_factory=threading.Event)
    stopped: threading.Event = field(default_factory=threading.Event)
    wishes: list[Wish] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.gate.set()

    def __call__(self, wish: Wish, check: Callable[[], None], progress: Callable[[float], None]) -> Alignment:
        self.wishes.append(wish)
        self.started.set()
        progress(0.5)
        while not self.gate.wait(0.02):
            try:
                check()
            except Exception:
                self.stopped.set()
                raise
        if isinstance(self.result, UserError):
            raise self.result
        return self.result


@pytest.fixture
def register() -> Iterator[FakeRegister]:
    made = FakeRegister()
    yield made
    made.gate.set()


@pytest.fixture
def aligned_app(make_app: AppMaker, qtbot: QtBot, register: FakeRegister, pair) -> App:
    """An app with an open pair whose registration is the fake one."""
    app = make_app()
    app.registration.controller._register = register
    opened(app, qtbot, pair)
    return app
