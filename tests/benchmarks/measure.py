"""Times several ways of one job in turn, so that a slow moment of the machine hits them all alike."""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One figure beside its peer or floor. `ratio` is the median over rounds of value / other (or its inverse, see `goal`)."""

    figure: str
    value: float
    unit: str
    other: str
    other_value: float
    ratio: float
    goal: str
    met: bool | None
    """None where a figure has no goal."""

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def in_turn(ways: Mapping[str, Callable[[], object]], rounds: int = 15, warm_up: int = 3) -> dict[str, list[float]]:
    """Seconds of each way in each round, after a warm-up; the ways take turns within a round."""
    for _ in range(warm_up):
        for way in ways.values():
            way()
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            started = time.perf_counter()
            way()
            seconds[name].append(time.perf_counter() - started)
    return seconds


def faster(figure: str, seconds: Mapping[str, list[float]], ours: str, peer: str, goal: float) -> Row:
    """How many times faster than a peer: the median over rounds of peer / ours, at least `goal`."""
    ratio = statistics.median(p / o for o, p in zip(seconds[ours], seconds[peer], strict=True))
    return _row(figure, seconds, ours, peer, ratio, f">= {goal:g} times faster", ratio >= goal)


def within(figure: str, seconds: Mapping[str, list[float]], ours: str, floor: str, goal: float) -> Row:
    """How much slower than a floor: the median over rounds of ours / floor, at most `goal`."""
    ratio = statistics.median(o / f for o, f in zip(seconds[ours], seconds[floor], strict=True))
    return _row(figure, seconds, ours, floor, ratio, f"<= {goal:g} times the floor", ratio <= goal)


def _row(
    figure: str, seconds: Mapping[str, list[float]], ours: str, other: str, ratio: float, goal: str, met: bool
) -> Row:
    ms = {name: statistics.median(values) * 1000 for name, values in seconds.items()}
    return Row(figure, round(ms[ours], 1), "ms", other, round(ms[other], 1), round(ratio, 2), goal, met)
