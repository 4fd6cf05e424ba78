"""Registration of phantom pairs whose H&E was shifted, turned, scaled and turned over by a known amount."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from her2viewer.imaging.affine import Affine, Points
from her2viewer.imaging.flat import FlatImage
from her2viewer.imaging.registration.automatic import register
from her2viewer.imaging.registration.plane import HAEMATOXYLIN_DAB, HAEMATOXYLIN_EOSIN, Dyes, background, densities
from tests.benchmarks.measure import Row
from training.phantom.pair import SIDE, make_phantom

SEED = 404
PEER = "SIFT and RANSAC"


@dataclass(frozen=True, eq=False)
class MovedPair:
    """he, ihc: (SIDE, SIDE, 3) uint8; he_places, ihc_places: (n, 2) px of the same tissue on a grid, within both."""

    he: NDArray[np.uint8]
    ihc: NDArray[np.uint8]
    he_places: Points
    ihc_places: Points
    moved: Affine

    def error(self, to_ihc: Callable[[Points], Points]) -> float:
        """Mean distance from where the tissue is, px."""
        return float(np.hypot(*(to_ihc(self.he_places) - self.ihc_places).T).mean())


def moved_pair(index: int, seed: int = SEED) -> MovedPair:
    """Shift to 100 px a side, rotation to 30 degrees, scale 0.8 to 1.25, every other one turned over; white outside.

    The phantom's own misregistration, known at each pixel, is part of the truth.
    """
    rng, phantom = np.random.default_rng([seed, index, 7]), make_phantom(seed, index)
    moved = Affine.similarity(
        float(np.exp(rng.uniform(*np.log((0.8, 1.25))))),
        float(rng.uniform(-30, 30)),
        (float(rng.uniform(-100, 100)), float(rng.uniform(-100, 100))),
        index % 2 == 1,
        (SIDE / 2, SIDE / 2),
    )
    he = cv2.warpAffine(phantom.he, moved.indices, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderValue=(255, 255, 255))
    rows, columns = (axis.ravel() for axis in np.mgrid[16:SIDE:32, 16:SIDE:32])
    ihc_places = np.column_stack([columns, rows]) + 0.5
    he_places = moved.points(ihc_places + phantom.shift[rows, columns])
    inside = ((he_places > 0) & (he_places < SIDE)).all(axis=1)
    return MovedPair(np.asarray(he, np.uint8), phantom.ihc, he_places[inside], ihc_places[inside], moved)


def flat(picture: NDArray[np.uint8], name: str = "field.png") -> FlatImage:
    """A picture as a source; it is copied."""
    return FlatImage(Path(name), picture.copy(), kind="PNG", sha256="")


def rows(count: int = 100) -> list[Row]:
    """Ours beside OpenCV's features on the same haematoxylin."""
    errors: dict[str, list[float]] = {"ours": [], PEER: []}
    seconds: dict[str, list[float]] = {"ours": [], PEER: []}
    for index in range(count):
        pair = moved_pair(index)
        for name, way in (("ours", _ours), (PEER, _by_features)):
            started = time.perf_counter()
            to_ihc = way(pair)
            seconds[name].append(time.perf_counter() - started)
            errors[name].append(pair.error(to_ihc))
    title = f"registration of {count} phantoms"
    medians = [statistics.median(errors[name]) for name in ("ours", PEER)]
    highest = [float(np.percentile(errors[name], 95)) for name in ("ours", PEER)]
    within = [float(sum(error <= 5 for error in errors[name])) for name in ("ours", PEER)]
    taken = [statistics.median(seconds[name]) for name in ("ours", PEER)]
    return [
        _row(f"{title}, median error", medians, "px", "<= 2", medians[0] <= 2),
        _row(f"{title}, 95th percentile", highest, "px", "-", None),
        _row(f"{title}, within 5 px", within, "pairs", ">= 95%", within[0] >= 0.95 * count),
        _row(f"{title}, median time", taken, "s", "-", None),
    ]


def _row(figure: str, values: list[float], unit: str, goal: str, met: bool | None) -> Row:
    ours, peer = values
    return Row(figure, round(ours, 2), unit, PEER, round(peer, 2), round(ours / peer, 2) if peer else 0.0, goal, met)


def _ours(pair: MovedPair) -> Callable[[Points], Points]:
    return register(flat(pair.he), flat(pair.ihc)).to_ihc


def _by_features(pair: MovedPair) -> Callable[[Points], Points]:
    """Similarity of SIFT matches on the haematoxylin, as the H&E lies and turned over, whichever more matches agree on."""
    sift = cv2.SIFT_create(4000)
    ihc = sift.detectAndCompute(_grey(pair.ihc, HAEMATOXYLIN_DAB), None)
    best, most = Affine(), 0
    for turn in (Affine(), Affine(-1, 0, SIDE, 0, 1, 0)):
        picture = np.ascontiguousarray(pair.he[:, ::-1]) if turn.mirrored else pair.he
        he = sift.detectAndCompute(_grey(picture, HAEMATOXYLIN_EOSIN), None)
        matches = [
            one for one, two in cv2.BFMatcher().knnMatch(he[1], ihc[1], k=2) if one.distance < 0.85 * two.distance
        ]
        if len(matches) < 4:
            continue
        start = np.array([he[0][match.queryIdx].pt for match in matches], np.float32)
        end = np.array([ihc[0][match.trainIdx].pt for match in matches], np.float32)
        matrix, inliers = cv2.estimateAffinePartial2D(start, end, ransacReprojThreshold=6, maxIters=5000)
        if matrix is not None and inliers.sum() > most:
            best, most = turn.then(Affine.of_indices(matrix)), int(inliers.sum())
    return best.points


def _grey(picture: NDArray[np.uint8], dyes: Dyes) -> NDArray[np.uint8]:
    density = densities(picture, dyes, background(picture)).haematoxylin
    return np.clip(density / np.percentile(density, 99.5) * 255, 0, 255).astype(np.uint8)
