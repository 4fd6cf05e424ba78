"""Registration by what both images show: orientation first, then patches from coarse to fine, similarity and then affine."""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import Final

import numpy as np

from her2viewer.imaging.affine import Affine, Points
from her2viewer.imaging.alignment import Alignment
from her2viewer.imaging.registration.closer import Scan, resolutions, windows_moved
from her2viewer.imaging.registration.patches import REACH, Shifts, agreed, measured
from her2viewer.imaging.registration.plane import HAEMATOXYLIN_DAB, HAEMATOXYLIN_EOSIN, Features, Plane, plane_of
from her2viewer.imaging.registration.search import SCALE_STEP, candidates
from her2viewer.imaging.source import ImageSource
from her2viewer.imaging.thin_plate import ThinPlate

_SCALE_STEPS_KNOWN, _SCALE_STEPS = 1, 3
"""Steps of 9% to either side of the likely scale, where both pixel sizes are known and where not."""
_TRIED: Final = 12
"""Candidates followed to the second stage."""
_FEWEST_AGREEING, _LEAST_SHARE = 8, 0.4
"""Patches that must agree, and their share of those tried, for a stage to count."""
_CONVINCING, _CONVINCING_SHARE = 24, 0.5
"""The same at the second stage for a candidate to be believed. Of 66 pairs that do not match, two came near (31 patches at a
share of 0.40, 11 at 0.46); phantoms come to 50 at 0.9, and serial sections that share their glands to 40 at 0.6."""
_BENT_WITHIN: Final = 6.0
"""How far a patch may lie from the affine for the spline to go through it, px of its stage."""
_STIFFNESS: Final = 1e-3
"""Of the spline. On phantoms it left 0.9 px of an affine's 1.2, ten times as much 1.0, a tenth as much 0.9."""
_CLOSER_WITHIN: Final = 4.0
"""Tolerance for windows, px of their resolution."""
_BEYOND_DOUBT: Final = 0.8
"""Share at the second stage after which no other candidate is looked at."""


@dataclass(frozen=True, slots=True)
class _Stage:
    """One resolution. side: longer side of the overviews, px; patch, step: of the grid, px; tolerance: px."""

    side: int
    patch: int
    step: int
    tolerance: float
    full: bool


_STAGES: Final = (
    _Stage(128, 40, 10, 2.0, full=False),
    _Stage(256, 64, 20, 2.0, full=False),
    _Stage(512, 96, 40, 2.0, full=True),
    _Stage(1024, 128, 80, 3.0, full=True),
)


@dataclass(frozen=True, slots=True)
class _Fit:
    """How far a candidate came. error: median distance left between patches, level-0 px of the IHC."""

    he_to_ihc: Affine
    agreeing: int
    share: float
    error: float

    @property
    def holds(self) -> bool:
        return self.agreeing >= _FEWEST_AGREEING and self.share >= _LEAST_SHARE

    @property
    def convinces(self) -> bool:
        return self.agreeing >= _CONVINCING and self.share >= _CONVINCING_SHARE


def register(
    he: ImageSource,
    ihc: ImageSource,
    *,
    he_um: float | None = None,
    ihc_um: float | None = None,
    check: Callable[[], None] = lambda: None,
    progress: Callable[[float], None] = lambda share: None,
) -> Alignment:
    """The alignment of a pair, in a few seconds whatever its size.

    he_um, ihc_um: micrometres per level-0 px, where the user knows better than the file; check: called often, raises to stop;
    progress: 0..1. Where nothing agrees the pair stays as it was assumed, and the alignment is `poor` and has no error.
    """
    he_um, ihc_um = he_um or _um(he), ihc_um or _um(ihc)
    scans = Scan(he, plane_of(he, HAEMATOXYLIN_EOSIN)), Scan(ihc, plane_of(ihc, HAEMATOXYLIN_DAB))
    work = _Registration(scans[0].plane, scans[1].plane, check)
    progress(0.1)
    assumed = Affine.between(he.size, ihc.size)
    if he_um is not None and ihc_um is not None:
        fit = work.begun(assumed, (he_um / ihc_um,), _SCALE_STEPS_KNOWN)
    else:
        fit = work.begun(assumed, _likely_scales(he, ihc), _SCALE_STEPS)
    progress(0.7)
    if fit is None:
        return Alignment(assumed, origin="automatic", poor=True)
    fit = work.refined(fit)
    progress(0.8)
    for step in resolutions(scans[1], ihc_um):
        shifts = windows_moved(*scans, fit.he_to_ihc, step, check)
        closer = _fit(fit.he_to_ihc, shifts, Affine.stretch(1 / step, 0, 1 / step, 0), _CLOSER_WITHIN, full=True)
        if closer is None or not closer.holds:
            break
        fit = closer
    progress(1.0)
    return Alignment.measured(fit.he_to_ihc, "automatic", fit.error, ihc.size, ihc_um)


def bent(
    he: ImageSource, ihc: ImageSource, alignment: Alignment, *, check: Callable[[], None] = lambda: None
) -> Alignment:
    """The alignment with a thin-plate spline through patches at the finest stage that holds; itself where none does."""
    work = _Registration(plane_of(he, HAEMATOXYLIN_EOSIN), plane_of(ihc, HAEMATOXYLIN_DAB), check)
    moved = work.moved(alignment.he_to_ihc)
    if moved is None:
        return alignment
    return replace(alignment, warp=ThinPlate.through(*moved, _STIFFNESS))


def _um(source: ImageSource) -> float | None:
    return None if source.mpp is None else source.mpp.um


def _likely_scales(he: ImageSource, ihc: ImageSource) -> tuple[float, ...]:
    """How many level-0 px of the IHC one of the H&E may be: as if both showed one field, or else had one pixel size."""
    same_field = max(ihc.size) / max(he.size)
    # Scans of one scanner have one pixel size, whatever they cover.
    is_other = abs(math.log(same_field)) > _SCALE_STEPS * math.log(SCALE_STEP)
    return (same_field, 1.0) if is_other else (same_field,)


def _fit(he_to_ihc: Affine, shifts: Shifts, to_level: Affine, tolerance: float, full: bool) -> _Fit | None:
    """An alignment corrected by shifts measured on it. to_level: from level-0 px of the IHC to those of the shifts."""
    agreement = agreed(shifts, tolerance, full)
    if agreement is None:
        return None
    left = agreement.correction.points(shifts.places) - (shifts.places + shifts.shifts)
    error = float(np.median(np.hypot(*left.T))) / to_level.scale
    corrected = he_to_ihc.then(to_level).then(agreement.correction).then(to_level.inverse())
    return _Fit(corrected, int(agreement.agreeing.sum()), agreement.share, error)


class _Registration:
    """Two overviews, and what was made of them at each resolution."""

    def __init__(self, he: Plane, ihc: Plane, check: Callable[[], None]) -> None:
        self._he, self._ihc, self._check = he, ihc, check
        self._made: dict[int, tuple[Features, Features]] = {}

    def begun(self, assumed: Affine, scales: tuple[float, ...], steps: int) -> _Fit | None:
        """The candidate that most patches agree with at the second stage, or None where that convinces for none."""
        best: _Fit | None = None
        for he, ihc in self._readings():
            found = candidates(he, ihc, scales, steps, self._check)
            for candidate in self._distinct(chain([assumed], found)):
                first = self._fitted(candidate, _STAGES[0])
                fit = self._fitted(first.he_to_ihc, _STAGES[1]) if first is not None and first.holds else None
                if fit is not None and fit.convinces and (best is None or fit.agreeing > best.agreeing):
                    best = fit
                if best is not None and best.share >= _BEYOND_DOUBT:
                    return best
        return best

    def refined(self, fit: _Fit) -> _Fit:
        """Through the finer stages, as far as patches agree: sections that share no cells share their glands."""
        for stage in _STAGES[2:]:
            if stage.side >= 2 * min(self._he.side, self._ihc.side):
                break
            finer = self._fitted(fit.he_to_ihc, stage)
            if finer is None or not finer.holds:
                break
            fit = finer
        return fit

    def moved(self, he_to_ihc: Affine) -> tuple[Points, Points] | None:
        """Where patches laid by an affine are, and where they belong, (n, 2) level-0 px of the IHC each."""
        for stage in reversed(_STAGES[1:]):
            if stage.side >= 2 * min(self._he.side, self._ihc.side):
                continue
            shifts = self._measured(he_to_ihc, stage)
            agreement = agreed(shifts, _BENT_WITHIN, full=True)
            if agreement is not None and agreement.share >= _LEAST_SHARE:
                back = self._ihc.to_level(stage.side).inverse()
                places, shifted = shifts.places[agreement.agreeing], shifts.shifts[agreement.agreeing]
                return back.points(places), back.points(places + shifted)
        return None

    def _readings(self) -> Iterator[tuple[Plane, Plane]]:
        yield self._he, self._ihc
        if min(self._he.scanned.mean(), self._ihc.scanned.mean()) < 0.99:
            yield self._he.without_blank(), self._ihc.without_blank()

    def _fitted(self, he_to_ihc: Affine, stage: _Stage) -> _Fit | None:
        shifts, to_level = self._measured(he_to_ihc, stage), self._ihc.to_level(stage.side)
        return _fit(he_to_ihc, shifts, to_level, stage.tolerance, stage.full)

    def _measured(self, he_to_ihc: Affine, stage: _Stage) -> Shifts:
        self._check()
        if stage.side not in self._made:
            self._made[stage.side] = self._ihc.features(stage.side), self._he.features(stage.side)
        laid = self._he.to_level(stage.side).inverse().then(he_to_ihc).then(self._ihc.to_level(stage.side))
        return measured(*self._made[stage.side], laid, stage.patch, stage.step)

    def _distinct(self, found: Iterable[Affine]) -> Iterator[Affine]:
        """The first few that differ by more than the first stage can mend."""
        to_level, seen = self._ihc.to_level(_STAGES[0].side), list[Points]()
        for candidate in found:
            placed = candidate.then(to_level).points(self._he.corners)
            if all(np.abs(placed - other).max() > REACH for other in seen):
                seen.append(placed)
                yield candidate
            if len(seen) == _TRIED:
                return
