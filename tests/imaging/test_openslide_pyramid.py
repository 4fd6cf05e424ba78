import threading
from pathlib import Path

import cv2
import numpy as np
import openslide
import pytest

from her2viewer.imaging.faults import Unreadable
from her2viewer.imaging.opening import open_image
from her2viewer.imaging.openslide_pyramid import OpenSlidePyramid
from her2viewer.imaging.source import PixelSize
from her2viewer.imaging.tiled_tiff import TiledTiff
from tests.imaging.pictures import tissue
from tests.imaging.slides import content, write_aperio_slide, write_leica_slide, write_slide
from tests.imaging.test_tiled_tiff import spoil


def test_every_level_smaller_by_a_whole_number_is_exact(tmp_path: Path) -> None:
    size = (8192, 4096)
    pyramid = OpenSlidePyramid(write_slide(tmp_path / "a.tif", size))
    try:
        for level, factor in enumerate((1, 4)):
            for x, y, w, h in [(0, 0, 300, 200), (1023, 511, 257, 300), (3, 1, 1, 1)]:
                assert np.array_equal(pyramid.read(level, x, y, w, h), content(size, factor, (x, y, w, h)))
        wide = pyramid.read(0, 100, 100, 5000, 3000)  # more than OpenSlide is asked for at once
        assert np.array_equal(wide, content(size, 1, (100, 100, 5000, 3000)))
    finally:
        pyramid.close()


def test_other_levels_are_within_half_a_pixel_of_level_0_and_exact_by_tiles(tmp_path: Path) -> None:
    size = (5001, 4403)
    path = write_slide(tmp_path / "a.tif", size)
    alone, exact = OpenSlidePyramid(path), OpenSlidePyramid(path, tiles=lambda: TiledTiff(path))
    try:
        assert [level.downsample for level in alone.levels] == [1, 4]
        for x, y in [(0, 0), (500, 400), (900, 800)]:
            stored = content(size, 4, (x - 1 if x else 0, y - 1 if y else 0, 302, 202))
            low = cv2.erode(stored, np.ones((3, 3), np.uint8))
            high = cv2.dilate(stored, np.ones((3, 3), np.uint8))
            seen = alone.read(1, x, y, 300, 200)
            at = (slice(bool(y), bool(y) + 200), slice(bool(x), bool(x) + 300))
            assert (seen.astype(int) >= low[at].astype(int) - 1).all()
            assert (seen.astype(int) <= high[at].astype(int) + 1).all()
            assert np.array_equal(exact.read(1, x, y, 300, 200), content(size, 4, (x, y, 300, 200)))
    finally:
        alone.close()
        exact.close()


def test_only_the_scanned_area_of_the_glass_is_the_picture(tmp_path: Path) -> None:
    picture = tissue(768, 1024)
    path = write_leica_slide(tmp_path / "a.scn", picture, offset=(501, 303), glass=(4000, 3000))
    with open_image(path) as slide:
        assert slide.format == "Leica SCN" and slide.size == (1024, 768)
        assert slide.mpp == PixelSize(pytest.approx(0.5), "Leica SCN")
        assert slide.properties["Scanner"] == "Leica SCN400" and slide.properties["Objective power"] == "20"
        assert np.array_equal(slide.read(0, 0, 0, 1024, 768), picture)
        assert np.array_equal(slide.read(0, 1000, 700, 100, 100)[:68, :24], picture[700:, 1000:])
        half = cv2.resize(picture, (512, 384), interpolation=cv2.INTER_AREA)
        quarter = cv2.resize(half, (256, 192), interpolation=cv2.INTER_AREA)
        assert np.array_equal(slide.read(1, 10, 20, 100, 50), quarter[20:70, 10:110])


def test_a_damaged_tile_costs_no_other_tile_its_answer(tmp_path: Path) -> None:
    size = (4096, 4096)
    path = write_aperio_slide(tmp_path / "a.svs", size, picture=tissue(4096, 4096))
    whole = tissue(4096, 4096)
    spoil(path, page=0, tile=17)  # column 1, row 1 of 16
    pyramid = OpenSlidePyramid(path)
    try:
        wrong: list[str] = []

        def good(turn: int) -> None:
            for k in range(12):
                x = 600 + 200 * ((k + turn) % 16)
                if not np.array_equal(pyramid.read(0, x, 700, 100, 100), whole[700:800, x : x + 100]):
                    wrong.append(f"good {k}")

        def bad() -> None:
            for k in range(6):
                try:
                    pyramid.read(0, 300 + k, 300, 50, 50)
                    wrong.append(f"bad {k}")
                except Unreadable:
                    pass

        threads = [threading.Thread(target=good, args=(turn,)) for turn in range(3)] + [threading.Thread(target=bad)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []
        with pytest.raises(Unreadable, match="a part of the slide is damaged or missing"):
            pyramid.read(0, 300, 300, 50, 50)
        assert np.array_equal(pyramid.read(0, 0, 0, 256, 256), whole[:256, :256])
        assert pyramid.associated_image("label").shape == (60, 90, 3)
    finally:
        pyramid.close()


def test_a_slide_whose_drive_is_gone_says_so_and_works_again_when_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_slide(tmp_path / "a.tif", (3000, 2000))
    pyramid = OpenSlidePyramid(path)
    try:
        before = pyramid.read(0, 0, 0, 64, 64)

        def fail(*_: object) -> None:
            raise openslide.OpenSlideError("Cannot read")

        away = path.rename(tmp_path / "away.tif")
        with monkeypatch.context() as gone:
            gone.setattr(openslide.OpenSlide, "read_region", fail)
            with pytest.raises(FileNotFoundError):
                pyramid.read(0, 0, 0, 64, 64)
        away.rename(path)
        assert np.array_equal(pyramid.read(0, 0, 0, 64, 64), before)
    finally:
        pyramid.close()


def test_what_is_transparent_is_white() -> None:
    from PIL import Image

    from her2viewer.imaging.openslide_pyramid import _over_white

    pixels = np.array([[[10, 20, 30, 255], [10, 20, 30, 0], [100, 100, 100, 128]]], np.uint8)
    assert _over_white(Image.fromarray(pixels)).tolist() == [[[10, 20, 30], [255, 255, 255], [177, 177, 177]]]
    opaque = _over_white(Image.fromarray(pixels[:, :1]))
    assert opaque.tolist() == [[[10, 20, 30]]] and opaque.flags.writeable


@pytest.mark.parametrize("name", ["cmu_small_region.svs", "tcga-cr-7395-01a-01-ts1.svs"])
def test_real_slides(shared_data: Path, name: str) -> None:
    with open_image(shared_data / "slides" / name) as slide:
        assert slide.format == "Aperio SVS" and "thumbnail" in slide.associated
        thumbnail = slide.associated_image("thumbnail")
        last = slide.levels[-1]
        seen = slide.read(len(slide.levels) - 1, 0, 0, last.width, last.height)
        small = cv2.resize(thumbnail, (last.width, last.height), interpolation=cv2.INTER_AREA)
        assert np.abs(cv2.blur(seen, (9, 9)).astype(int) - cv2.blur(small, (9, 9))).mean() < 4
        if name.startswith("cmu"):
            assert slide.mpp == PixelSize(0.499, "Aperio SVS") and slide.properties["Objective power"] == "20"


def test_tiles_of_a_real_slide_are_decoded_as_openslide_decodes_them(shared_data: Path) -> None:
    path = shared_data / "slides" / "cmu_small_region.svs"
    tiles, pyramid = TiledTiff(path), OpenSlidePyramid(path)
    try:
        assert np.array_equal(tiles.read(0, 100, 50, 1500, 1300), pyramid.read(0, 100, 50, 1500, 1300))
    finally:
        tiles.close()
        pyramid.close()
