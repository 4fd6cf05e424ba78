"""What the checks take beside the score itself, in one run."""

import statistics
import time
from collections.abc import Callable, Sequence

from her2viewer.scoring.evidence import FieldPixels
from her2viewer.scoring.guard.guard import guard_report
from her2viewer.scoring.scorer import Scorer


def cost(scorer: Scorer, field: FieldPixels, rounds: int = 15) -> str:
    """In words: the checks' own time, and as a share of the score without them (the median over rounds of their ratio).

    Counted in processor time, which other programs on the machine lengthen less than the clock's.
    """
    layout = scorer.package.manifest.input
    whole, checks = [], []
    for _ in range(rounds + 2):
        checks.append(_taken(lambda: guard_report(field, layout)))
        whole.append(_taken(lambda: scorer.score(field)))
    whole, checks = whole[2:], checks[2:]
    share = statistics.median(part / (all_of_it - part) for part, all_of_it in zip(checks, whole, strict=True))
    return (
        f"On a pair of {_size(field)} the checks took {_ms(checks)} ms of processor time, {share:.0%} of what a score takes "
        f"without them ({_ms(whole)} ms with them; medians of rounds in one run)."
    )


def _taken(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def _size(field: FieldPixels) -> str:
    height, width = next(iter(field.pixels.values())).shape[:2]
    return f"{width} x {height} pixels"


def _ms(seconds: Sequence[float]) -> str:
    return f"{statistics.median(seconds) * 1000:.0f}"
