"""Tiles of every open source on one fixed grid, kept up to a limit of bytes."""

import threading
import weakref
from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import Final

from her2viewer.imaging.source import ImageSource, Level, RGBImage

TILE: Final = 512
"""Side of a tile in pixels of its level. Tiles at the right and lower edge are smaller."""

DEFAULT_LIMIT_BYTES: Final = 192 * 2**20


@dataclass(frozen=True, slots=True)
class TileKey:
    """A tile of one source: columns count to the right and rows down, from 0."""

    level: int
    column: int
    row: int


def grid(level: Level) -> tuple[int, int]:
    """(columns, rows) of tiles on a level."""
    return -(-level.width // TILE), -(-level.height // TILE)


def read_tile(source: ImageSource, level: int, column: int, row: int) -> RGBImage:
    """One tile, (h, w, 3) uint8 sRGB, read-only. Raises ImageError, and ValueError for a tile that is not there."""
    there = 0 <= level < len(source.levels)
    columns, rows = grid(source.levels[level]) if there else (0, 0)
    if not (0 <= column < columns and 0 <= row < rows):
        raise ValueError(f"there is no tile ({column}, {row}) on level {level}")
    x, y = column * TILE, row * TILE
    width, height = source.levels[level].width, source.levels[level].height
    tile = source.read(level, x, y, min(TILE, width - x), min(TILE, height - y))
    tile.flags.writeable = False
    return tile


class TileCache:
    """Least recently used tiles go first when the limit is reached. Safe to use from several threads at once.

    Whoever closes a source drops its tiles here. Those of a source that nobody holds any more go by themselves.
    """

    def __init__(self, limit_bytes: int = DEFAULT_LIMIT_BYTES) -> None:
        """`limit_bytes` is shared by all sources. A tile larger than it is passed through and not kept."""
        if limit_bytes < 0:
            raise ValueError(f"limit_bytes must not be negative, got {limit_bytes}")
        self.limit_bytes: Final = limit_bytes
        self._tiles: OrderedDict[tuple[int, TileKey], RGBImage] = OrderedDict()
        # By a number of our own: `id` is given again to another source once the first is gone.
        self._numbers: dict[int, int] = {}
        self._next = 0
        # A source may be collected in the middle of anything, so that its finalizer only leaves a word here.
        self._collected: deque[tuple[int, int]] = deque()
        self._held_bytes = 0
        self._hits = 0
        self._misses = 0
        self._lock = threading.Lock()

    @property
    def held_bytes(self) -> int:
        """Bytes of all tiles held now."""
        with self._lock:
            self._forget_collected()
            return self._held_bytes

    @property
    def hits(self) -> int:
        """How many times a tile that was asked for was there."""
        return self._hits

    @property
    def misses(self) -> int:
        """How many times it was not."""
        return self._misses

    def get(self, source: ImageSource, key: TileKey) -> RGBImage | None:
        """A tile that is held, (h, w, 3) uint8 sRGB, read-only; None where it would have to be read."""
        with self._lock:
            place = (self._number(source), key)
            tile = self._tiles.get(place)
            if tile is None:
                self._misses += 1
                return None
            self._hits += 1
            self._tiles.move_to_end(place)
            return tile

    def read(self, source: ImageSource, key: TileKey) -> RGBImage:
        """A tile, read where it is not held, (h, w, 3) uint8 sRGB, read-only. Raises as `read_tile`; nothing is kept then.

        Other threads go on meanwhile; two that ask for the same tile at the same time both read it.
        """
        tile = self.get(source, key)
        if tile is not None:
            return tile
        with self._lock:
            number = self._number(source)
        tile = read_tile(source, key.level, key.column, key.row)
        with self._lock:
            # A source that was dropped in the meantime has another number by now, or none.
            if self._numbers.get(id(source)) == number:
                self._keep((number, key), tile)
        return tile

    def drop(self, source: ImageSource) -> None:
        """Forgets all tiles of a source, also those that are being read. Harmless where there are none."""
        with self._lock:
            number = self._numbers.pop(id(source), None)
            if number is not None:
                self._forget(number)

    def _number(self, source: ImageSource) -> int:
        self._forget_collected()
        number = self._numbers.get(id(source))
        if number is None:
            number = self._numbers[id(source)] = self._next
            self._next += 1
            weakref.finalize(source, self._collected.append, (id(source), number)).atexit = False
        return number

    def _keep(self, place: tuple[int, TileKey], tile: RGBImage) -> None:
        if tile.nbytes > self.limit_bytes or place in self._tiles:
            return
        self._tiles[place] = tile
        self._held_bytes += tile.nbytes
        while self._held_bytes > self.limit_bytes:
            self._held_bytes -= self._tiles.popitem(last=False)[1].nbytes

    def _forget(self, number: int) -> None:
        for place in [place for place in self._tiles if place[0] == number]:
            self._held_bytes -= self._tiles.pop(place).nbytes

    def _forget_collected(self) -> None:
        while self._collected:
            identity, number = self._collected.popleft()
            if self._numbers.get(identity) == number:
                del self._numbers[identity]
            self._forget(number)
