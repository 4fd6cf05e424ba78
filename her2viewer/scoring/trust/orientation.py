"""Does the map stay on the tissue when the tissue is turned?"""

from collections.abc import Callable

import numpy as np

from her2viewer.errors import Cancelled
from her2viewer.scoring.evidence import Attribution, Evidence
from her2viewer.scoring.trust.agreement import correlation, rank_correlation
from her2viewer.scoring.trust.cells import given, in_place, over_input, turns
from her2viewer.scoring.trust.explained import Explained
from her2viewer.scoring.trust.findings import Stability, TurnedMap


def turn_over(
    explained: Explained, evidence: Evidence, attribution: Attribution, *, cancelled: Callable[[], bool] = lambda: False
) -> Stability:
    """The map of each turned input, turned back, beside the map. Both stains turn alike, each within its cell. Raises Cancelled.

    Maps are compared on the input's pixels, as they are drawn: a grid with a column on the seam cannot be turned itself.
    """
    layout, there = evidence.layout, given(evidence)
    drawn = over_input(attribution)
    usual = explained.probabilities(evidence.network_input[None])[0]
    found = []
    for name, (turn, back) in turns(layout).items():
        if cancelled():
            raise Cancelled
        picture = in_place(evidence.network_input, layout, turn)
        seen = in_place(over_input(attribution, explained.values(picture)), layout, back)
        moved = float(np.abs(explained.probabilities(picture[None])[0] - usual).max())
        one, two = drawn[there], seen[there]
        found.append(TurnedMap(name, correlation(one, two), rank_correlation(one, two), moved))
    return Stability(tuple(found))
