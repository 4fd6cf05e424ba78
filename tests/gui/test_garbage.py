import gc
import threading
import weakref

import pytest
from PySide6.QtCore import QThread
from pytestqt.qtbot import QtBot

from her2viewer.gui.garbage import collect_due
from her2viewer.gui.lanes import Lane


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
    ("counts", "due"), [((700, 99, 99), None), ((701, 10, 99), 0), ((701, 11, 10), 1), ((701, 11, 11), 2)]
)
def test_the_generation_that_python_would_collect(
    counts: tuple[int, int, int], due: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    collected: list[int] = []
    monkeypatch.setattr(gc, "get_count", lambda: counts)
    monkeypatch.setattr(gc, "get_threshold", lambda: (700, 10, 10))
    monkeypatch.setattr(gc, "collect", collected.append)
    assert collect_due() == due
    assert collected == ([] if due is None else [due])
