"""Every field decoded once, into one memory-mapped file at training resolution.

A field is kept as two squares, one a stain, of the layout's height. Shrinking 1024 to 224 and then 224 to 112 averages the
same pixels as shrinking to 112 at once, so a composed input differs from the viewer's by the rounding of one level; and a
square can be turned by right angles, which a stain's half of the input cannot.

    fields-224.u8      row after row of (2, 224, 224, 3) uint8
    fields-224.jsonl   a line for the format, then one for each row: its number, the key of its content, its CRC-32
    fields-224.lock    held by the process that writes

A line is written after its row, so that a kill at any moment leaves whole rows; a row whose bytes do not have the CRC of its
line is decoded again.
"""

import errno
import hashlib
import json
import os
import shutil
import zlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, count
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol

import cv2
import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from her2viewer.cases.pairing import Pair
from her2viewer.errors import ImageError, UserError
from her2viewer.imaging.opening import open_image
from her2viewer.scoring.stains import Stain
from training.data.search import files_of

SCHEMA: Final = "her2viewer.fields/2"

_CHUNK: Final = 64
"""Fields decoded ahead of what is written, and most that a fault leaves undone."""

Say = Callable[[str], None]


class Fields(Protocol):
    """A row of fields, each (2, side, side, 3) uint8 RGB: H&E first, then IHC; a stain that is not there is zeros."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> NDArray[np.uint8]: ...

    def stains(self, index: int, /) -> tuple[Stain, ...]:
        """The stains that a field has."""
        ...


def cached_fields(
    pairs: Sequence[Pair],
    folder: Path,
    side: int,
    progress: Callable[[int], None] = lambda done: None,
    *,
    say: Say = print,
) -> "Rows":
    """The pairs' fields in their order, read-only and memory-mapped; decodes only what the folder does not hold yet.

    Keyed by the content of both files, so that moved, renamed or copied data is never decoded again and changed data
    always is. A second process that wants to write waits for the first. What is damaged or of another version is said, set
    aside and made anew. progress: called with the number of fields decoded by this call.

    Raises ImageError for an image that cannot be read, UserError where the disk has no room; what was decoded is kept.
    """
    item = 2 * side * side * 3
    left = 0
    store, journal = folder / f"fields-{side}.u8", folder / f"fields-{side}.jsonl"
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as workers:
        keys = list(workers.map(content_key, pairs))
        wanted = dict(zip(keys, pairs, strict=True))
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with _locked(folder / f"fields-{side}.lock", say):
                rows = _opened(store, journal, side, say)
                place, free = _sound(rows, store, item, wanted, say)
                missing = [key for key in wanted if key not in place]
                left = len(missing) * item
                _check_room(folder, left - len(free) * item)
                with store.open("r+b") as data, journal.open("ab") as log:
                    _end_line(journal, log)
                    numbers = chain(free, count(max(rows, default=-1) + 1))
                    decoded = _decoded(missing, wanted, side, workers)
                    for done, (number, (key, field)) in enumerate(zip(numbers, decoded, strict=False), 1):
                        _append(data, log, number, key, field)
                        place[key] = number
                        left -= item
                        progress(done)
        except OSError as error:
            raise _unwritten(folder, left, error) from error
    return Rows(store, side, [place[key] for key in keys], [tuple(files_of(pair)) for pair in pairs], keys)


class Rows:
    """Some rows of a store in an order of their own, without copying them. Each process maps the file for itself."""

    def __init__(
        self, store: Path, side: int, rows: Sequence[int], stains: Sequence[tuple[Stain, ...]], keys: Sequence[str]
    ) -> None:
        self._store, self._shape = store, (2, side, side, 3)
        self._rows, self._stains = list(rows), list(stains)
        self._map: NDArray[np.uint8] | None = None
        self.keys = tuple(keys)
        """SHA-256 of each field's content: of the two files' own."""

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> NDArray[np.uint8]:
        if self._map is None:
            self._map = np.memmap(self._store, np.uint8, "r").reshape(-1, *self._shape)
        return np.asarray(self._map[self._rows[index]])

    def stains(self, index: int) -> tuple[Stain, ...]:
        return self._stains[index]

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_map": None}  # a worker process maps the file anew instead of being sent its bytes


def content_key(pair: Pair) -> str:
    """SHA-256 over the SHA-256 of the H&E file and of the IHC file (zeros for one that is not there), hex."""
    digest = hashlib.sha256()
    files = files_of(pair)
    for stain in Stain:
        digest.update(bytes.fromhex(file_hash(files[stain])) if stain in files else bytes(32))
    return digest.hexdigest()


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes, hex. Raises ImageError where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ImageError(
            f"it cannot be read ({error.strerror})", path=path, remedy="check the file and its rights"
        ) from error


def _locked(path: Path, say: Say) -> FileLock:
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        say(f"Another process writes to {path.parent.name}; waiting for it.")
    else:
        lock.release()
    return lock


def _opened(store: Path, journal: Path, side: int, say: Say) -> dict[int, tuple[str, int]]:
    """Key and CRC of each row in the journal; a journal that is none of ours is set aside together with its store."""
    header = json.dumps({"schema": SCHEMA, "side": side}).encode()
    lines = journal.read_bytes().split(b"\n") if journal.exists() else []
    if lines and lines[0] == header and store.exists():
        return _read_rows(lines[1:])
    if store.exists() or lines:
        say(
            f"The cache {store.name} is damaged or of another version: it is set aside, and every field is decoded again."
        )
        for path in (store, journal):
            if path.exists():
                path.replace(path.with_name(f"{path.name}.set-aside"))
    store.touch()
    journal.write_bytes(header + b"\n")
    return {}


def _read_rows(lines: Iterable[bytes]) -> dict[int, tuple[str, int]]:
    rows: dict[int, tuple[str, int]] = {}
    for line in lines:
        try:
            number, key, crc = json.loads(line)
            rows[int(number)] = (str(key), int(crc))
        except (ValueError, TypeError):  # half a line of a killed process
            continue
    return rows


def _sound(
    rows: dict[int, tuple[str, int]], store: Path, item: int, wanted: Iterable[str], say: Say
) -> tuple[dict[str, int], list[int]]:
    """The rows of wanted keys whose bytes are what was written, and the numbers of those that must be written again."""
    held = store.stat().st_size // item
    place = {key: number for number, (key, _) in rows.items()}
    sound, free = {}, []
    data = np.memmap(store, np.uint8, "r") if held else np.empty(0, np.uint8)
    for key in wanted:
        if key not in place:
            continue
        number = place[key]
        if number < held and _crc(key, data[number * item : (number + 1) * item]) == rows[number][1]:
            sound[key] = number
        else:
            free.append(number)
    if free:
        say(f"The cache {store.name} is damaged: {len(free)} fields are decoded again.")
    return sound, sorted(free)


def _append(data: BinaryIO, log: BinaryIO, number: int, key: str, field: NDArray[np.uint8]) -> None:
    data.seek(number * field.nbytes)
    data.write(field.data)
    data.flush()
    log.write(json.dumps([number, key, _crc(key, field.reshape(-1))]).encode() + b"\n")
    log.flush()


def _end_line(journal: Path, log: BinaryIO) -> None:
    if not journal.read_bytes().endswith(b"\n"):
        log.write(b"\n")


def _crc(key: str, row: NDArray[np.uint8]) -> int:
    return zlib.crc32(row.data, zlib.crc32(key.encode()))


def _decoded(
    missing: Sequence[str], wanted: dict[str, Pair], side: int, workers: ThreadPoolExecutor
) -> Iterable[tuple[str, NDArray[np.uint8]]]:
    for first in range(0, len(missing), _CHUNK):
        chunk = missing[first : first + _CHUNK]
        yield from zip(chunk, workers.map(lambda key: _squares(wanted[key], side), chunk), strict=True)


def _squares(pair: Pair, side: int) -> NDArray[np.uint8]:
    out = np.zeros((2, side, side, 3), np.uint8)
    files = files_of(pair)
    for slot, stain in enumerate(Stain):
        if stain in files:
            with open_image(files[stain]) as image:
                whole = image.read(0, 0, 0, *image.size)
            out[slot] = cv2.resize(whole, (side, side), interpolation=cv2.INTER_AREA)
    return out


def _check_room(folder: Path, needed: int) -> None:
    if needed > shutil.disk_usage(folder).free:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _unwritten(folder: Path, left: int, error: OSError) -> UserError:
    if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        reason = error.strerror or str(error)
        return UserError(
            f"the cache cannot be written ({reason})", path=folder, remedy="choose a folder with the right to write"
        )
    free = shutil.disk_usage(folder).free
    return UserError(
        f"the disk is full: the cache needs {left / 1e6:,.1f} MB more, and {free / 1e6:,.1f} MB are free",
        path=folder,
        remedy="make room or choose a folder on another disk, then run the same command again; what was decoded is kept",
    )
