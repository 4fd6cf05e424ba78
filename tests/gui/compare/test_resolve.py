"""What of the H&E covers the IHC, and the words that say it."""

from dataclasses import replace

import pytest

from her2viewer.gui.compare.resolve import VeilShown, comparison_of, resolve_veil, seen_words, view_words
from her2viewer.gui.compare.state import CompareMode, Comparison
from her2viewer.gui.pane.colouring import ORIGINAL, Colouring
from her2viewer.gui.state import State
from her2viewer.scoring.stains import Stain


@pytest.mark.parametrize(
    ("comparison", "veil", "words"),
    [
        (Comparison(), None, ""),
        (Comparison(CompareMode.FLICKER, Stain.IHC), VeilShown(1, 0), "IHC HER2"),
        (Comparison(CompareMode.FLICKER, Stain.HE), VeilShown(1, 1), "H&E"),
        (Comparison(CompareMode.FLICKER, Stain.HE, held=True), VeilShown(1, 0), "IHC HER2"),
        (Comparison(CompareMode.SWIPE, divider=0.3), VeilShown(0.3, 1), "H&E left, IHC HER2 right"),
        (Comparison(CompareMode.SWIPE, divider=0.0), None, "H&E left, IHC HER2 right"),
        (Comparison(CompareMode.BLEND, blend=0.25), VeilShown(1, 0.25), "H&E 25%, IHC HER2 75%"),
        (Comparison(CompareMode.BLEND, blend=0.0), None, "H&E 0%, IHC HER2 100%"),
    ],
)
def test_what_is_seen(comparison: Comparison, veil: VeilShown | None, words: str) -> None:
    assert resolve_veil(comparison) == veil
    assert seen_words(comparison) == words


def test_without_a_pair_nothing_is_compared() -> None:
    state = replace(State(), comparison=Comparison(CompareMode.BLEND, blend=0.7))
    assert comparison_of(state) == Comparison(blend=0.7)


def test_a_stain_view_of_both_is_said_once() -> None:
    view = Colouring("h", None, "Haematoxylin", "Haematoxylin: rough", "From vectors.")
    assert view_words([ORIGINAL, ORIGINAL]) == ("", "")
    assert view_words([view, view]) == ("Haematoxylin", "Haematoxylin: rough\n\nFrom vectors.")
    assert view_words([view, replace(view, words="DAB")])[0] == "Haematoxylin, DAB"
