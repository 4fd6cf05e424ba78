import os
import sys
import threading

import pytest
from pytestqt.qtbot import QtBot

from her2viewer.gui.app import application
from her2viewer.gui.lanes import Lane
from her2viewer.gui.pane.fetching import Asker, Errand, Fetching
from her2viewer.gui.precedence import BEHIND, SWITCH_S

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a nice value for each thread")


def _niceness(*_: object) -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


@on_linux
def test_workers_and_the_threads_they_start_stand_behind_the_window(qtbot: QtBot) -> None:
    before, found = _niceness(), []
    lane, fetching = Lane("lane"), Fetching()

    def and_child(_: object) -> tuple[int, int]:
        of_child: list[int] = []
        child = threading.Thread(target=lambda: of_child.append(_niceness()))
        child.start()
        child.join()
        return _niceness(), of_child[0]

    lane.submit("once", and_child, found.extend)
    fetching.want(Asker(lambda _, nice: found.append(nice), lambda *_: None), [Errand("tile", _niceness)])
    qtbot.waitUntil(lambda: len(found) == 3)
    assert found == [min(before + BEHIND, 19)] * 3
    assert _niceness() == before
    assert lane.close() and fetching.close()


def test_the_window_does_not_wait_long_for_a_workers_python(qapp: object) -> None:
    application()
    assert sys.getswitchinterval() == pytest.approx(SWITCH_S)
