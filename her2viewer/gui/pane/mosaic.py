"""One image as tiles: which are at hand, which are wanted, and how they are painted under any transform.

Used on the window's thread. Tiles are read and coloured by the threads of `Fetching`; until one is there a coarser one stands
in for it, in the last resort the overview, which every opened image has.
"""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QRectF, Signal
from PySide6.QtGui import QPainter, QTransform

from her2viewer.errors import UserError
from her2viewer.gui.pane.canvas import Canvas, Piece, Pixels, opaque, plain
from her2viewer.gui.pane.colouring import ORIGINAL, Colouring
from her2viewer.gui.pane.fetching import Asker, Errand, Fetching
from her2viewer.gui.pane.pixel_grid import draw, is_right_angled, on_whole_pixels, scale_of
from her2viewer.gui.pane.pyramid import (
    Block,
    Cell,
    Resolution,
    overview_resolution,
    read_cell,
    resolution_for,
    resolutions,
    shrunk,
)
from her2viewer.gui.state import OpenedImage
from her2viewer.imaging.source import ImageSource
from her2viewer.imaging.tile_cache import TILE, TileCache

MOST_BYTES: Final = 42 * 2**20
"""Cells of one image are kept ready to be shown up to this many bytes, and as many as are on screen. (What was read for them
is in the cache of `Fetching`.)"""

_COLOURED_WHOLE: Final = 300_000
"""Pixels of the overview that are coloured before another colouring is shown at all."""


class Mosaic(QObject):
    """The tiles of one image.

    `changed`: there is more to paint than at the last time. `failed`: a tile could not be read, told once for an image; the
    place is hatched, and is tried again when it comes back into view.
    """

    changed = Signal()
    failed = Signal(object)

    def __init__(self, fetching: Fetching, parent: QObject | None = None, most_bytes: int = MOST_BYTES) -> None:
        super().__init__(parent)
        self._fetching = fetching
        self._asker = Asker(self._took, self._refused)
        self._most_bytes = most_bytes
        self._image: OpenedImage | None = None
        self._resolutions: tuple[Resolution, ...] = ()
        self._whole: dict[Hashable, dict[int, Pixels]] = {}
        self._tiles: OrderedDict[tuple[Hashable, Cell], Pixels] = OrderedDict()
        self._held = 0
        self._broken: set[Cell] = set()
        self._told = False
        self._shown = self._wanted = ORIGINAL
        self._scene: _Scene | None = None
        self._canvas: Canvas | None = None
        self._spare: NDArray[np.uint8] | None = None
        self.revision = 0
        """Counts up with everything that changes what is painted."""

    @property
    def image(self) -> OpenedImage | None:
        return self._image

    @property
    def colouring(self) -> Colouring:
        """What is shown, which becomes what was asked for as soon as that can be shown whole."""
        return self._shown

    @property
    def held_bytes(self) -> int:
        """Bytes of the tiles that are kept."""
        return self._held

    @property
    def settled(self) -> bool:
        """Whether what was painted last was as sharp as it gets, in the colours that are wanted."""
        return self._scene is None or (
            self._shown is self._wanted and not self._missing(self._wanted, self._scene.seen)
        )

    def set_image(self, image: OpenedImage | None) -> None:
        """Shows another image; nothing of the one before is read any more."""
        self._fetching.drop(self._asker)
        if self._image is not None:
            self._fetching.cache.drop(self._image.source)
        self._image = image
        self._resolutions = ()
        self._whole.clear()
        self._tiles.clear()
        self._held = 0
        self._broken.clear()
        self._told = False
        self._scene = self._canvas = self._spare = None
        if image is not None:
            self._resolutions = resolutions(image.source.levels, image.source.size)
            first = overview_resolution(self._resolutions)
            self._whole[ORIGINAL.name] = _halvings(opaque(image.overview), first, len(self._resolutions))
            self._shown = ORIGINAL
            self.set_colouring(self._wanted)
        self._announce()

    def set_colouring(self, colouring: Colouring) -> None:
        """Shows the same pixels otherwise, all at once, when those on screen are there; until then it stays as it is."""
        self._fetching.drop(self._asker)
        for name in {self._wanted.name} - {ORIGINAL.name, self._shown.name, colouring.name}:
            self._forget(name)
        self._wanted = colouring
        if self._image is not None and not self._switch():
            self._wish()

    def paint(self, painter: QPainter, transform: QTransform, viewport: QRectF) -> None:
        """Paints the part of the image that lies in `viewport`, and wishes for what it lacks.

        transform: from level-0 pixels to the painter's coordinates, any affine one; viewport: in the painter's coordinates.
        Nothing is painted outside the image.
        """
        back, regular = transform.inverted()
        if self._image is None or not regular:
            return
        box = back.mapRect(viewport) & QRectF(0, 0, *self._image.source.size)
        if box.isEmpty():
            return
        px = 1 / scale_of(transform * painter.deviceTransform())
        index = resolution_for(self._resolutions, px)
        scene = _Scene(index, self._resolutions[index].cells(box), box)
        self._canvas = canvas = self._laid(scene)
        _draw(painter, canvas, self._resolutions[canvas.index], transform, viewport, standing_in=canvas.index != index)
        if self._scene is None or (scene.index, scene.seen) != (self._scene.index, self._scene.seen):
            self._scene = scene
            self._wish()

    def _laid(self, scene: "_Scene") -> Canvas:
        """The canvas with the best that is at hand for a scene, at the finest resolution of which there is anything."""
        index = next(i for i in range(scene.index, len(self._resolutions)) if self._has_any(i, scene))
        seen = scene.seen if index == scene.index else self._resolutions[index].cells(scene.box)
        canvas = self._canvas
        if canvas is None or not canvas.serves(index, seen):
            spare, self._spare = self._spare, canvas.memory if canvas is not None else None
            if canvas is None or canvas.index != index:
                canvas = Canvas(self._resolutions, index, seen, spare)
            else:
                canvas = canvas.moved_to(seen, spare)
        canvas.lay(seen, partial(self._finest, self._shown.name), self._broken)
        return canvas

    def _has_any(self, index: int, scene: "_Scene") -> bool:
        """Whether anything of a resolution is at hand, or is known to be broken, where the scene is."""
        name = self._shown.name
        return index in self._whole[name] or any(
            (name, cell) in self._tiles or cell in self._broken
            for cell in self._resolutions[index].cells(scene.box).cells(index)
        )

    def _finest(self, name: Hashable, cell: Cell) -> Piece:
        """The finest pixels at hand that cover a cell. The coarsest resolutions are always there."""
        fine = self._resolutions[cell.resolution]
        x, y = (cell.column + 0.5) * TILE * fine.across, (cell.row + 0.5) * TILE * fine.down
        for index in range(cell.resolution, len(self._resolutions)):
            if index in self._whole[name]:
                return Piece(index, self._whole[name][index], (0, 0))
            coarse = self._resolutions[index]
            over = Cell(index, int(x / (TILE * coarse.across)), int(y / (TILE * coarse.down)))
            over = cell if index == cell.resolution else over
            pixels = self._tiles.get((name, over))
            if pixels is not None:
                self._tiles.move_to_end((name, over))
                return Piece(index, pixels, (over.column * TILE, over.row * TILE))
        raise AssertionError("an image without an overview")

    def _missing(self, colouring: Colouring, block: Block, index: int | None = None) -> list[Cell]:
        """The cells of a block that are not at hand and can be had, nearest to the middle of the scene first."""
        assert self._scene is not None
        index = self._scene.index if index is None else index
        if index in self._whole.get(colouring.name, {}):
            return []
        resolution, middle = self._resolutions[index], self._scene.box.center()
        ordered = block.nearest_first(
            index, middle.x() / (TILE * resolution.across), middle.y() / (TILE * resolution.down)
        )
        return [cell for cell in ordered if (colouring.name, cell) not in self._tiles and cell not in self._broken]

    def _wish(self) -> None:
        """Asks for all that the scene lacks: what is seen, then a ring around it, then what a step back would show."""
        scene, colouring = self._scene, self._wanted
        errands = []
        if colouring.name not in self._whole:
            errands.append(self._errand_for_whole(colouring))
        if scene is not None:
            resolution = self._resolutions[scene.index]
            ring = resolution.grown(scene.seen)
            self._broken &= set(ring.cells(scene.index))
            wanted = dict.fromkeys(self._missing(colouring, scene.seen))
            wanted.update(dict.fromkeys(self._missing(colouring, ring)))
            if scene.index + 1 < len(self._resolutions):
                back = self._resolutions[scene.index + 1].cells(scene.box)
                wanted.update(dict.fromkeys(self._missing(colouring, back, scene.index + 1)))
            errands += [self._errand(colouring, cell) for cell in wanted]
        self._fetching.want(self._asker, errands)

    def _errand(self, colouring: Colouring, cell: Cell) -> Errand:
        assert self._image is not None
        at_hand = self._original(cell)
        source, resolution = self._image.source, self._resolutions[cell.resolution]
        return Errand(
            (colouring.name, cell),
            partial(_fetched, self._fetching.cache, source, resolution, cell, at_hand, colouring),
        )

    def _errand_for_whole(self, colouring: Colouring) -> Errand:
        originals = self._whole[ORIGINAL.name]
        first = next((i for i, one in originals.items() if one.size / 4 <= _COLOURED_WHOLE), max(originals))
        work = partial(_coloured_whole, originals[first], first, len(self._resolutions), colouring)
        return Errand((colouring.name, None), work)

    def _original(self, cell: Cell) -> Pixels | None:
        """The pixels of a cell as they are in the file, where they are at hand."""
        whole = self._whole[ORIGINAL.name].get(cell.resolution)
        if whole is None:
            return self._tiles.get((ORIGINAL.name, cell))
        x, y = cell.column * TILE, cell.row * TILE
        return whole[y : y + TILE, x : x + TILE]

    def _took(self, key: tuple[Hashable, Cell | None], result: "_Fetched") -> None:
        name, cell = key
        if cell is None:
            self._whole[name] = result.whole or {}
        else:
            for called, pixels in ((ORIGINAL.name, result.original), (name, result.coloured)):
                if pixels is not None:
                    self._keep((called, cell), pixels)
        if not self._switch():
            self._announce()

    def _refused(self, key: tuple[Hashable, Cell | None], error: Exception) -> None:
        _, cell = key
        if cell is not None:
            self._broken.add(cell)
        if isinstance(error, UserError) and not self._told:
            self._told = True
            self.failed.emit(error)
        if not self._switch():
            self._announce()

    def _keep(self, key: tuple[Hashable, Cell], pixels: Pixels) -> None:
        """Keeps a cell, and lets go of those that are not on screen and were not painted for the longest time."""
        self._held += pixels.nbytes - (self._tiles[key].nbytes if key in self._tiles else 0)
        self._tiles[key] = pixels
        if self._held > self._most_bytes:
            on_screen = set(self._scene.seen.cells(self._scene.index)) if self._scene is not None else set()
            for old in [old for old in self._tiles if old[1] not in on_screen]:
                self._held -= self._tiles.pop(old).nbytes
                if self._held <= self._most_bytes:
                    break

    def _forget(self, name: Hashable) -> None:
        """Lets go of a colouring that is not shown any more."""
        self._whole.pop(name, None)
        for key in [key for key in self._tiles if key[0] == name]:
            self._held -= self._tiles.pop(key).nbytes

    def _switch(self) -> bool:
        """Shows the colouring that is wanted once all that is on screen is there in it. Returns whether it did."""
        wanted = self._wanted
        if wanted is self._shown or wanted.name not in self._whole:
            return False
        if self._scene is not None:
            missing = self._missing(wanted, self._scene.seen)
            if any(self._original(cell) is not None for cell in missing):
                return False
        before, self._shown = self._shown, wanted
        if before.name not in (ORIGINAL.name, wanted.name):
            self._forget(before.name)
        self._canvas = None
        self._wish()
        self._announce()
        return True

    def _announce(self) -> None:
        self.revision += 1
        self.changed.emit()


@dataclass(frozen=True, eq=False, slots=True)
class _Scene:
    """What was painted last: the resolution, the cells of it, and the level-0 rectangle."""

    index: int
    seen: Block
    box: QRectF


@dataclass(frozen=True, eq=False, slots=True)
class _Fetched:
    """What an errand brings: a tile as it is and as it is coloured, or the coarse resolutions coloured whole."""

    original: Pixels | None = None
    coloured: Pixels | None = None
    whole: dict[int, Pixels] | None = None


def _fetched(
    cache: TileCache,
    source: ImageSource,
    resolution: Resolution,
    cell: Cell,
    at_hand: Pixels | None,
    colouring: Colouring,
) -> _Fetched:
    """On a worker thread: reads a cell where it is not at hand, and colours it."""
    original = opaque(read_cell(cache, source, resolution, cell)) if at_hand is None else at_hand
    coloured = opaque(colouring.apply(plain(original))) if colouring.apply is not None else None
    return _Fetched(original if at_hand is None else None, coloured)


def _coloured_whole(whole: Pixels, first: int, count: int, colouring: Colouring) -> _Fetched:
    """On a worker thread: a small resolution coloured, and those that are coarser."""
    assert colouring.apply is not None
    return _Fetched(whole=_halvings(opaque(colouring.apply(plain(whole))), first, count))


def _halvings(pixels: Pixels, first: int, count: int) -> dict[int, Pixels]:
    """A resolution by its index, and all that are coarser."""
    made = {first: pixels}
    for index in range(first + 1, count):
        made[index] = shrunk(made[index - 1], 2)
    return made


def _draw(
    painter: QPainter,
    canvas: Canvas,
    resolution: Resolution,
    transform: QTransform,
    viewport: QRectF,
    *,
    standing_in: bool,
) -> None:
    """Draws a canvas: pixel for pixel where it can be, large pixels as they are, smooth otherwise.

    The large pixels of one that stands in for a finer one are not the image's own, and are always smooth.
    """
    x, y = canvas.x * resolution.across, canvas.y * resolution.down
    device = QTransform(resolution.across, 0, 0, resolution.down, x, y) * transform * painter.deviceTransform()
    enlarged = scale_of(device)
    one_to_one = abs(enlarged - 1) < 1e-6 and is_right_angled(device)
    if one_to_one:
        device = on_whole_pixels(device)
    draw(painter, canvas.image, device, viewport, smooth=standing_in or not (one_to_one or enlarged >= 2 - 1e-9))
