"""Nuclei of drawn cells."""

import numpy as np
import pytest

from her2viewer.scoring.membrane.dyes import WORKING_MPP, dye_planes
from her2viewer.scoring.membrane.nuclei import find_nuclei
from tests.scoring.membrane.conftest import NUCLEUS, Field, centres


@pytest.mark.parametrize("dab", [0.0, 0.2, 0.9])
def test_every_nucleus_is_found_once_where_it_is(field: Field, dab: float) -> None:
    nuclei = find_nuclei(dye_planes(field(dab=dab), WORKING_MPP))
    away = np.hypot(*(nuclei.centre[:, None] - centres(8)[None]).transpose(2, 0, 1))
    # Between four rings there is a pale hole, too; it has no nucleus, but may look like a cell that was cut beside it.
    assert (away.min(axis=0) <= NUCLEUS / 2).all()
    assert ((away <= NUCLEUS).sum(axis=0) == 1).all()


def test_size_and_roundness(field: Field) -> None:
    nuclei = find_nuclei(dye_planes(field(), WORKING_MPP))
    assert len(nuclei) == 64
    assert np.median(nuclei.radius) == pytest.approx(NUCLEUS, rel=0.15)
    assert nuclei.elongation.max() < 1.3


def test_a_brown_ring_without_counterstain_is_a_cell(field: Field) -> None:
    nuclei = find_nuclei(dye_planes(field(across=4, dab=0.9, nucleus=0.04), WORKING_MPP))
    away = np.hypot(*(nuclei.centre[:, None] - centres(4)[None]).transpose(2, 0, 1))
    assert (away.min(axis=0) <= NUCLEUS).mean() >= 0.9


def test_nothing_on_glass() -> None:
    rng = np.random.default_rng(1)
    glass = np.clip(rng.normal(238, 1.2, (200, 200, 3)), 0, 255).astype(np.uint8)
    assert len(find_nuclei(dye_planes(glass, WORKING_MPP))) == 0
