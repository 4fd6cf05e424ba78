import hashlib
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from her2viewer.errors import ImageError
from her2viewer.imaging.flat import FlatImage
from her2viewer.imaging.opening import open_image
from her2viewer.imaging.slide import Slide
from her2viewer.imaging.source import ImageSource, Level, PixelSize, RGBImage
from her2viewer.imaging.stored import Facts
from tests.imaging.pictures import tissue
from tests.imaging.profiles import wide_gamut_profile
from tests.imaging.slides import WRITERS, content, write_aperio_slide, write_ome_slide, write_slide

SIZE = (5001, 4403)
"""No multiple of the tile, nor of the step between levels."""

Writer = Callable[..., Path]


@pytest.fixture(scope="module", params=WRITERS)
def slide(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Slide:
    path = tmp_path_factory.mktemp("slides") / "a.bin"
    opened = open_image(WRITERS[request.param](path, SIZE))
    request.addfinalizer(opened.close)
    assert isinstance(opened, Slide) and opened.format == request.param
    return opened


class Stored:
    """A pyramid in memory."""

    def __init__(self, image: np.ndarray, icc: bytes | None = None, damaged: Exception | None = None) -> None:
        self.image = image
        self.levels = (Level(image.shape[1], image.shape[0], 1.0),)
        self.facts = Facts("a slide", icc=icc)
        self.damaged = damaged
        self.closed = 0
        self.before_read: Callable[[], object] = lambda: None

    def read(self, level: int, x: int, y: int, w: int, h: int) -> RGBImage:
        self.before_read()
        if self.damaged is not None:
            raise self.damaged
        assert not self.closed
        return self.image[y : y + h, x : x + w].copy()

    def associated_image(self, name: str) -> RGBImage:
        raise AssertionError

    def close(self) -> None:
        self.closed += 1


def test_it_keeps_the_contract(slide: Slide) -> None:
    contract: ImageSource = slide
    assert contract.size == SIZE and contract.notes == ()
    assert contract.mpp is not None and contract.mpp.um == 0.5
    assert contract.sha256 == hashlib.sha256(contract.path.read_bytes()).hexdigest()
    assert [level.downsample for level in contract.levels] == [1, 4, 8]


@given(
    level=st.integers(0, 1),
    x=st.integers(-200, 5100),
    y=st.integers(-200, 4500),
    w=st.integers(0, 700),
    h=st.integers(0, 700),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_window_is_the_crop_of_the_stored_level_on_white(
    slide: Slide, level: int, x: int, y: int, w: int, h: int
) -> None:
    width, height = slide.levels[level].width, slide.levels[level].height
    left, top, right, bottom = max(x, 0), max(y, 0), min(x + w, width), min(y + h, height)
    expected = np.full((h, w, 3), 255, np.uint8)
    if left < right and top < bottom:
        inside = content(SIZE, 4**level, (left, top, right - left, bottom - top))
        expected[top - y : bottom - y, left - x : right - x] = inside
    window = slide.read(level, x, y, w, h)
    assert window.dtype == np.uint8 and window.flags.c_contiguous and window.flags.writeable
    assert np.array_equal(window, expected)


def test_the_added_level_is_the_mean_of_the_finer_one(slide: Slide) -> None:
    fine = slide.read(1, 0, 0, slide.levels[1].width // 2 * 2, slide.levels[1].height // 2 * 2).astype(float)
    mean = (fine[::2, ::2] + fine[1::2, ::2] + fine[::2, 1::2] + fine[1::2, 1::2]) / 4
    added = slide.read(2, 0, 0, slide.levels[2].width, slide.levels[2].height)
    assert np.abs(added[: mean.shape[0], : mean.shape[1]] - mean).max() <= 0.51


def test_a_hundred_thousand_pixels_across(tmp_path: Path) -> None:
    size = (100_000, 80_000)
    path = write_slide(tmp_path / "big.tif", size, mpp=0.25)
    assert path.stat().st_size < 20e6
    with open_image(path) as slide:
        assert slide.size == size and slide.mpp == PixelSize(0.25, "TIFF resolution")
        assert [level.downsample for level in slide.levels] == [1, 4, 16, 64, 128]
        for level, factor in enumerate((1, 4, 16, 64)):
            width, height = slide.levels[level].width, slide.levels[level].height
            for x, y in [(0, 0), (width // 2 + 7, height // 3 + 1), (width - 300, height - 200)]:
                assert np.array_equal(slide.read(level, x, y, 300, 200), content(size, factor, (x, y, 300, 200)))


def test_a_single_level_of_a_hundred_thousand_pixels_opens_without_being_read(tmp_path: Path) -> None:
    size = (100_000, 80_000)
    with open_image(write_slide(tmp_path / "big.tif", size, levels=1)) as slide:
        assert [level.downsample for level in slide.levels] == [1, 4, 16, 64, 128]
        assert any("far overview are sampled" in note for note in slide.notes)
        exact = slide.read(2, 3000, 2000, 40, 30)
        assert np.abs(exact.astype(int) - content(size, 16, (3000, 2000, 40, 30))).max() <= 2
        far = slide.read(4, 300, 200, 32, 32)
        blocks = content(size, 128, (300, 200, 32, 32))
        assert np.abs(far.mean(axis=(0, 1)) - blocks.mean(axis=(0, 1))).max() < 12
        with pytest.raises(ImageError, match="more than can be held at once; choose a smaller field"):
            slide.read(0, 0, 0, *size)


def test_a_stored_thumbnail_is_the_far_overview(tmp_path: Path) -> None:
    path = write_aperio_slide(tmp_path / "big.svs", (40_960, 32_768), levels=1)
    with open_image(path) as slide:
        assert [level.downsample for level in slide.levels] == [1, 4, 16, 80]
        assert slide.notes == ()
        thumbnail = slide.associated_image("thumbnail")
        assert np.array_equal(slide.read(3, 0, 0, slide.levels[3].width, slide.levels[3].height), thumbnail)


def test_slides_have_properties_and_further_pictures(tmp_path: Path) -> None:
    with open_image(write_aperio_slide(tmp_path / "a.svs", (3000, 2000))) as slide:
        common = {key: slide.properties[key] for key in ("Vendor", "Objective power", "Scanner", "Scanned")}
        assert common == {
            "Vendor": "Aperio SVS",
            "Objective power": "20",
            "Scanner": "SS1234",
            "Scanned": "11/24/26",
        }
        assert slide.properties["aperio.MPP"] == "0.5" and not any("openslide" in key for key in slide.properties)
        assert slide.associated == ("label", "macro", "thumbnail")
        assert np.array_equal(slide.associated_image("label"), tissue(60, 90))
        assert slide.associated_image("thumbnail").shape == (341, 512, 3)
        with pytest.raises(KeyError):
            slide.associated_image("lable")
        with pytest.raises(TypeError):
            slide.properties["Vendor"] = "nobody"  # type: ignore[index]
    flat = FlatImage(Path("x"), tissue(), kind="PNG", sha256="")
    assert flat.properties == {} and flat.associated == ()
    with pytest.raises(KeyError):
        flat.associated_image("label")


@pytest.mark.parametrize("writer", [write_aperio_slide, write_ome_slide])
@pytest.mark.parametrize("mpp", [0, -0.5, 0.001, 300])
def test_a_scale_that_cannot_be_is_said_and_not_used(tmp_path: Path, writer: Writer, mpp: float) -> None:
    with open_image(writer(tmp_path / "a.tif", (3000, 2000), mpp=mpp)) as slide:
        assert slide.mpp is None
        assert slide.notes == (f"the file says {mpp:.4g} micrometres per pixel, which cannot be",)


@pytest.mark.parametrize("writer", WRITERS.values())
def test_a_slide_without_a_scale_has_none(tmp_path: Path, writer: Writer) -> None:
    with open_image(writer(tmp_path / "a.tif", (3000, 2000), mpp=None)) as slide:
        assert slide.mpp is None and slide.notes == ()


def test_colours_come_through_the_embedded_profile() -> None:
    image = tissue(40, 40)
    with (
        Slide(Path("a"), Stored(image, wide_gamut_profile())) as converted,
        Slide(Path("a"), Stored(image, b"no profile")) as unfit,
    ):
        pixels = converted.read(0, 0, 0, 40, 40)
        assert not np.array_equal(pixels, image) and pixels.flags.c_contiguous
        assert converted.notes == ("converted from RGB to sRGB by the embedded colour profile",)
        assert np.array_equal(unfit.read(0, 0, 0, 40, 40), image) and "does not fit" in unfit.notes[0]


@pytest.mark.parametrize(("level", "w"), [(-1, 1), (3, 1), (0, -1)])
def test_what_cannot_be_read_is_said(slide: Slide, level: int, w: int) -> None:
    with pytest.raises(ValueError, match="cannot be read; there are 3 levels"):
        slide.read(level, 0, 0, w, 1)


def test_trouble_with_the_drive_names_the_slide() -> None:
    stored = Stored(tissue(), damaged=OSError(5, "Input/output error"))
    with Slide(Path("folder/a.svs"), stored) as slide:
        with pytest.raises(ImageError, match=r"^a\.svs: the slide cannot be read any more \(Input/output error\)"):
            slide.read(0, 0, 0, 8, 8)
        with pytest.raises(ImageError, match="check that its drive is connected"):
            _ = slide.sha256
        stored.damaged = None  # connected again
        assert slide.read(0, 0, 0, 8, 8).shape == (8, 8, 3)


def test_our_own_mistakes_are_not_called_damaged_files() -> None:
    with Slide(Path("a"), Stored(tissue(), damaged=KeyError("a bug"))) as slide, pytest.raises(KeyError):
        slide.read(0, 0, 0, 8, 8)


def test_after_close_every_read_says_so(tmp_path: Path) -> None:
    slide = open_image(write_slide(tmp_path / "a.tif", (3000, 2000)))
    with slide as same:
        assert same is slide
    slide.close()
    with pytest.raises(ValueError, match=r"a\.tif is closed"):
        slide.read(0, 0, 0, 1, 1)
    assert slide.size == (3000, 2000) and len(slide.sha256) == 64
    (tmp_path / "a.tif").unlink()  # on Windows this fails while the file is open


def test_a_read_that_has_begun_ends_well_and_the_last_one_closes_the_file() -> None:
    stored = Stored(tissue())
    slide = Slide(Path("a"), stored)
    reading, go_on, results = threading.Event(), threading.Event(), []

    def wait() -> None:
        reading.set()
        assert go_on.wait(30)

    stored.before_read = wait
    thread = threading.Thread(target=lambda: results.append(slide.read(0, 0, 0, 8, 8)))
    thread.start()
    assert reading.wait(30)
    slide.close()
    assert stored.closed == 0
    go_on.set()
    thread.join()
    assert np.array_equal(results[0], stored.image[:8, :8]) and stored.closed == 1


def test_many_threads_read_the_same_slide(slide: Slide) -> None:
    windows = [(k % 2, 97 * k % 4000 // 4 ** (k % 2), 61 * k % 3500 // 4 ** (k % 2)) for k in range(40)]
    wanted = [content(SIZE, 4**level, (x, y, 200, 150)) for level, x, y in windows]
    wrong: list[int] = []
    start = threading.Barrier(6)

    def read(turn: int) -> None:
        start.wait()
        for k in range(turn, 40 + turn):
            level, x, y = windows[k % 40]
            if not np.array_equal(slide.read(level, x, y, 200, 150), wanted[k % 40]):
                wrong.append(k % 40)

    threads = [threading.Thread(target=read, args=(7 * turn,)) for turn in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
