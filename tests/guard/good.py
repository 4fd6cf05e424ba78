"""Good pairs: phantoms drawn on the fly, and the real images beside the checkout."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np

from her2viewer.cases.pairing import Pair
from her2viewer.imaging.opening import open_image
from her2viewer.scoring.evidence import FieldPixels
from her2viewer.scoring.prediction import FieldOfView
from her2viewer.scoring.stains import Stain
from training.data.index import index_folder
from training.evaluation.outcome import read_field
from training.phantom.pair import MPP, SIDE, make_phantom

SEEDS: Final = (7001, 7002, 7003, 7004)
"""Of phantoms that no network was trained on; the first two served to set thresholds."""

_RESTAINED: Final = 60


@dataclass(frozen=True, eq=False)
class Good:
    """A field that should pass. half: 0 where thresholds were set on it, 1 where they are only measured on it."""

    source: str
    name: str
    half: int
    read: Callable[[], FieldPixels]


@lru_cache(maxsize=40)
def phantom_field(seed: int, index: int) -> FieldPixels:
    """A phantom pair as the viewer reads it."""
    made = make_phantom(seed, index)
    return FieldPixels.whole(made.he, made.ihc)


def phantom_pairs(each: int) -> Iterator[Good]:
    """`each` phantoms of every seed."""
    for place, seed in enumerate(SEEDS):
        for index in range(each):
            yield Good(
                "phantoms of four seeds",
                f"{seed}/{index}",
                int(place >= len(SEEDS) // 2),
                lambda seed=seed, index=index: phantom_field(seed, index),
            )


def folder_pairs(
    source: str, data: Path, split: str | None = None, stain: Stain | None = None, most: int | None = None
) -> Iterator[Good]:
    """The pairs of a folder or table, of many at most so many, spread over them; every second one served to set thresholds."""
    found = index_folder(data, stain=stain)
    pairs = sorted(found.pairs if split is None else found.of(split), key=lambda pair: pair.case_id)
    step = 1 if most is None else max(len(pairs) // most, 1)
    for place, pair in enumerate(pairs[::step][:most]):
        yield Good(source, pair.case_id, place % 2, lambda pair=pair: _read(pair))


def _read(pair: Pair) -> FieldPixels:
    return read_field(pair)


def core_tiles(folder: Path, each: int, mpp: float = 0.5) -> Iterator[Good]:
    """Fields of tissue-microarray cores at BCI's scale, IHC alone, spread over each core; cores of even place set thresholds."""
    side = round(SIDE * MPP / mpp)
    for place, path in enumerate(sorted(folder.glob("*.jpg"))):
        for number in range(each):
            yield Good(
                "tiles of cores, IHC alone",
                f"{path.stem[:8]}/{number}",
                place % 2,
                lambda path=path, number=number: _tile(path, side, number, each),
            )


def _tile(path: Path, side: int, number: int, each: int) -> FieldPixels:
    """Tiles stand along the core's diagonal, within its inner part, where there is tissue."""
    with open_image(path) as image:
        width, height = image.size
        at = (number + 0.5) / each
        x, y = round((width - side) * (0.25 + 0.5 * at)), round((height - side) * (0.75 - 0.5 * at))
        pixels = np.ascontiguousarray(image.read(0, x, y, side, side))
    return FieldPixels({Stain.IHC: pixels}, {Stain.IHC: FieldOfView(x, y, side, side)})


def good_fields(data: Path | None, pairs: Path | None, each: int) -> Iterator[Good]:
    """All there are. data: folder of real images; pairs: table of restained cores; each: phantoms of a seed."""
    yield from phantom_pairs(each)
    if pairs is not None:
        yield from folder_pairs("restained tiles of held-out cores", pairs, split="test", most=_RESTAINED)
    if data is not None:
        yield from folder_pairs("BCI pairs", data / "bci")
        yield from folder_pairs("BCI IHC alone", data / "bci-ihc-only", stain=Stain.IHC)
        yield from core_tiles(data / "tma-oesophagus", 4)
