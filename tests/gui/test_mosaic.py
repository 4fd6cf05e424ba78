"""Tiles on screen: the source's own pixels, never blank, whatever is read when, in a real pane."""

import threading
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter, QTransform
from pytestqt.qtbot import QtBot

from her2viewer.errors import ImageError
from her2viewer.gui.pane.colouring import ORIGINAL, Colouring
from her2viewer.gui.pane.fetching import Fetching
from her2viewer.gui.pane.mosaic import Mosaic
from her2viewer.gui.pane.tissue_view import TissueView
from her2viewer.gui.pane.viewpoint import Viewpoint
from her2viewer.scoring.stains import Stain

from .sources import ComputedSource, colour_at, computed
from .test_pane import pixels_of

SIZE = (401, 300)
"""Of the pane: odd one way, even the other."""


def pane_of(qtbot: QtBot, source_and_image: tuple, fetching: Fetching | None = None) -> TissueView:
    view = TissueView(Stain.HE, fetching)
    qtbot.addWidget(view)
    view.resize(*SIZE)
    view.set_image(source_and_image[1])
    view.show()
    qtbot.waitExposed(view)
    return view


def look(view: TissueView) -> np.ndarray:
    return pixels_of(view.viewport().grab().toImage())


def settled(qtbot: QtBot, view: TissueView) -> np.ndarray:
    """What is painted once everything has arrived."""
    look(view)
    qtbot.waitUntil(lambda: view.mosaic.settled)
    return look(view)


def on_grid(x: float, y: float, px: float, rotation: float = 0.0, mirrored: bool = False) -> Viewpoint:
    """A viewpoint that puts pixel edges of the image on pixel edges of the screen."""
    across, down = SIZE if rotation % 180 == 0 else SIZE[::-1]
    return Viewpoint(x + px * (across % 2) / 2, y + px * (down % 2) / 2, px, rotation, mirrored)


def truth(at: Viewpoint) -> np.ndarray:
    """What the screen must show of a computed source, at 1:1 or closer, turned by a right angle."""
    rows, columns = np.mgrid[: SIZE[1], : SIZE[0]]
    back = at.transform(SIZE).inverted()[0]
    x = back.m11() * (columns + 0.5) + back.m21() * (rows + 0.5) + back.dx()
    y = back.m12() * (columns + 0.5) + back.m22() * (rows + 0.5) + back.dy()
    xs, ys = np.arange(np.floor(x.min()), x.max() + 1), np.arange(np.floor(y.min()), y.max() + 1)
    patch = colour_at(xs + 0.5, ys + 0.5)
    return patch[(np.floor(y) - ys[0]).astype(int), (np.floor(x) - xs[0]).astype(int)]


@pytest.mark.parametrize("px", [1.0, 0.5, 0.25])
@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("rotation", [0.0, 90.0, 180.0, 270.0])
def test_source_pixels_are_shown_as_they_are(qtbot: QtBot, rotation: float, mirrored: bool, px: float) -> None:
    view = pane_of(qtbot, computed(9000, 7000, 4))
    at = on_grid(5120, 4096, px, rotation, mirrored)
    view.go(at)
    assert np.array_equal(settled(qtbot, view), truth(at))


def test_a_turned_view_is_the_upright_one_turned(qtbot: QtBot) -> None:
    view = pane_of(qtbot, computed(9000, 7000))
    view.resize(300, 300)
    view.go(Viewpoint(5000, 4000, 1.0))
    upright = settled(qtbot, view)
    view.turn(90)
    assert np.array_equal(settled(qtbot, view), np.rot90(upright, -1))
    view.flip()
    assert np.array_equal(settled(qtbot, view), np.rot90(upright, -1)[:, ::-1])
    view.set_upright()
    view.flip()
    assert np.array_equal(settled(qtbot, view), upright[:, ::-1])


def test_between_the_pixels_it_is_smooth_and_in_place(qtbot: QtBot) -> None:
    view = pane_of(qtbot, computed(9000, 7000, 4))
    for px, rotation in ((1.7, 0.0), (3.1, 0.0), (1.0, 30.0), (0.8, 217.0)):
        at = Viewpoint(5000.3, 4000.6, px, rotation, True)
        view.go(at)
        seen = settled(qtbot, view)[60:240, 60:340].astype(int)
        back = at.transform(SIZE).inverted()[0]
        rows, columns = np.mgrid[60:240, 60:340] + 0.5
        x = back.m11() * columns + back.m21() * rows + back.dx()
        y = back.m12() * columns + back.m22() * rows + back.dy()
        # Red and green are ramps that fall back every 251 and 241 pixels: half a pixel off is half a step off. Qt leaves
        # off what is less than a step, which is half a step on the average.
        away = ((x % 251 > 8) & (x % 251 < 243) & (y % 241 > 8) & (y % 241 < 233)).nonzero()
        for off in (seen[..., 0] + 0.5 - x % 251, seen[..., 1] + 0.5 - y % 241):
            assert -0.6 < off[away].mean() < 0.1
            assert np.abs(off[away]).max() <= 1.5


def test_no_frame_is_blank_however_one_moves(qtbot: QtBot) -> None:
    source, image = computed(100_000, 80_000, 4)
    view = pane_of(qtbot, (source, image))
    source.gate.clear()  # nothing that is wanted ever comes
    rng = np.random.default_rng(3)
    for step in range(120):
        match step % 4:
            case 0:
                view.zoom_at(float(2 ** rng.uniform(-3, 4)))
            case 1:
                view.move_by(*rng.uniform(-900, 900, 2))
            case 2:
                view.go(Viewpoint(*rng.uniform(0, 80_000, 2), float(2 ** rng.uniform(-4, 7))))
            case _:
                view.turn(float(rng.choice([15, 90, -40])))
        seen = look(view)
        inside = QImage(*SIZE, QImage.Format.Format_Grayscale8)
        inside.fill(0)
        painter = QPainter(inside)
        painter.setWorldTransform(view.transform())
        painter.fillRect(QRectF(0, 0, 100_000, 80_000), QColor("white"))
        painter.end()
        rows = np.frombuffer(inside.constBits(), np.uint8).reshape(SIZE[1], inside.bytesPerLine())[:, : SIZE[0]] > 0
        rows[1:-1, 1:-1] &= rows[:-2, 1:-1] & rows[2:, 1:-1] & rows[1:-1, :-2] & rows[1:-1, 2:]
        assert (seen[..., 2][rows] > 150).all(), view.viewpoint
    source.gate.set()


def test_a_coarser_tile_stands_in_where_it_belongs(qtbot: QtBot) -> None:
    source, image = computed(40_000, 30_000)
    view = pane_of(qtbot, (source, image))
    view.go(Viewpoint(20_000, 15_000, 4.0))
    settled(qtbot, view)
    source.gate.clear()
    view.go(Viewpoint(20_000, 15_000, 1.0))
    standing_in = look(view).astype(int)
    source.gate.set()
    fine = settled(qtbot, view).astype(int)
    assert not np.array_equal(standing_in, fine)
    smooth = (np.abs(np.diff(fine[..., 0], axis=1)) < 5).all(axis=0)[None] & np.ones(fine.shape[0], bool)[:, None]
    off = (standing_in[:, 1:, 0] - fine[:, 1:, 0])[smooth]
    assert abs(np.median(off)) <= 0.5


def test_nearest_first_and_what_left_the_view_is_not_read(qtbot: QtBot) -> None:
    source, image = computed(60_000, 60_000)
    fetching = Fetching(threads=1)
    view = pane_of(qtbot, (source, image), fetching)
    settled(qtbot, view)
    source.reads.clear()
    source.gate.clear()
    source.begun.clear()
    view.go(Viewpoint(10_000, 10_000, 1.0))
    look(view)
    qtbot.waitUntil(source.begun.is_set)
    view.go(Viewpoint(50_000, 50_000, 1.0))
    look(view)
    source.gate.set()
    settled(qtbot, view)
    left, rest = source.reads[0], source.reads[1:]
    assert left == (0, 10_000 // 512, 10_000 // 512)  # it was under way
    assert rest[0] == (0, 50_000 // 512, 50_000 // 512)
    assert all(column > 40 for _, column, _ in rest if _ == 0)
    assert fetching.close()


def test_a_ring_around_the_view_is_fetched_ahead(qtbot: QtBot) -> None:
    source, image = computed(60_000, 60_000)
    view = pane_of(qtbot, (source, image))
    view.go(Viewpoint(30_000, 30_000, 1.0))
    settled(qtbot, view)
    qtbot.waitUntil(lambda: not view.mosaic._fetching._threads)
    source.gate.clear()
    view.move_by(450, 450)
    look(view)
    assert view.mosaic.settled
    source.gate.set()


def test_a_broken_tile_is_hatched_said_once_and_the_rest_is_there(qtbot: QtBot) -> None:
    source, image = computed(9000, 7000)
    view = pane_of(qtbot, (source, image))
    column, row = 5000 // 512, 4000 // 512
    source.broken |= {(0, column, row), (0, column + 1, row)}
    told: list[ImageError] = []
    view.mosaic.failed.connect(told.append)
    at = on_grid(column * 512 + 256, row * 512, 1.0)
    view.go(at)
    seen, expected = settled(qtbot, view), truth(at)
    middle = SIZE[1] // 2
    assert np.array_equal(seen[:middle], expected[:middle])
    assert not np.array_equal(seen[middle:], expected[middle:])
    assert (seen[middle:, :, 2] > 130).all()  # hatched over coarser tissue, not blank
    assert [str(error) for error in told] == ["computed.svs: part of it is damaged; scan it again."]
    source.broken.clear()
    view.go(Viewpoint(1000, 1000, 1.0))
    settled(qtbot, view)
    view.go(at)
    assert np.array_equal(settled(qtbot, view), expected)


def test_another_image_is_never_mixed_with_the_one_before(qtbot: QtBot) -> None:
    source, image = computed(9000, 7000)
    view = pane_of(qtbot, (source, image))
    source.gate.clear()
    view.go(Viewpoint(5000, 4000, 1.0))
    look(view)
    qtbot.waitUntil(source.begun.is_set)
    _, other_image = computed(8000, 8000)
    view.set_image(other_image)
    source.close()
    at = on_grid(3000, 3000, 1.0)
    view.go(at)
    source.gate.set()  # what was under way now finds a closed source, and nobody is told
    assert np.array_equal(settled(qtbot, view), truth(at))
    assert view.mosaic.held_bytes > 0
    view.set_image(None)
    assert view.mosaic.held_bytes == 0
    assert (look(view) == 118).all()


@pytest.mark.parametrize("time_", range(20))
def test_close_while_fetching(qtbot: QtBot, time_: int) -> None:
    source, image = computed(100_000, 80_000)
    fetching = Fetching()
    view = pane_of(qtbot, (source, image), fetching)
    rng = np.random.default_rng(time_)
    for _ in range(5):
        view.go(Viewpoint(*rng.uniform(0, 80_000, 2), 1.0))
        look(view)
    begun = time.perf_counter()
    assert fetching.close()
    assert time.perf_counter() - begun < 3
    source.close()
    look(view)


def test_a_view_with_threads_of_its_own_takes_them_along(qtbot: QtBot) -> None:
    source, image = computed(60_000, 60_000)
    source.gate.clear()
    view = TissueView(Stain.HE)
    view.resize(*SIZE)
    view.set_image(image)
    view.go(Viewpoint(30_000, 30_000, 1.0))
    look(view)
    qtbot.waitUntil(source.begun.is_set)
    threading.Timer(0.1, source.gate.set).start()
    fetching = view.mosaic._fetching
    view.deleteLater()
    qtbot.waitUntil(lambda: fetching._closed)
    assert not [thread for thread in fetching._threads if thread.is_alive()]


def test_memory_stays_within_its_limit(qtbot: QtBot) -> None:
    source, image = computed(100_000, 80_000)
    view = pane_of(qtbot, (source, image))
    view.mosaic._most_bytes = 12 * 2**20
    rng = np.random.default_rng(1)
    for _ in range(30):
        view.go(Viewpoint(*rng.uniform(0, 80_000, 2), float(2 ** rng.uniform(0, 4))))
        settled(qtbot, view)
        assert view.mosaic.held_bytes <= 12 * 2**20
        held = sum(tile.nbytes for tile in view.mosaic._tiles.values())
        assert held == view.mosaic.held_bytes


def negative(pixels: np.ndarray) -> np.ndarray:
    return 255 - pixels


def slowly(gate: threading.Event, apply: Callable[[np.ndarray], np.ndarray], pixels: np.ndarray) -> np.ndarray:
    assert gate.wait(30)
    return apply(pixels)


def test_another_colouring_comes_whole_and_the_original_comes_back_at_once(qtbot: QtBot) -> None:
    source, image = computed(9000, 7000, 4)
    view = pane_of(qtbot, (source, image))
    at = on_grid(5000, 4000, 1.0)
    view.go(at)
    original = settled(qtbot, view)
    gate = threading.Event()
    colouring = Colouring("negative", partial(slowly, gate, negative))
    view.set_colouring(colouring)
    assert np.array_equal(look(view), original)
    assert view.mosaic.colouring is ORIGINAL
    frames: list[np.ndarray] = []
    view.mosaic.changed.connect(lambda: frames.append(look(view)))
    gate.set()
    qtbot.waitUntil(lambda: view.mosaic.colouring is colouring)
    assert np.array_equal(settled(qtbot, view), 255 - truth(at))
    # Each frame is the one or the other, never a mixture.
    assert all(np.array_equal(frame, original) or np.array_equal(frame, 255 - original) for frame in frames)
    qtbot.waitUntil(lambda: not view.mosaic._fetching._threads)
    source.gate.clear()
    view.set_colouring(ORIGINAL)
    assert view.mosaic.colouring is ORIGINAL and view.mosaic.settled
    assert np.array_equal(look(view), original)
    source.gate.set()


def test_a_colouring_that_came_too_late_is_never_shown(qtbot: QtBot) -> None:
    view = pane_of(qtbot, computed(9000, 7000))
    view.go(Viewpoint(5000, 4000, 1.0))
    original = settled(qtbot, view)
    gate, shown = threading.Event(), []
    view.mosaic.changed.connect(lambda: shown.append(view.mosaic.colouring.name))
    view.set_colouring(Colouring("slow", partial(slowly, gate, negative)))
    view.set_colouring(Colouring("quick", lambda pixels: pixels // 2))
    gate.set()
    qtbot.waitUntil(lambda: view.mosaic.colouring.name == "quick")
    view.set_colouring(ORIGINAL)
    assert np.array_equal(settled(qtbot, view), original)
    assert "slow" not in shown


def test_moving_in_a_colouring_shows_nothing_of_the_original(qtbot: QtBot) -> None:
    view = pane_of(qtbot, computed(60_000, 60_000))
    view.set_colouring(Colouring("no blue", lambda pixels: pixels * np.array([1, 1, 0], np.uint8)))
    look(view)
    qtbot.waitUntil(lambda: view.mosaic.colouring.name == "no blue")
    rng = np.random.default_rng(2)
    for _ in range(25):
        view.go(Viewpoint(*rng.uniform(5000, 55_000, 2), float(2 ** rng.uniform(-2, 4))))
        assert (look(view)[..., 2] == 0).all()
    at = on_grid(30_000, 30_000, 1.0)
    view.go(at)
    assert np.array_equal(settled(qtbot, view)[..., :2], truth(at)[..., :2])


def test_a_colouring_outlives_the_image(qtbot: QtBot) -> None:
    view = pane_of(qtbot, computed(3000, 2000))
    view.set_colouring(Colouring("negative", negative))
    view.set_image(computed(4000, 3000)[1])
    at = on_grid(2000, 1500, 1.0)
    view.go(at)
    look(view)
    qtbot.waitUntil(lambda: view.mosaic.colouring.name == "negative")
    assert np.array_equal(settled(qtbot, view), 255 - truth(at))


@pytest.fixture
def mosaic(qtbot: QtBot):
    fetching = Fetching()
    _, image = computed(2000, 1500)
    made = Mosaic(fetching)
    made.set_image(image)
    yield made
    assert fetching.close()


def painted(mosaic: Mosaic, ratio: float, transform: QTransform, part: QRectF, opacity: float = 1.0) -> np.ndarray:
    canvas = QImage(round(400 * ratio), round(300 * ratio), QImage.Format.Format_RGB32)
    canvas.setDevicePixelRatio(ratio)
    canvas.fill(QColor(0, 0, 0))
    painter = QPainter(canvas)
    painter.setOpacity(opacity)
    mosaic.paint(painter, transform, part)
    painter.end()
    return pixels_of(canvas)


@pytest.mark.parametrize("ratio", [1.0, 1.25, 1.5, 2.0])
def test_scaled_screens_show_pixel_for_pixel_too(qtbot: QtBot, mosaic: Mosaic, ratio: float) -> None:
    # One image pixel on one device pixel, which is 1 / ratio of a logical one.
    transform = QTransform.fromTranslate(-300, -200) * QTransform.fromScale(1 / ratio, 1 / ratio)
    part = QRectF(0, 0, 400, 300)
    painted(mosaic, ratio, transform, part)
    qtbot.waitUntil(lambda: mosaic.settled)
    seen = painted(mosaic, ratio, transform, part)
    height, width = seen.shape[:2]
    assert np.array_equal(seen, colour_at(300.5 + np.arange(width), 200.5 + np.arange(height)))


def test_it_can_be_painted_under_another_painter_in_part_and_half_transparent(qtbot: QtBot, mosaic: Mosaic) -> None:
    transform, part = QTransform.fromTranslate(-300, -200), QRectF(100, 50, 120, 80)
    painted(mosaic, 1.0, transform, part)
    qtbot.waitUntil(lambda: mosaic.settled)
    seen = painted(mosaic, 1.0, transform, part, opacity=0.5)
    expected = colour_at(300.5 + np.arange(400), 200.5 + np.arange(300)) / 2
    assert np.abs(seen[50:130, 100:220] - expected[50:130, 100:220]).max() <= 1
    seen[50:130, 100:220] = 0
    assert not seen.any()


def test_a_sheared_and_stretched_image_is_painted_where_it_belongs(qtbot: QtBot, mosaic: Mosaic) -> None:
    transform = QTransform(0.9, 0.2, -0.3, 1.3, -60, -420)
    part = QRectF(0, 0, 400, 300)
    painted(mosaic, 1.0, transform, part)
    qtbot.waitUntil(lambda: mosaic.settled)
    seen = painted(mosaic, 1.0, transform, part).astype(float)
    back = transform.inverted()[0]
    for x, y in ((200, 150), (60, 40), (350, 260)):
        at = back.map(x + 0.5, y + 0.5)
        if 10 < at[0] % 251 < 240 and 10 < at[1] % 241 < 230:
            assert seen[y, x, 0] + 0.5 == pytest.approx(at[0] % 251, abs=1)
            assert seen[y, x, 1] + 0.5 == pytest.approx(at[1] % 241, abs=1)


def test_computed_sources_are_what_the_tests_take_them_for() -> None:
    source = ComputedSource((4000, 3000), computed(4000, 3000)[0].levels)
    assert np.array_equal(source.read(0, 7, 9, 5, 4), colour_at(np.arange(7, 12) + 0.5, np.arange(9, 13) + 0.5))
