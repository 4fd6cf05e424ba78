"""Each verdict by measurements made for it; the words carry the figures that decided."""

from types import MappingProxyType

import numpy as np
import pytest

from her2viewer.scoring.stains import Stain
from her2viewer.scoring.trust.findings import (
    Curves,
    MembraneShare,
    Perturbation,
    Randomised,
    Stability,
    TurnedMap,
    Verdict,
)
from her2viewer.scoring.trust.verdict import judge
from tests.scoring.trust.conftest import GRID, attribution_of

VALUES = np.random.default_rng(0).standard_normal(GRID)


def _curves(early: float, late: float) -> Curves:
    """Deletion falls to `early` halfway, insertion has risen to `late`; both between 0.9 and 0.1."""
    share = np.array([0, 0.5, 1])
    return Curves(share, np.array([0.9, early, 0.1]), np.array([0.1, late, 0.9]))


def _judged(values=VALUES, own=(0.15, 0.85), random=0.05, centre=0.1, turned=0.9, drawn=0.1, swing=1.0):
    squeezed = [
        Curves(c.share, 0.5 + swing * (c.deletion - 0.5), 0.5 + swing * (c.insertion - 0.5))
        for c in (
            _curves(*own),
            *(_curves(0.5 - sign * random, 0.5 + sign * random) for sign in (1, -1, 1, -1)),
            _curves(0.5 - centre, 0.5 + centre),
        )
    ]
    attribution = attribution_of(values)
    return judge(
        attribution,
        Perturbation(squeezed[0], tuple(squeezed[1:5]), squeezed[5], MappingProxyType({Stain.IHC: "glass"})),
        MembraneShare(0.31, (0.1, 0.12, 0.14), 0.11, 0.08, True, 0.1, 0.5),
        Stability((TurnedMap("upside down", turned, turned, 0.02),)),
        Randomised(attribution, (drawn,), (drawn,)),
    )


def test_more_than_chance() -> None:
    verdict, headline, reasons = _judged()
    assert verdict is Verdict.MORE and headline == "This map tells more than chance."
    assert len(reasons) == 4
    # gap 0.35 and spread 0.05: areas 0.325 and 0.675.
    assert "+0.35" in reasons[0] and "7.0 times" in reasons[0] and "2.8 times is needed" in reasons[0]
    assert any("31%" in reason and "8% of the area" in reason and "12%" in reason for reason in reasons)


@pytest.mark.parametrize(
    ("changed", "verdict", "word"),
    [
        ({"own": (0.45, 0.55)}, Verdict.NO_MORE, "1.0 times"),
        ({"own": (0.85, 0.15)}, Verdict.NO_MORE, "-7.0 times"),
        ({"centre": 0.4}, Verdict.NO_MORE, "not above that of a spot in the middle"),
        ({"drawn": -0.8}, Verdict.NO_MORE, "share 64% of it"),
        ({"swing": 0.1}, Verdict.UNKNOWN, "no more than 0.08"),
        ({"turned": 0.4}, Verdict.UNKNOWN, "gets another map"),
        ({"turned": -0.9}, Verdict.UNKNOWN, "gets another map"),
        ({"values": -np.abs(VALUES)}, Verdict.BLANK, "nothing in the field speaks for 1+"),
        ({"values": np.ones(GRID)}, Verdict.NO_MORE, "the same everywhere"),
    ],
)
def test_what_decides_stands_first(changed, verdict, word) -> None:
    found, headline, reasons = _judged(**changed)
    assert found is verdict
    assert word in reasons[0]
    assert headline.startswith("This map" if verdict is not Verdict.UNKNOWN else "Whether this map")


def test_no_words_say_that_a_score_is_right() -> None:
    for changed in ({}, {"drawn": 0.8}, {"swing": 0.1}, {"turned": 0.4}):
        text = " ".join([_judged(**changed)[1], *_judged(**changed)[2]]).lower()
        assert not any(word in text for word in ("correct", "is right", "reliable", "accurate", "trustworthy"))
