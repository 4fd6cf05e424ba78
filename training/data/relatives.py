"""Which fields show the same tissue: copies of one picture, turned, flipped or saved anew, and fields that overlap.

Two ways in, one way to be sure. A copy is found by a 64-bit perceptual hash of each stain; an overlap by phase correlation
(Kuglin and Hines 1975) of each field with those nearest to it in colour. Whatever is found is held against the pixels: in the
area that both would share, each stain must correlate, at one shift and turn. Two stains of two fields do not agree on a shift
by chance.

A turn is one of the eight flips and right angles: mirrored left to right where it is above 3, then turned by its remainder
of 4 quarters against the clock.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft2, rfft2
from sklearn.neighbors import NearestNeighbors

from training.data.cache import Fields

SIDE: Final = 224
"""Side of the squares that are compared, in pixels."""

NEIGHBOURS: Final = 256
"""Fields nearest in colour that each is correlated with: more than any slide of BCI is cut into, on the average 96."""

_COARSE: Final = 64
_TURNS: Final = range(8)
_HASH_BITS: Final = 10
"""Bits of 64 in which a copy's hash may differ, in each stain; compression and shrinking move fewer."""

_PEAK: Final = 5.2
"""Height of a correlation's peak in standard deviations: one unrelated turn in a thousand reaches it."""

_SHARED: Final = 0.1
"""Smallest overlap that counts, as a share of a field."""

_CORRELATION: Final = 0.5
"""In the shared area, of the luminance without its slow changes, in each stain: unrelated fields stay far below, and an
overlap saved anew as JPEG of quality 60 has 0.83 and more."""

_CONTRAST: Final = 1.5
"""Grey levels of detail below which an area is empty glass, which looks like any other."""

Progress = Callable[[str, int, int], None]
Candidates = dict[tuple[int, int, int], tuple[int, int]]
"""(first, second, turn of the first) to the shift of the second, (rows, columns) in pixels of `_COARSE`, modulo that."""


@dataclass(frozen=True, slots=True)
class Relation:
    """Two positions that show the same tissue. `overlap`: the share of a field that both show; `correlation`: in it."""

    first: int
    second: int
    overlap: float
    correlation: float
    turn: int


def turned(image: NDArray[Any], turn: int) -> NDArray[Any]:
    """One of the eight flips and right angles of a square (h, w, ...)."""
    return np.ascontiguousarray(np.rot90(image[:, ::-1] if turn > 3 else image, turn % 4))


def relatives(
    fields: Fields, *, neighbours: int = NEIGHBOURS, progress: Progress = lambda what, done, total: None
) -> list[Relation]:
    """Every two fields found to show the same tissue, first < second, sorted.

    fields: (2, 224, 224, 3) each; a stain that is not there is left out of the comparison. neighbours: how many fields nearest
    in colour each is correlated with; with fewer fields than that, all with all. progress: what is done, how many, of how many.
    """
    if len(fields) < 2:
        return []
    candidates = _copies(fields, progress) | _overlaps(fields, neighbours, progress)

    @lru_cache(maxsize=256)
    def details(position: int) -> list[NDArray[np.float32]]:
        return [_detail(field, SIDE, 8) for field in fields[position] if field.any()]

    best: dict[tuple[int, int], Relation] = {}
    for done, ((first, second, turn), shift) in enumerate(sorted(candidates.items()), 1):
        found = _confirmed([turned(image, turn) for image in details(first)], details(second), shift)
        kept = best.get((first, second))
        if found is not None and (kept is None or found[0] > kept.overlap):
            best[first, second] = Relation(first, second, *found, turn)
        if done % 1000 == 0 or done == len(candidates):
            progress("checked", done, len(candidates))
    return [best[key] for key in sorted(best)]


def _copies(fields: Fields, progress: Progress) -> Candidates:
    """Two fields whose hashes agree in every stain, for one turn of the first."""
    hashes = np.zeros((len(fields), 2, 8), np.uint64)
    for i in range(len(fields)):
        for slot, image in enumerate(fields[i]):
            if image.any():
                hashes[i, slot] = perceptual_hashes(image)
        if i % 500 == 499 or i == len(fields) - 1:
            progress("hashed", i + 1, len(fields))
    found: Candidates = {}
    for first in range(len(fields) - 1):
        apart = np.bitwise_count(hashes[first] ^ hashes[first + 1 :, :, :1]).max(axis=1)
        for second, turn in zip(*np.nonzero(apart <= _HASH_BITS), strict=True):
            found[first, int(second) + first + 1, int(turn)] = (0, 0)
    return found


def perceptual_hashes(image: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """(8,) uint64, the pHash of each turn: which of the 8 x 8 lowest DCT terms of 32 x 32 lie above their median."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    small = cv2.resize(grey, (32, 32), interpolation=cv2.INTER_AREA)
    out = np.zeros(8, np.uint64)
    for turn in _TURNS:
        low = cv2.dct(turned(small, turn))[:8, :8].ravel()
        out[turn] = np.packbits(low > np.median(low[1:])).view(np.uint64)[0]
    return out


def _overlaps(fields: Fields, neighbours: int, progress: Progress) -> Candidates:
    """Two fields near in colour whose phase correlation, summed over the stains, has a peak for one turn of the first."""
    near = _nearest(fields, neighbours)
    spectra = np.stack([_spectra(fields[i], 0) for i in range(len(fields))])

    def compared(first: int) -> Candidates:
        found: Candidates = {}
        field, others = fields[first], spectra[near[first]]
        for turn in _TURNS:
            straight = _spectra(field, turn).conj()
            cross = others[:, 0] * straight[0]
            cross += others[:, 1] * straight[1]
            peaks = irfft2(cross, s=(_COARSE, _COARSE)).reshape(len(cross), _COARSE**2)
            height = peaks.max(axis=1) * _COARSE / np.maximum(np.sqrt(np.einsum("ij,ij->i", peaks, peaks)), 1e-12)
            for k in np.flatnonzero(height > _PEAK).tolist():
                found[first, int(near[first][k]), turn] = divmod(int(peaks[k].argmax()), _COARSE)
        return found

    found: Candidates = {}
    with ThreadPoolExecutor(os.cpu_count()) as workers:
        for done, some in enumerate(workers.map(compared, range(len(fields) - 1)), 2):
            found |= some
            if done % 100 == 0 or done == len(fields):
                progress("compared", done, len(fields))
    return found


def _nearest(fields: Fields, neighbours: int) -> list[NDArray[np.intp]]:
    """For each field the later ones that are near to it in colour, or to which it is."""
    n = len(fields)
    colour = np.stack([np.concatenate([_colour(image) for image in fields[i]]) for i in range(n)])
    colour /= np.maximum(colour.std(axis=0), 1e-6)
    search: Any = NearestNeighbors(n_neighbors=min(neighbours + 1, n))  # type: ignore[no-untyped-call]
    near = search.fit(colour).kneighbors(colour, return_distance=False)
    table = np.zeros((n, n), np.bool_)
    table[np.arange(n)[:, None], near] = True
    table = np.triu(table | table.T, 1)
    return [np.flatnonzero(row) for row in table]


def _colour(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(9,) float32 of optical density: the background (3rd percentile), mean and spread of each channel."""
    density = -np.log10((image[::4, ::4].reshape(-1, 3).astype(np.float32) + 1) / 256)
    features = [np.percentile(density, 3, axis=0), density.mean(axis=0), density.std(axis=0)]
    return np.concatenate(features).astype(np.float32)


def _detail(image: NDArray[np.uint8], side: int, sigma: float) -> NDArray[np.float32]:
    """(side, side) float32: the luminance less its slow changes, so that tint and uneven light do not count."""
    grey: NDArray[Any] = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    if side != len(grey):
        grey = cv2.resize(grey, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(grey - cv2.GaussianBlur(grey, (0, 0), sigma), np.float32)


def _spectra(field: NDArray[np.uint8], turn: int) -> NDArray[np.complex64]:
    """(2, 64, 33): each stain's spectrum, every frequency at one strength; zeros for a stain that is not there."""
    detail = np.stack([turned(_detail(image, _COARSE, 4), turn) for image in field])
    spectrum = rfft2(detail)
    strength = np.abs(spectrum)
    floor = 1e-3 * strength.max(axis=(1, 2), keepdims=True)
    return np.asarray(spectrum / np.maximum(strength + floor, 1e-12), np.complex64)


def _confirmed(
    first: list[NDArray[np.float32]], second: list[NDArray[np.float32]], shift: tuple[int, int]
) -> tuple[float, float] | None:
    """(overlap, correlation) at the best of the places that a shift modulo the field can mean; None where none holds."""
    scale, reach = SIDE / _COARSE, 5
    found: tuple[float, float] | None = None
    if len(first) != len(second) or not first:
        return None
    for down in {shift[0], shift[0] - _COARSE}:
        for right in {shift[1], shift[1] - _COARSE}:
            dy, dx = round(down * scale), round(right * scale)
            overlap = (1 - abs(dy) / SIDE) * (1 - abs(dx) / SIDE)
            rows, columns = slice(max(0, -dy), min(SIDE, SIDE - dy)), slice(max(0, -dx), min(SIDE, SIDE - dx))
            if overlap < _SHARED * 0.9 or min(rows.stop - rows.start, columns.stop - columns.start) < 6 * reach:
                continue
            maps = []
            for one, other in zip(first, second, strict=True):
                shared = one[rows, columns][reach:-reach, reach:-reach]
                place = other[rows.start + dy : rows.stop + dy, columns.start + dx : columns.stop + dx]
                if min(shared.std(), place.std()) < _CONTRAST:
                    break
                maps.append(cv2.matchTemplate(place, shared, cv2.TM_CCOEFF_NORMED))
            else:
                correlation = float(np.min(maps, axis=0).max())
                if correlation >= _CORRELATION and (found is None or correlation > found[1]):
                    found = round(overlap, 3), round(correlation, 3)
    return found
