"""From the comparison to what is drawn of the H&E over the IHC, and to the words that say what is seen."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from her2viewer.gui.compare.state import CompareMode, Comparison
from her2viewer.gui.pane.colouring import Colouring
from her2viewer.gui.state import State
from her2viewer.scoring.stains import Stain


def comparison_of(state: State) -> Comparison:
    """The comparison that can be shown: without a pair there is none, whatever the mode."""
    return state.comparison if state.pair is not None else replace(state.comparison, mode=CompareMode.SIDE_BY_SIDE)


@dataclass(frozen=True, slots=True)
class VeilShown:
    """How much of the H&E covers the IHC: the share of the width from the left, and how opaque it is there, 0 to 1."""

    width: float
    opacity: float


def resolve_veil(comparison: Comparison) -> VeilShown | None:
    """What of the H&E lies over the IHC; None where nothing does."""
    match comparison.mode:
        case CompareMode.FLICKER:
            # Unseen, it still has its tiles fetched, so that the images change without one.
            return VeilShown(1.0, 1.0 if comparison.seen is Stain.HE else 0.0)
        case CompareMode.SWIPE:
            return VeilShown(comparison.divider, 1.0) if comparison.divider > 0 else None
        case CompareMode.BLEND:
            return VeilShown(1.0, comparison.blend) if comparison.blend > 0 else None
        case CompareMode.SIDE_BY_SIDE:
            return None


def seen_words(comparison: Comparison) -> str:
    """What the header says is seen in the one place."""
    he, ihc = Stain.HE.caption, Stain.IHC.caption
    match comparison.mode:
        case CompareMode.FLICKER:
            return comparison.seen.caption
        case CompareMode.SWIPE:
            return f"{he} left, {ihc} right"
        case CompareMode.BLEND:
            share = round(comparison.blend * 100)
            return f"{he} {share}%, {ihc} {100 - share}%"
        case CompareMode.SIDE_BY_SIDE:
            return ""


def view_words(colourings: Sequence[Colouring]) -> tuple[str, str]:
    """Which stain views are seen, each said once; and what is to be known of them, for who asks."""
    words = dict.fromkeys(one.words for one in colourings if one.words)
    cautions = dict.fromkeys(one.caution for one in colourings if one.caution)
    more = dict.fromkeys(one.more for one in colourings if one.more)
    return ", ".join(words), "\n\n".join((*cautions, *more))
