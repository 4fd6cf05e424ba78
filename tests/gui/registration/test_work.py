"""What the worker does for a wish."""

from typing import Any

import numpy as np
import pytest

from her2viewer.gui.registration import work
from her2viewer.gui.registration.work import Wish, registered
from her2viewer.imaging.affine import Affine
from her2viewer.imaging.alignment import Alignment
from her2viewer.imaging.thin_plate import ThinPlate

POINTS = np.array([(0, 0), (9, 0), (0, 9)], float)
BENT = Alignment(Affine(), ThinPlate.through(POINTS, POINTS), "automatic")
HE: Any = "he"
IHC: Any = "ihc"


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the registration will find; the last one counts."""
    results = [Alignment(Affine(), origin="automatic")]

    def register(he: Any, ihc: Any, *, he_um: Any, ihc_um: Any, check: Any, progress: Any) -> Alignment:
        assert (he, ihc, he_um, ihc_um) == (HE, IHC, 0.5, None)
        check()
        progress(1.0)
        return results[-1]

    monkeypatch.setattr(work, "register", register)
    monkeypatch.setattr(work, "bent", lambda he, ihc, alignment, check: BENT)
    return results


def test_a_wish_for_bending_is_bent_where_the_images_match(found: list[Any]) -> None:
    shares: list[float] = []
    assert registered(Wish(HE, IHC, 0.5), lambda: None, shares.append) is found[0]
    assert registered(Wish(HE, IHC, 0.5, bend=True), lambda: None, shares.append) is BENT
    assert shares[0] == 1.0 and shares[1] < 1.0
    found.append(Alignment(Affine(), origin="automatic", poor=True))
    assert registered(Wish(HE, IHC, 0.5, bend=True), lambda: None, shares.append) is found[-1]
