import gc
import threading
import weakref

import pytest
from PySide6.QtCore import QThread
from pytestqt.qtbot import QtBot

from her2viewer.gui.garbage import collect_due, put_modules_aside
from her2viewer.gui.lanes import Lane
from her2viewer.gui.state import Model, ModelPhase
from her2viewer.gui.store import Store


class _Cycle:
    """Garbage that only a collection finds; says on which thread it went."""

    def __init__(self, went: list[threading.Thread]) -> None:
        self.itself = self
        weakref.finalize(self, lambda: went.append(threading.current_thread()))


def test_what_a_worker_leaves_is_collected_on_the_windows_thread(qtbot: QtBot) -> None:
    went: list[threading.Thread] = []
    lane, done = Lane("littering"), threading.Event()

    def litter(_: object) -> None:
        for _ in range(20_000):  # far beyond what makes Python collect by itself
            _Cycle(went)
        done.set()

    assert not gc.isenabled()
    lane.submit("litter", litter)
    assert done.wait(30) and not went
    # By the timer, twice a second.
    qtbot.waitUntil(lambda: len(went) == 20_000)
    assert set(went) == {threading.main_thread()} and QThread.currentThread().isMainThread()
    assert lane.close()


@pytest.mark.parametrize(
    ("counts", "due"), [((700, 99, 99), None), ((701, 4, 99), 0), ((701, 5, 4), 1), ((701, 5, 5), 2)]
)
def test_the_generation_that_is_due(
    counts: tuple[int, int, int], due: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    collected: list[int] = []
    monkeypatch.setattr(gc, "get_count", lambda: counts)
    monkeypatch.setattr(gc, "collect", collected.append)
    assert collect_due() == due
    assert collected == ([] if due is None else [due])


def test_modules_are_put_aside_once_the_first_model_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    frozen: list[bool] = []
    monkeypatch.setattr(gc, "freeze", lambda: frozen.append(True))
    store = Store()
    put_modules_aside(store)
    store.change(model=Model(ModelPhase.LOADING))
    assert not frozen
    for _ in range(2):  # another model later puts nothing aside
        store.change(model=Model(ModelPhase.READY))
        assert len(frozen) == 1
        store.change(model=Model(ModelPhase.LOADING))
