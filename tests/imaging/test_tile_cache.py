import gc
import threading
from pathlib import Path

import numpy as np
import pytest

from her2viewer.errors import ImageError
from her2viewer.imaging.flat import FlatImage
from her2viewer.imaging.source import RGBImage
from her2viewer.imaging.tile_cache import DEFAULT_LIMIT_BYTES, TILE, TileCache, TileKey, grid, read_tile
from tests.imaging.pictures import tissue

BYTES = TILE * TILE * 3


class Counted(FlatImage):
    """A picture that counts its reads and fails where it is told to."""

    def __init__(self, width: int = 4 * TILE, height: int = 3 * TILE) -> None:
        super().__init__(Path("x.png"), tissue(height, width), kind="PNG", sha256="0" * 64)
        self.reads = 0
        self.damaged = False

    def read(self, level: int, x: int, y: int, w: int, h: int) -> RGBImage:
        self.reads += 1
        if self.damaged:
            raise ImageError("a tile is damaged", path=self.path, remedy="copy it again")
        return super().read(level, x, y, w, h)


def test_tiles_lie_on_a_grid_and_are_smaller_at_the_edges() -> None:
    source = Counted(2 * TILE + 100, TILE + 1)
    assert grid(source.levels[0]) == (3, 2)
    whole = source.read(0, 0, 0, *source.size)
    for column in range(3):
        for row in range(2):
            tile = read_tile(source, 0, column, row)
            expected = whole[row * TILE : (row + 1) * TILE, column * TILE : (column + 1) * TILE]
            assert np.array_equal(tile, expected) and not tile.flags.writeable
    for place in [(0, 3, 0), (0, 0, 2), (0, -1, 0), (9, 0, 0), (-1, 0, 0)]:
        with pytest.raises(ValueError, match="there is no tile"):
            read_tile(source, *place)


def test_a_tile_is_read_once() -> None:
    cache, source, key = TileCache(), Counted(), TileKey(0, 1, 2)
    assert cache.get(source, key) is None
    tile = cache.read(source, key)
    assert cache.read(source, key) is tile and cache.get(source, key) is tile
    assert source.reads == 1 and cache.held_bytes == BYTES
    assert (cache.hits, cache.misses) == (2, 2)
    assert cache.limit_bytes == DEFAULT_LIMIT_BYTES == 192 * 2**20


def test_the_least_recently_used_go_first() -> None:
    cache, source = TileCache(3 * BYTES), Counted()
    first, second, third, fourth = (TileKey(0, column, 0) for column in range(4))
    for key in (first, second, third):
        cache.read(source, key)
    cache.get(source, first)
    cache.read(source, fourth)
    assert cache.held_bytes == 3 * BYTES
    assert cache.get(source, second) is None
    assert all(cache.get(source, key) is not None for key in (first, third, fourth))


def test_a_tile_beyond_the_limit_passes_through() -> None:
    cache, source = TileCache(BYTES - 1), Counted()
    assert cache.read(source, TileKey(0, 0, 0)).shape == (TILE, TILE, 3)
    assert cache.held_bytes == 0 and cache.get(source, TileKey(0, 0, 0)) is None
    with pytest.raises(ValueError, match="negative"):
        TileCache(-1)


def test_sources_are_kept_apart_and_dropped_apart() -> None:
    cache, one, two, key = TileCache(), Counted(), Counted(), TileKey(0, 0, 0)
    mine, other = cache.read(one, key), cache.read(two, key)
    assert mine is not other
    cache.drop(one)
    cache.drop(one)
    assert cache.held_bytes == BYTES and cache.get(one, key) is None and cache.get(two, key) is other


def test_a_damaged_tile_is_not_kept() -> None:
    cache, source, key = TileCache(), Counted(), TileKey(0, 0, 0)
    source.damaged = True
    with pytest.raises(ImageError, match="damaged"):
        cache.read(source, key)
    source.damaged = False
    assert cache.read(source, key).shape == (TILE, TILE, 3)


def test_what_is_read_while_its_source_is_dropped_is_not_kept() -> None:
    cache = TileCache()
    reading, go_on = threading.Event(), threading.Event()

    class Slow(Counted):
        def read(self, level: int, x: int, y: int, w: int, h: int) -> RGBImage:
            reading.set()
            assert go_on.wait(30)
            return super().read(level, x, y, w, h)

    source = Slow()
    thread = threading.Thread(target=cache.read, args=(source, TileKey(0, 0, 0)))
    thread.start()
    assert reading.wait(30)
    cache.drop(source)
    go_on.set()
    thread.join()
    assert cache.held_bytes == 0


def test_tiles_of_a_source_that_nobody_holds_go_by_themselves() -> None:
    cache = TileCache()
    for _ in range(5):
        source = Counted()
        cache.read(source, TileKey(0, 0, 0))
        del source
        gc.collect()
        assert cache.held_bytes == 0


def test_many_threads_stay_within_the_limit() -> None:
    cache, sources, wrong = TileCache(4 * BYTES), [Counted(), Counted()], []
    start = threading.Barrier(6)

    def work(seed: int) -> None:
        rng = np.random.default_rng(seed)
        start.wait()
        for _ in range(60):
            source = sources[int(rng.integers(2))]
            column, row = int(rng.integers(4)), int(rng.integers(3))
            tile = cache.read(source, TileKey(0, column, row))
            if not np.array_equal(tile, source.read(0, column * TILE, row * TILE, TILE, TILE)):
                wrong.append((column, row))
            if rng.random() < 0.05:
                cache.drop(source)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == [] and cache.held_bytes <= 4 * BYTES
    assert cache.hits + cache.misses == 6 * 60
