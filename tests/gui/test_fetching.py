"""Worker threads for tiles: the most wanted first, the unwanted never, and a clean end."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from her2viewer.gui.pane.fetching import Asker, Errand, Fetching

from .conftest import user_error


class Diary:
    """An asker with its arrivals."""

    def __init__(self) -> None:
        self.took: list[tuple[Any, Any]] = []
        self.refused: list[tuple[Any, Exception]] = []
        self.asker = Asker(lambda key, result: self.took.append((key, result)), self._refused)

    def _refused(self, key: Any, error: Exception) -> None:
        self.refused.append((key, error))


@pytest.fixture
def fetching(qtbot: QtBot) -> Iterator[Fetching]:
    made = Fetching(threads=1)
    yield made
    assert made.close(10)


def held(gate: threading.Event, begun: threading.Event | None = None) -> Callable[[], str]:
    def work() -> str:
        if begun is not None:
            begun.set()
        assert gate.wait(30)
        return "held"

    return work


def test_results_arrive_on_the_thread_that_asked(fetching: Fetching, qtbot: QtBot) -> None:
    threads: list[threading.Thread] = []
    diary = Diary()
    where: list[threading.Thread] = []
    asker = Asker(lambda *_: where.append(threading.current_thread()), diary._refused)
    fetching.want(asker, [Errand(1, lambda: threads.append(threading.current_thread()))])
    qtbot.waitUntil(lambda: len(where) == 1)
    assert where == [threading.main_thread()]
    assert threads != [threading.main_thread()]


def test_the_most_wanted_comes_first_and_what_is_not_wanted_any_more_never(fetching: Fetching, qtbot: QtBot) -> None:
    gate, begun = threading.Event(), threading.Event()
    diary = Diary()
    fetching.want(diary.asker, [Errand("first", held(gate, begun)), Errand("old", lambda: "old")])
    qtbot.waitUntil(begun.is_set)
    fetching.want(diary.asker, [Errand(name, lambda name=name: name) for name in ("b", "a", "first")])
    gate.set()
    qtbot.waitUntil(lambda: len(diary.took) == 3)
    assert diary.took == [("first", "held"), ("b", "b"), ("a", "a")]


def test_askers_take_turns(fetching: Fetching, qtbot: QtBot) -> None:
    gate, begun, order = threading.Event(), threading.Event(), []
    one, two = Diary(), Diary()
    fetching.want(one.asker, [Errand(0, held(gate, begun))])
    qtbot.waitUntil(begun.is_set)
    for diary, name in ((one, "one"), (two, "two")):
        fetching.want(diary.asker, [Errand(i, lambda name=name: order.append(name)) for i in range(1, 4)])
    gate.set()
    qtbot.waitUntil(lambda: len(order) == 6)
    assert order[0] != order[1] and order[2] != order[3]


def test_what_was_dropped_does_not_arrive(fetching: Fetching, qtbot: QtBot) -> None:
    gate, begun = threading.Event(), threading.Event()
    diary = Diary()
    fetching.want(diary.asker, [Errand("stale", held(gate, begun)), Errand("never", lambda: "never")])
    qtbot.waitUntil(begun.is_set)
    fetching.drop(diary.asker)
    fetching.want(diary.asker, [Errand("fresh", lambda: "fresh")])
    gate.set()
    qtbot.waitUntil(lambda: bool(diary.took))
    assert diary.took == [("fresh", "fresh")]


def test_trouble_is_data_and_the_rest_goes_on(fetching: Fetching, qtbot: QtBot) -> None:
    diary, crashes = Diary(), []
    fetching.crashed.connect(crashes.append)

    def fail(error: Exception) -> None:
        raise error

    bug, trouble = ZeroDivisionError("a bug"), user_error()
    fetching.want(
        diary.asker,
        [Errand(1, lambda: fail(trouble)), Errand(2, lambda: fail(bug)), Errand(3, lambda: "fine")],
    )
    qtbot.waitUntil(lambda: bool(diary.took))
    assert diary.refused == [(1, trouble), (2, bug)]
    assert crashes == [bug]


def test_threads_end_by_themselves_when_nothing_is_wanted(qtbot: QtBot) -> None:
    fetching, diary = Fetching(threads=2), Diary()
    for round_ in range(20):
        fetching.want(diary.asker, [Errand((round_, i), lambda: None) for i in range(4)])
    qtbot.waitUntil(lambda: not fetching._threads)
    assert len(diary.took) <= 80
    assert fetching.close()


def test_close_waits_for_what_is_under_way_and_nothing_arrives_after_it(qtbot: QtBot) -> None:
    fetching, diary = Fetching(threads=2), Diary()
    gate, begun = threading.Event(), threading.Event()
    fetching.want(diary.asker, [Errand(1, held(gate, begun)), *(Errand(i, lambda: None) for i in range(2, 50))])
    qtbot.waitUntil(begun.is_set)
    assert not fetching.close(0.01)
    gate.set()
    assert fetching.close(10)
    assert fetching.close(10)
    fetching.want(diary.asker, [Errand("late", lambda: None)])
    assert not fetching._threads
