"""Every field decoded once, into one memory-mapped file at training resolution.

A field is kept as two squares, one a stain, of the layout's height. Shrinking 1024 to 224 and then 224 to 112 averages the
same pixels as shrinking to 112 at once, so a composed input differs from the viewer's by the rounding of one level; and a
square can be turned by right angles, which a stain's half of the input cannot.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from her2viewer.cases.pairing import Pair
from her2viewer.errors import ImageError
from her2viewer.imaging.opening import open_image
from training.files import replacing

VERSION = 1


class Fields(Protocol):
    """A row of fields, each (2, side, side, 3) uint8 RGB: H&E first, then IHC."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> NDArray[np.uint8]: ...


def cached_fields(
    pairs: Sequence[Pair], folder: Path, side: int, progress: Callable[[int], None] = lambda done: None
) -> Fields:
    """The pairs' fields in their order, read-only and memory-mapped; decodes only what the folder does not hold yet.

    Keyed by the content of both files, so that moved, renamed or copied data is never decoded again and changed data
    always is. Killed half-way, what was decoded is kept. Raises ImageError for an image that cannot be read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    store, keys_file = folder / f"fields-v{VERSION}-{side}.u8", folder / f"fields-v{VERSION}-{side}.json"
    item = 2 * side * side * 3
    known: list[str] = (
        json.loads(keys_file.read_text(encoding="utf-8")) if keys_file.exists() and store.exists() else []
    )
    place = {key: i for i, key in enumerate(known)}
    with ThreadPoolExecutor(2) as workers:
        keys = list(workers.map(_key, pairs))
        missing = {key: pair for key, pair in zip(keys, pairs, strict=True) if key not in place}
        with store.open("r+b" if store.exists() else "w+b") as file:
            file.truncate(len(known) * item)
            file.seek(0, 2)
            decoded = workers.map(lambda pair: _squares(pair, side), missing.values())
            for done, (key, field) in enumerate(zip(missing, decoded, strict=True), 1):
                file.write(field.tobytes())
                place[key] = len(known)
                known.append(key)
                if done % 200 == 0 or done == len(missing):
                    file.flush()
                    with replacing(keys_file) as draft:
                        draft.write_text(json.dumps(known), encoding="utf-8")
                progress(done)
    everything = np.memmap(store, np.uint8, "r", shape=(len(known), 2, side, side, 3))
    return _Rows(everything, [place[key] for key in keys])


class _Rows:
    """Some rows of a memory map in an order of their own, without copying them."""

    def __init__(self, store: NDArray[np.uint8], rows: list[int]) -> None:
        self._store, self._rows = store, rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> NDArray[np.uint8]:
        return np.asarray(self._store[self._rows[index]])


def _key(pair: Pair) -> str:
    digest = hashlib.sha256()
    for path in (pair.he, pair.ihc):
        try:
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        except OSError as error:
            raise ImageError(
                f"it cannot be read ({error.strerror})", path=path, remedy="check the file and its rights"
            ) from error
    return digest.hexdigest()


def _squares(pair: Pair, side: int) -> NDArray[np.uint8]:
    out = np.empty((2, side, side, 3), np.uint8)
    for slot, path in enumerate((pair.he, pair.ihc)):
        with open_image(path) as image:
            width, height = image.size
            out[slot] = cv2.resize(image.read(0, 0, 0, width, height), (side, side), interpolation=cv2.INTER_AREA)
    return out
