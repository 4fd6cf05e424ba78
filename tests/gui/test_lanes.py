"""Work off the window's thread: order, stale results, errors, cancelling, shutting down."""

import threading
import time

import pytest
from pytestqt.qtbot import QtBot

from her2viewer.errors import UserError
from her2viewer.gui.lanes import Context, Lane, Lanes, Progress

from .conftest import user_error


@pytest.fixture
def lane(qtbot: QtBot):
    made = Lane("test")
    yield made
    made.close()


def test_result_arrives_on_the_windows_thread(lane: Lane, qtbot: QtBot) -> None:
    seen: list[tuple[int, threading.Thread, threading.Thread]] = []
    lane.submit(
        "sum",
        lambda _: (2 + 2, threading.current_thread()),
        lambda r: seen.append((r[0], r[1], threading.current_thread())),
    )
    assert lane.busy
    qtbot.waitUntil(lambda: bool(seen))
    value, worker, listener = seen[0]
    assert value == 4
    assert worker is not threading.main_thread()
    assert listener is threading.main_thread()
    assert not lane.busy


def test_slow_then_fast_shows_only_the_fast(lane: Lane, qtbot: QtBot) -> None:
    gate, started = threading.Event(), threading.Event()
    seen: list[str] = []

    def slow(_: Context) -> str:
        started.set()
        assert gate.wait(10)
        return "slow"

    token = lane.submit("open", slow, seen.append, cancelled=lambda: seen.append("cancelled"))
    assert started.wait(10)
    lane.submit("open", lambda _: "fast", seen.append)
    assert token.cancelled
    gate.set()
    qtbot.waitUntil(lambda: not lane.busy)
    assert seen == ["fast"]


def test_a_failing_job_stops_nothing(lane: Lane, qtbot: QtBot) -> None:
    failures: list[UserError] = []
    crashes: list[Exception] = []
    done: list[int] = []
    lane.crashed.connect(crashes.append)

    def refuse(_: Context) -> None:
        raise user_error()

    def bug(_: Context) -> None:
        raise ZeroDivisionError("1/0")

    lane.submit("a", refuse, failed=failures.append)
    lane.submit("b", bug, failed=failures.append)
    lane.submit("c", lambda _: 7, done.append)
    qtbot.waitUntil(lambda: done == [7])
    assert failures[0].what == "it cannot be done"
    assert "ZeroDivisionError" in failures[1].what
    assert [type(error) for error in crashes] == [ZeroDivisionError]


def test_cancel_is_cooperative_and_told(lane: Lane, qtbot: QtBot) -> None:
    told: list[str] = []
    steps: list[Progress] = []
    started = threading.Event()

    def work(context: Context) -> None:
        context.progress(Progress(1, 3, "first"))
        started.set()
        while True:
            context.token.check()

    token = lane.submit("long", work, cancelled=lambda: told.append("cancelled"), progressed=steps.append)
    qtbot.waitUntil(lambda: bool(steps))
    assert started.wait(10)
    token.cancel()
    qtbot.waitUntil(lambda: told == ["cancelled"])
    assert steps == [Progress(1, 3, "first")]


def test_drop_of_a_queued_job_leaves_the_lane_idle(lane: Lane, qtbot: QtBot) -> None:
    gate = threading.Event()
    lane.submit("first", lambda _: gate.wait(10))
    lane.submit("second", lambda _: pytest.fail("ran"))
    lane.drop("second")
    gate.set()
    qtbot.waitUntil(lambda: not lane.busy)


def test_what_the_user_asks_for_runs_before_the_rest_of_a_batch(lane: Lane, qtbot: QtBot) -> None:
    order: list[str] = []

    def feed(number: int) -> None:
        order.append(f"item {number}")
        if number < 3:
            lane.submit("batch", lambda _: number + 1, feed)
        if number == 1:
            lane.submit("score", lambda _: "score", order.append)

    lane.submit("batch", lambda _: 1, feed)
    qtbot.waitUntil(lambda: "item 3" in order and "score" in order)
    assert order.index("score") < order.index("item 3")


def test_shutdown_with_fifty_jobs_queued_is_immediate(qtbot: QtBot) -> None:
    lane = Lane("crowded")
    started = threading.Event()
    ran: list[int] = []

    def first(context: Context) -> None:
        started.set()
        while True:
            context.token.check()

    lane.submit("first", first)
    for number in range(50):
        lane.submit(f"job {number}", lambda _, number=number: ran.append(number))
    assert started.wait(10)
    begun = time.perf_counter()
    assert lane.close()
    assert time.perf_counter() - begun < 0.5
    assert ran == []


def test_a_job_that_does_not_listen_does_not_hold_the_close_up_for_ever(qtbot: QtBot) -> None:
    lane = Lane("stubborn")
    gate, started = threading.Event(), threading.Event()

    def deaf(_: Context) -> None:
        started.set()
        gate.wait(10)

    lane.submit("deaf", deaf)
    assert started.wait(10)
    begun = time.perf_counter()
    assert not lane.close(0.2)
    assert time.perf_counter() - begun < 1
    gate.set()


def test_nothing_is_taken_or_told_after_close(qtbot: QtBot) -> None:
    lanes = Lanes()
    told: list[object] = []
    lanes.files.submit("x", lambda _: 1, told.append)
    assert lanes.close()
    token = lanes.files.submit("y", lambda _: 2, told.append)
    assert token.cancelled
    assert told == []
