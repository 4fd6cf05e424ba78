"""Wrong inputs, made on the fly from a seed: what a user may open by mistake, and what a scanner may spoil.

Each kind is drawn from two halves of sources (phantoms of other seeds, other photographs, other BCI pairs). Thresholds were
set on the first half of the kinds in `SET_ON`; all other kinds were never looked at while they were set.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from her2viewer.scoring.evidence import FieldPixels
from her2viewer.scoring.stains import Stain
from tests.guard import restaining
from tests.guard.pictures import PHOTOGRAPHS, Picture, blank, chart, cut, noise, page, photograph, window

Pair = tuple[Picture, Picture]
"""H&E, IHC."""


class Sources:
    """Where the wrong inputs of one half come from: good pairs to spoil, and photographs."""

    def __init__(self, half: int, pairs: Sequence[Callable[[], FieldPixels]], rng: np.random.Generator) -> None:
        self._photographs, self._pairs, self.rng = PHOTOGRAPHS[half], pairs, rng

    def pair(self, place: int | None = None) -> Pair:
        chosen = int(self.rng.integers(len(self._pairs))) if place is None else place % len(self._pairs)
        pixels = self._pairs[chosen]().pixels
        return pixels[Stain.HE], pixels[Stain.IHC]

    def two_pairs(self) -> tuple[Pair, Pair]:
        one, other = (int(k) for k in self.rng.choice(len(self._pairs), 2, replace=False))
        return self.pair(one), self.pair(other)

    def photograph(self) -> Picture:
        return cut(photograph(str(self.rng.choice(self._photographs))), self.rng)


def _one_of(pair: Pair, spoiled: Callable[[Picture, Stain], Picture], rng: np.random.Generator) -> Pair:
    """One of the two, at random, spoiled."""
    he, ihc = pair
    return (spoiled(he, Stain.HE), ihc) if rng.random() < 0.5 else (he, spoiled(ihc, Stain.IHC))


def _both(picture: Callable[[np.random.Generator], Picture]) -> Callable[[Sources], Pair]:
    return lambda sources: (picture(sources.rng), picture(sources.rng))


def _spoiled(how: Callable[[Picture, np.random.Generator], Picture]) -> Callable[[Sources], Pair]:
    return lambda sources: _one_of(sources.pair(), lambda image, _: how(image, sources.rng), sources.rng)


def _same_he(sources: Sources) -> Pair:
    he, _ = sources.pair()
    return he, he


def _other_he(sources: Sources) -> Pair:
    (he, _), (other, _) = sources.two_pairs()
    return he, other


def _same_ihc(sources: Sources) -> Pair:
    _, ihc = sources.pair()
    return ihc, ihc


def _other_ihc(sources: Sources) -> Pair:
    (_, ihc), (_, other) = sources.two_pairs()
    return ihc, other


def _swapped(sources: Sources) -> Pair:
    he, ihc = sources.pair()
    return ihc, he


def _other_tissue(sources: Sources) -> Pair:
    (he, _), (_, ihc) = sources.two_pairs()
    return he, ihc


def _masson(sources: Sources) -> Pair:
    return _one_of(sources.pair(), lambda image, stain: restaining.masson(image, stain, sources.rng), sources.rng)


def _schiff(sources: Sources) -> Pair:
    return _one_of(
        sources.pair(), lambda image, stain: restaining.periodic_acid_schiff(image, stain, sources.rng), sources.rng
    )


def _fluorescence(sources: Sources) -> Pair:
    he, ihc = sources.pair()
    return restaining.fluorescence(he, Stain.HE, sources.rng), restaining.fluorescence(ihc, Stain.IHC, sources.rng)


def _photograph_beside(sources: Sources) -> Pair:
    return _one_of(sources.pair(), lambda *_: sources.photograph(), sources.rng)


def _blank_beside(sources: Sources) -> Pair:
    return _one_of(sources.pair(), lambda *_: blank(sources.rng), sources.rng)


def _blurred(image: Picture, rng: np.random.Generator) -> Picture:
    """Far out of focus: no nucleus can be told."""
    return np.asarray(cv2.GaussianBlur(image, (0, 0), rng.uniform(12, 60)), np.uint8)


def _inverted(image: Picture, rng: np.random.Generator) -> Picture:
    return 255 - image


def _grey(image: Picture, rng: np.random.Generator) -> Picture:
    return np.repeat(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)


def _too_near(image: Picture, rng: np.random.Generator) -> Picture:
    """An eighth of the field across, with the blur of lens and pixel at that scale."""
    side = image.shape[0]
    y, x = (int(value) for value in rng.integers(0, side - side // 8 + 1, 2))
    return np.asarray(
        cv2.resize(image[y : y + side // 8, x : x + side // 8], (side, side), interpolation=cv2.INTER_CUBIC), np.uint8
    )


def _too_far(image: Picture, rng: np.random.Generator) -> Picture:
    """Eight times as much tissue across, made of the field turned and mirrored."""
    side = image.shape[0]
    small = cv2.resize(image, (side // 8, side // 8), interpolation=cv2.INTER_AREA)
    rows = []
    for _ in range(8):
        turned = (np.rot90(small, int(rng.integers(4)))[:, :: int(rng.choice([-1, 1]))] for _ in range(8))
        rows.append(np.concatenate(list(turned), axis=1))
    return np.ascontiguousarray(np.concatenate(rows, axis=0)[:side, :side])


def _near(sources: Sources) -> Pair:
    he, ihc = sources.pair()
    seed = int(sources.rng.integers(2**31))
    return _too_near(he, np.random.default_rng(seed)), _too_near(ihc, np.random.default_rng(seed))


def _far(sources: Sources) -> Pair:
    he, ihc = sources.pair()
    seed = int(sources.rng.integers(2**31))
    return _too_far(he, np.random.default_rng(seed)), _too_far(ihc, np.random.default_rng(seed))


def _underexposed(image: Picture, rng: np.random.Generator) -> Picture:
    return np.clip(image * rng.uniform(0.15, 0.35), 0, 255).astype(np.uint8)


def _overexposed(image: Picture, rng: np.random.Generator) -> Picture:
    """Most of what the dyes took away is burnt out again."""
    level = np.quantile(image[::8, ::8].min(axis=2), rng.uniform(0.35, 0.6))
    return np.clip(image * (255 / max(float(level), 40)), 0, 255).astype(np.uint8)


def _ruined(image: Picture, rng: np.random.Generator) -> Picture:
    done, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(2, 7))])
    assert done
    return np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1])


def _penned(image: Picture, rng: np.random.Generator) -> Picture:
    """A stroke of a marker, blue, green or black, over glass and tissue."""
    side = image.shape[0]
    ink = np.array([[1.0, 0.55, 0.1], [0.9, 0.3, 0.8], [1.2, 1.2, 1.2]])[int(rng.integers(3))]
    stroke = np.zeros((side, side), np.uint8)
    points = (rng.uniform(0.05, 0.95, (1, 2)) + np.cumsum(rng.normal(0, 0.12, (5, 2)), axis=0)) * side
    cv2.polylines(stroke, [points.astype(np.int32)], False, 255, int(side * rng.uniform(0.05, 0.12)), cv2.LINE_AA)
    amount = cv2.GaussianBlur(stroke, (0, 0), 3)[..., None] / 255 * rng.uniform(0.7, 1.1)
    return np.clip(image * 10 ** (-amount * ink), 0, 255).astype(np.uint8)


KINDS: Final[Mapping[str, Callable[[Sources], Pair]]] = {
    "photographs in both panes": lambda sources: (sources.photograph(), sources.photograph()),
    "a photograph beside a good image": _photograph_beside,
    "one H&E in both panes": _same_he,
    "two H&E": _other_he,
    "one IHC in both panes": _same_ihc,
    "two IHC": _other_ihc,
    "stains swapped": _swapped,
    "trichrome instead of one stain": _masson,
    "PAS instead of one stain": _schiff,
    "immunofluorescence": _fluorescence,
    "noise": _both(noise),
    "empty glass in both panes": _both(blank),
    "empty glass beside a good image": _blank_beside,
    "pages of text": _both(page),
    "charts and diagrams": _both(chart),
    "screenshots": _both(window),
    "one image blurred to nothing": _spoiled(_blurred),
    "one image inverted": _spoiled(_inverted),
    "one image in grey": _spoiled(_grey),
    "magnified 8 times too much": _near,
    "magnified 8 times too little": _far,
    "two tissues": _other_tissue,
    "one image underexposed": _spoiled(_underexposed),
    "one image overexposed": _spoiled(_overexposed),
    "one image ruined by JPEG": _spoiled(_ruined),
    "a pen mark on one image": _spoiled(_penned),
}

SET_ON: Final = frozenset(
    {
        "photographs in both panes", "one H&E in both panes", "two IHC", "stains swapped", "trichrome instead of one stain",
        "noise", "empty glass beside a good image", "pages of text", "one image blurred to nothing", "magnified 8 times too much",
        "two tissues", "one image overexposed", "one image ruined by JPEG", "a pen mark on one image",
        "magnified 8 times too little", "PAS instead of one stain",
    }
)  # fmt: skip
"""Kinds whose first half was looked at when thresholds were set."""


@dataclass(frozen=True, eq=False)
class Wrong:
    """A wrong input. half: 0 where thresholds may have been set on it, 1 where they are only measured on it."""

    kind: str
    half: int
    number: int
    field: FieldPixels

    @property
    def looked_at(self) -> bool:
        return self.half == 0 and self.kind in SET_ON


def wrong_inputs(
    halves: Mapping[int, Sequence[Callable[[], FieldPixels]]], each: int, seed: int = 0
) -> Iterator[Wrong]:
    """`each` of every kind and half; halves: the good pairs of each that are spoiled, at least two."""
    for half, pairs in halves.items():
        for place, (kind, made) in enumerate(KINDS.items()):
            for number in range(each):
                sources = Sources(half, pairs, np.random.default_rng([seed, half, place, number]))
                he, ihc = made(sources)
                yield Wrong(kind, half, number, FieldPixels.whole(np.ascontiguousarray(he), np.ascontiguousarray(ihc)))
