"""Does the map stay on the tissue when the tissue is turned?"""

from collections.abc import Callable

import numpy as np

from her2viewer.errors import Cancelled
from her2viewer.scoring.attribution.attribution import Attribution
from her2viewer.scoring.evidence import Evidence
from her2viewer.scoring.trust.agreement import correlation, rank_correlation
from her2viewer.scoring.trust.cells import given, in_place, over_input, sampled, turns
from her2viewer.scoring.trust.explained import Explained
from her2viewer.scoring.trust.findings import Stability, TurnedMap
from her2viewer.scoring.watching import never


def turn_over(
    explained: Explained, evidence: Evidence, attribution: Attribution, *, cancelled: Callable[[], bool] = never
) -> Stability:
    """The map of each turned input, turned back, beside the map. Both stains turn alike, each within its cell. Raises Cancelled.

    Maps are compared on the input's pixels, as they are drawn: a grid with a column on the seam cannot be turned itself.
    """
    layout, parts = evidence.layout, given(evidence)
    drawn = sampled(over_input(attribution), parts)
    pictures = {name: in_place(evidence.network_input, layout, turn) for name, (turn, _) in turns(layout).items()}
    usual, *others = explained.probabilities(np.stack([evidence.network_input, *pictures.values()]))
    found = []
    for (name, (_, back)), probabilities in zip(turns(layout).items(), others, strict=True):
        if cancelled():
            raise Cancelled
        turned = over_input(attribution, explained.values(pictures[name]))
        seen = sampled(in_place(turned, layout, back), parts)
        moved = float(np.abs(probabilities - usual).max())
        found.append(TurnedMap(name, correlation(drawn, seen), rank_correlation(drawn, seen), moved))
    return Stability(tuple(found))
