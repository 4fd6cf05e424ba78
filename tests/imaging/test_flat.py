import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from her2viewer.imaging import flat as flat_module
from her2viewer.imaging.flat import FlatImage
from her2viewer.imaging.source import ImageSource, Level
from tests.imaging.pictures import tissue

WIDTH, HEIGHT = 1101, 531


def flat(image: np.ndarray) -> FlatImage:
    return FlatImage(Path("x.png"), image.copy(), kind="PNG", sha256="0" * 64)


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def source(image: np.ndarray) -> FlatImage:
    return flat(image)


def test_it_keeps_the_contract(source: FlatImage) -> None:
    contract: ImageSource = source
    assert contract.size == (WIDTH, HEIGHT) and contract.mpp is None and contract.notes == ()


@given(
    level=st.integers(0, 2),
    x=st.integers(-1300, 1300),
    y=st.integers(-700, 700),
    w=st.integers(0, 90),
    h=st.integers(0, 90),
)
def test_any_window_is_the_crop_of_the_picture_on_white(
    source: FlatImage, level: int, x: int, y: int, w: int, h: int
) -> None:
    whole = source.read(level, 0, 0, source.levels[level].width, source.levels[level].height)
    rows, columns = np.arange(y, y + h), np.arange(x, x + w)
    expected = np.full((h, w, 3), 255, np.uint8)
    inside = np.ix_((rows >= 0) & (rows < len(whole)), (columns >= 0) & (columns < whole.shape[1]))
    good_rows, good_columns = (
        rows[(rows >= 0) & (rows < len(whole))],
        columns[(columns >= 0) & (columns < whole.shape[1])],
    )
    expected[inside] = whole[np.ix_(good_rows, good_columns)]
    window = source.read(level, x, y, w, h)
    assert window.dtype == np.uint8 and np.array_equal(window, expected)
    assert window.flags.c_contiguous and window.flags.owndata and window.flags.writeable


def test_a_window_far_larger_than_the_picture(source: FlatImage, image: np.ndarray) -> None:
    window = source.read(0, -50, -60, WIDTH + 100, HEIGHT + 120)
    assert np.array_equal(window[60:-60, 50:-50], image)
    assert (window[:60] == 255).all() and (window[:, -50:] == 255).all()


def test_the_array_is_the_callers_own(source: FlatImage, image: np.ndarray) -> None:
    source.read(0, 0, 0, WIDTH, HEIGHT)[:] = 0
    assert np.array_equal(source.read(0, 0, 0, WIDTH, HEIGHT), image)


def test_levels_halve_down_to_512(source: FlatImage) -> None:
    assert source.levels == (Level(WIDTH, HEIGHT, 1.0), Level(551, 266, 2.0), Level(276, 133, 4.0))
    assert [level.width for level in flat(tissue(512, 512)).levels] == [512]
    assert [level.width for level in flat(tissue(10, 513)).levels] == [513, 257]


def test_each_pixel_of_a_level_is_the_mean_of_the_four_it_covers(source: FlatImage, image: np.ndarray) -> None:
    below = image
    for index, level in list(enumerate(source.levels))[1:]:
        padded = np.pad(below, ((0, len(below) % 2), (0, below.shape[1] % 2), (0, 0)), mode="edge").astype(int)
        mean = (padded[::2, ::2] + padded[1::2, ::2] + padded[::2, 1::2] + padded[1::2, 1::2]) / 4
        below = source.read(index, 0, 0, level.width, level.height)
        assert below.shape == mean.shape
        assert np.abs(below - mean).max() <= 0.5


def test_a_feature_stays_in_its_place_on_every_level() -> None:
    image = np.full((1025, 2049, 3), 255, np.uint8)
    image[800:816, 1600:1616] = 0
    source = flat(image)
    for index, level in enumerate(source.levels):
        step = int(level.downsample)
        dark = np.argwhere((source.read(index, 0, 0, level.width, level.height) < 128).all(axis=2))
        assert dark.min(axis=0).tolist() == [800 // step, 1600 // step]
        assert dark.max(axis=0).tolist() == [816 // step - 1, 1616 // step - 1]


def test_a_line_of_pixels_has_levels_too() -> None:
    source = flat(tissue(1, 5000))
    assert [(level.width, level.height) for level in source.levels] == [
        (5000, 1),
        (2500, 1),
        (1250, 1),
        (625, 1),
        (313, 1),
    ]
    assert source.read(4, 0, 0, 313, 1).shape == (1, 313, 3)


def test_one_pixel() -> None:
    source = flat(np.array([[[1, 2, 3]]], np.uint8))
    assert source.read(0, 0, 0, 1, 1).tolist() == [[[1, 2, 3]]]
    assert (source.read(0, 1, 0, 2, 2) == 255).all()


@pytest.mark.parametrize("window", [(-1, 0, 0, 1, 1), (3, 0, 0, 1, 1), (0, 0, 0, -1, 1), (0, 0, 0, 1, -1)])
def test_what_cannot_be_read_is_said(source: FlatImage, window: tuple[int, int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="cannot be read; there are 3 levels"):
        source.read(*window)


def test_after_close_every_read_says_so() -> None:
    source = flat(tissue())
    with source as same:
        assert same is source
    source.close()
    for level in range(len(source.levels)):
        with pytest.raises(ValueError, match=r"x\.png is closed"):
            source.read(level, 0, 0, 1, 1)
    assert source.size == (64, 48)


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 4), (0, 4, 3), (4, 0, 3)])
def test_only_pictures_are_taken(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="uint8 expected"):
        flat(np.zeros(shape, np.uint8))


def test_many_threads_read_the_same_levels(image: np.ndarray) -> None:
    alone = flat(image)
    wanted = [alone.read(k, 0, 0, level.width, level.height) for k, level in enumerate(alone.levels)]
    shared, wrong = flat(image), []
    start = threading.Barrier(8)

    def read(turn: int) -> None:
        start.wait()
        for k in (2, 1, 0) if turn % 2 else (0, 2, 1):
            level = shared.levels[k]
            if not np.array_equal(shared.read(k, 0, 0, level.width, level.height), wanted[k]):
                wrong.append((turn, k))

    threads = [threading.Thread(target=read, args=(turn,)) for turn in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_level_that_is_there_is_read_while_another_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    making, go_on = threading.Event(), threading.Event()
    halved = flat_module._halved

    def slowly(image: np.ndarray) -> np.ndarray:
        making.set()
        assert go_on.wait(30)
        return halved(image)

    monkeypatch.setattr(flat_module, "_halved", slowly)
    source, coarse = flat(tissue(700, 1100)), []
    thread = threading.Thread(target=lambda: coarse.append(source.read(2, 0, 0, 275, 175)))
    thread.start()
    assert making.wait(30)
    assert np.array_equal(source.read(0, 0, 0, 1100, 700), tissue(700, 1100))
    go_on.set()
    thread.join()
    assert coarse[0].shape == (175, 275, 3)
