"""Which maps are judged, and what the baselines show."""

import numpy as np

from her2viewer.scoring.evidence import METHODS, STAGES, Evidence
from her2viewer.scoring.scorer import Scorer
from her2viewer.scoring.stains import Stain
from training.phantom.pair import Phantom
from training.truth.judging import as_files
from training.truth.maps import (
    BASELINES,
    CENTRE,
    DAB,
    DAB_ABOVE,
    FINE,
    FREE,
    RANDOM,
    SHOWN_FIRST,
    MapName,
    baseline_planes,
    every_map,
)


def test_every_method_is_judged_at_every_stage_that_it_offers() -> None:
    quick, all_of_them = every_map(slow=False), every_map(slow=True)
    assert set(all_of_them) == {MapName(name) for name in BASELINES} | {
        MapName(method.name, stage) for method in METHODS.values() for stage in method.stages
    } | set(FINE)
    assert set(all_of_them) - set(quick) == {name for name in all_of_them if name.is_slow} != set()
    assert FREE in quick
    assert SHOWN_FIRST in quick
    assert SHOWN_FIRST.can_be_first
    assert not any(name.can_be_first for name in FINE)
    assert str(FREE) == f"Grad-CAM, {STAGES[-1]}"


def planes(evidence: Evidence, ihc: np.ndarray, index: int = 0) -> dict[str, dict[Stain, np.ndarray]]:
    return dict(baseline_planes(evidence, ihc, 64, (505, index)))


def test_baselines(scorer: Scorer, phantoms: dict[str, Phantom]) -> None:
    phantom = phantoms["3+"]
    field = as_files(phantom)
    evidence = scorer.score(field)
    found = planes(evidence, field.pixels[Stain.IHC])
    assert tuple(found) == BASELINES
    for of_stain in found.values():
        assert {plane.shape for plane in of_stain.values()} == {(64, 64)}
        assert set(of_stain) == {Stain.IHC, Stain.HE}
    centre = found[CENTRE][Stain.IHC]
    assert np.unravel_index(centre.argmax(), centre.shape) in [(31, 31), (31, 32), (32, 31), (32, 32)]
    np.testing.assert_allclose(centre, centre[::-1, ::-1], rtol=1e-6)

    density, above = found[DAB][Stain.IHC], found[DAB_ABOVE][Stain.IHC]
    brown = phantom.dab.reshape(64, 8, 64, 8).mean((1, 3))
    assert np.corrcoef(density.ravel(), brown.ravel())[0, 1] > 0.9
    kept = above > 0
    assert 0.01 < kept.mean() < 0.9
    assert density[kept].min() > density[~kept].max()
    np.testing.assert_array_equal(above[kept], density[kept])


def test_random_maps_are_each_pairs_own_and_the_same_again(scorer: Scorer, phantoms: dict[str, Phantom]) -> None:
    field = as_files(phantoms["1+"])
    evidence = scorer.score(field)
    ihc = field.pixels[Stain.IHC]
    first, again, other = (planes(evidence, ihc, index)[RANDOM] for index in (0, 0, 1))
    np.testing.assert_array_equal(first[Stain.IHC], again[Stain.IHC])
    assert np.abs(first[Stain.IHC] - other[Stain.IHC]).max() > 0.1
    assert np.abs(first[Stain.IHC] - first[Stain.HE]).max() > 0.1
