"""What is odd about a pair before it is opened, so that a wrong one is seen before a night's run."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

from her2viewer.cases.names import guess_stain, label_of
from her2viewer.cases.pair import Pair
from her2viewer.errors import UserError
from her2viewer.imaging.opening import probe
from her2viewer.scoring.stains import Stain

MOST_UNLIKE: Final = 1.2
"""Proportions of the two images: fields of one place are cut alike; whole slides seldom are."""


def doubts(pairs: Iterable[Pair], check: Callable[[], None] = lambda: None) -> Mapping[str, str]:
    """What is doubtful, by case id: a sentence without a full stop. Reads names and headers, no pixels.

    check: asked before each pair; may raise Cancelled. A file that cannot be read is left to the run, which says why.
    """
    found = {}
    seen: dict[Path, str] = {}
    for pair in pairs:
        check()
        told = doubt_of(pair)
        for path in (pair.he, pair.ihc):
            if path is not None and path in seen:
                told = told or f"{path.name} stands in {seen[path]} as well"
            elif path is not None:
                seen[path] = pair.case_id
        if told:
            found[pair.case_id] = told
    return found


def doubt_of(pair: Pair) -> str | None:
    """What is odd about one pair, or None."""
    if pair.he is None:
        return None
    if pair.he == pair.ihc:
        return "the same file on both sides"
    for stain, path in ((Stain.HE, pair.he), (Stain.IHC, pair.ihc)):
        guessed = guess_stain(path)
        if guessed is not None and guessed is not stain:
            return f"{path.name} sounds like the {guessed.caption}: swapped?"
    labels = {label_of(path.name) for path in pair.both} - {None}
    if len(labels) > 1:
        return f"the names give two labels, {' and '.join(sorted(map(str, labels)))}"
    return _unlike(pair.he, pair.ihc)


def _unlike(he: Path, ihc: Path) -> str | None:
    try:
        (w1, h1), (w2, h2) = probe(he).size, probe(ihc).size
        alike = he.stat().st_size == ihc.stat().st_size and he.read_bytes() == ihc.read_bytes()
    except (UserError, OSError):
        return None
    if alike:
        return "both files hold the same bytes"
    ratio = (w1 / h1) / (w2 / h2)
    if max(ratio, 1 / ratio) > MOST_UNLIKE:
        return f"unlike proportions, {w1} x {h1} and {w2} x {h2} px"
    return None
