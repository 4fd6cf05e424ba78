"""What the checks take beside the score itself, in one run."""

import statistics
from collections.abc import Sequence

from her2viewer.scoring.evidence import FieldPixels
from her2viewer.scoring.guard.guard import guard_report
from her2viewer.scoring.scorer import Scorer
from tests.benchmarks.measure import in_turn


def cost(scorer: Scorer, field: FieldPixels, rounds: int = 15) -> str:
    """In words: the checks' own time, and as a share of the score without them (the median over rounds of their ratio)."""
    layout = scorer.package.manifest.input
    seconds = in_turn({"whole": lambda: scorer.score(field), "checks": lambda: guard_report(field, layout)}, rounds)
    whole, checks = seconds["whole"], seconds["checks"]
    share = statistics.median(part / (all_of_it - part) for part, all_of_it in zip(checks, whole, strict=True))
    return (
        f"On a pair of {_size(field)} the checks took {_ms(checks)} ms, {share:.0%} of the {_ms(whole)} ms of a score less "
        "their own (medians of rounds in one run)."
    )


def _size(field: FieldPixels) -> str:
    height, width = next(iter(field.pixels.values())).shape[:2]
    return f"{width} x {height} pixels"


def _ms(seconds: Sequence[float]) -> str:
    return f"{statistics.median(seconds) * 1000:.0f}"
