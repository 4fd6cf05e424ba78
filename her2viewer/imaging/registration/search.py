"""Where to begin: every orientation and scale is tried on a small overview, each with its best shift.

The score of a shift is the correlation of what both show there, which masked Fourier transforms give for all shifts at once
(Padfield 2012; the features have no mean to take away). On 64 px a thousand orientations take less time than one pass over
the full picture, and unlike log-polar methods it asks for no centre, no periodic picture and no full overlap.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

from her2viewer.imaging.affine import Affine
from her2viewer.imaging.registration.plane import Plane

SIDE: Final = 64
_FINEST, _COARSEST = 0.7, 8.0
_DEGREES: Final = 6.0
SCALE_STEP: Final = 1.09
"""Half a step of either moves the rim of a 64 px picture by less than two of its pixels."""
_FEWEST_SHARED: Final = 0.15
"""Share of either picture's structure that has to lie on the other."""
_NEAR_KEPT: Final = 6
_NEAR_DEGREES, _NEAR_STEPS, _NEAR_SHIFT = 12.0, 1, 0.2
"""What counts as near to the assumption: degrees, steps of scale, shift as a share of the side."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place to begin from. he_to_ihc: level-0 px; score: correlation of what is shared, less for a small overlap."""

    he_to_ihc: Affine
    score: float


def candidates(
    he: Plane, ihc: Plane, scales: tuple[float, ...], steps: int, check: Callable[[], None]
) -> Iterator[Affine]:
    """From level-0 px of the H&E to those of the IHC: the best of every orientation, best first; nothing is searched until asked.

    Ahead of them stand the best few that turn and shift little, for pairs that were cut out of two slides at one place.
    scales: how many level-0 px of the IHC one of the H&E may be, each tried with `steps` steps to either side. check:
    called now and then; raises to stop.
    """
    search = _Search(he, ihc)
    found: list[Candidate] = []
    near: list[Candidate] = []
    for scale, step, degrees, mirrored in _orientations(scales, steps):
        check()
        is_near = not mirrored and scale == scales[0] and abs(step) <= _NEAR_STEPS and abs(degrees) <= _NEAR_DEGREES
        best, best_near = search.best_shift(Affine.similarity(scale * SCALE_STEP**step, degrees, mirrored=mirrored))
        found.append(best)
        if is_near and best_near is not None:
            near.append(best_near)
    near.sort(key=lambda candidate: -candidate.score)
    found.sort(key=lambda candidate: -candidate.score)
    yield from (candidate.he_to_ihc for candidate in (*near[:_NEAR_KEPT], *found))


def _orientations(scales: tuple[float, ...], steps: int) -> Iterator[tuple[float, int, float, bool]]:
    for scale in scales:
        for step in range(-steps, steps + 1):
            for degrees in np.arange(-180, 180, _DEGREES).tolist():
                yield from ((scale, step, degrees, mirrored) for mirrored in (False, True))


class _Search:
    """The IHC's transforms, made once, and the H&E that is laid on it."""

    def __init__(self, he: Plane, ihc: Plane) -> None:
        self._to_he, self._to_ihc = he.to_level(SIDE), ihc.to_level(SIDE)
        self._he, self._he_seen = he.features(SIDE, _FINEST, _COARSEST), he.scanned_at(SIDE)
        fixed, seen = ihc.features(SIDE, _FINEST, _COARSEST), ihc.scanned_at(SIDE)
        self._height, self._width = seen.shape
        self._canvas = SIDE * 3 // 2  # holds the H&E turned by any angle
        self._side = cv2.getOptimalDFTSize(self._canvas + SIDE)
        power = (fixed**2).sum(axis=0)
        self._fixed = [self._spectrum(channel) for channel in fixed]
        self._power, self._seen = self._spectrum(power), self._spectrum(seen)
        self._all = float(power.sum())

    def best_shift(self, turn: Affine) -> tuple[Candidate, Candidate | None]:
        """The best shift of the H&E turned, and the best among those near to none; in level-0 px."""
        laid = self._to_he.inverse().then(turn).then(self._to_ihc)
        height, width = self._he_seen.shape
        x, y = laid(width / 2, height / 2)
        middle = self._canvas / 2
        laid = laid.shifted(middle - x, middle - y)
        seen = (self._warped(self._he_seen, laid) > 0.99).astype(np.float32)
        turned = [self._warped(channel, laid) * seen for channel in self._he]
        power = np.asarray(sum(channel**2 for channel in turned), np.float32)
        own = max(float(power.sum()), 1e-6)
        product = sum(
            cv2.mulSpectrums(fixed, self._spectrum(channel), 0, conjB=True)
            for fixed, channel in zip(self._fixed, turned, strict=True)
        )
        shared = self._correlation(cv2.mulSpectrums(self._power, self._spectrum(seen), 0, conjB=True))
        covered = self._correlation(cv2.mulSpectrums(self._seen, self._spectrum(power), 0, conjB=True))
        enough = (shared > _FEWEST_SHARED * self._all) & (covered > _FEWEST_SHARED * own)
        agreement = self._correlation(np.asarray(product, np.float32)) / np.sqrt(np.maximum(shared * covered, 1e-9))
        score = np.where(enough, agreement * np.sqrt(np.clip(shared / max(self._all, 1e-6), 0, 1)), -1.0)
        return self._candidate(score, laid), self._near(score, laid)

    def _near(self, score: NDArray[np.floating], laid: Affine) -> Candidate | None:
        """The best whose middle moves little: both pictures' middles within a share of the side."""
        reach = round(_NEAR_SHIFT * SIDE)
        x, y = round(self._width / 2 - self._canvas / 2), round(self._height / 2 - self._canvas / 2)
        rows = np.arange(y - reach, y + reach + 1) % self._side
        columns = np.arange(x - reach, x + reach + 1) % self._side
        allowed = np.full_like(score, -1.0)
        allowed[np.ix_(rows, columns)] = score[np.ix_(rows, columns)]
        best = self._candidate(allowed, laid)
        return best if best.score > -1 else None

    def _candidate(self, score: NDArray[np.floating], laid: Affine) -> Candidate:
        row, column = divmod(int(score.argmax()), self._side)
        dx, dy = (place if place < SIDE else place - self._side for place in (column, row))
        he_to_ihc = self._to_he.then(laid.shifted(dx, dy)).then(self._to_ihc.inverse())
        return Candidate(he_to_ihc, float(score.max()))

    def _warped(self, channel: NDArray[np.float32], laid: Affine) -> NDArray[np.float32]:
        return np.asarray(cv2.warpAffine(channel, laid.indices, (self._canvas, self._canvas)), np.float32)

    def _spectrum(self, channel: NDArray[np.float32]) -> NDArray[np.float32]:
        padded = np.zeros((self._side, self._side), np.float32)
        padded[: channel.shape[0], : channel.shape[1]] = channel
        return np.asarray(cv2.dft(padded), np.float32)

    @staticmethod
    def _correlation(spectrum: MatLike) -> NDArray[np.float32]:
        return np.asarray(cv2.idft(spectrum, flags=cv2.DFT_REAL_OUTPUT | cv2.DFT_SCALE), np.float32)
