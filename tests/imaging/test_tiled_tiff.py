import threading
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile

from her2viewer.errors import ImageError
from her2viewer.imaging.faults import Unreadable
from her2viewer.imaging.opening import open_image
from her2viewer.imaging.slide import Slide
from her2viewer.imaging.source import PixelSize
from her2viewer.imaging.tiled_tiff import TiledTiff
from tests.imaging.pictures import tissue
from tests.imaging.slides import write_ome_slide

PICTURE = tissue(500, 700)


def spoil(path: Path, page: int, tile: int) -> None:
    """Overwrites the bytes of one tile."""
    with tifffile.TiffFile(path) as tiff:
        found = tiff.pages[page].aspage()
        start, count = found.dataoffsets[tile], found.databytecounts[tile]
    with path.open("r+b") as file:
        file.seek(start)
        file.write(b"\xff" * count)


def pyramid(path: Path, samples: np.ndarray = PICTURE, **options: Any) -> Path:
    """Two levels in SubIFDs, as tifffile writes them."""
    tiles = {"tile": (128, 128), "photometric": "rgb"} | options
    with tifffile.TiffWriter(
        path, bigtiff=bool(tiles.pop("bigtiff", False)), byteorder=tiles.pop("byteorder", "<")
    ) as tiff:
        planes = tiles.get("planarconfig") == "separate"
        small = samples[:, ::4, ::4] if planes else samples[::4, ::4]
        tiff.write(samples, subifds=1, **tiles)
        tiff.write(small, subfiletype=1, **tiles)
    return path


def read_all(path: Path) -> np.ndarray:
    with open_image(path) as slide:
        assert isinstance(slide, Slide) and slide.format == "tiled TIFF"
        assert [level.downsample for level in slide.levels][:2] == [1, 4]
        return slide.read(0, 0, 0, *slide.size)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"compression": "zlib"},
        {"compression": "zlib", "predictor": True},
        {"compression": "packbits"},
        {"bigtiff": True, "compression": "zlib"},
        {"byteorder": ">", "compression": "zlib"},
        {"tile": (112, 240)},
    ],
    ids=str,
)
def test_tiles_of_every_kind_come_out_as_they_went_in(tmp_path: Path, options: dict[str, Any]) -> None:
    assert np.array_equal(read_all(pyramid(tmp_path / "a.tif", **options)), PICTURE)


def test_planes_grey_and_alpha(tmp_path: Path) -> None:
    planes = pyramid(tmp_path / "a.tif", np.moveaxis(PICTURE, -1, 0).copy(), planarconfig="separate")
    assert np.array_equal(read_all(planes), PICTURE)
    grey = pyramid(tmp_path / "b.tif", PICTURE[..., 0].copy(), photometric="minisblack", compression="zlib")
    assert np.array_equal(read_all(grey), np.repeat(PICTURE[..., :1], 3, axis=2))
    inverted = pyramid(tmp_path / "c.tif", PICTURE[..., 0].copy(), photometric="miniswhite")
    assert np.array_equal(read_all(inverted), 255 - np.repeat(PICTURE[..., :1], 3, axis=2))
    deep = pyramid(tmp_path / "d.tif", PICTURE.astype(np.uint16) * 257)
    assert np.array_equal(read_all(deep), PICTURE)
    alpha = np.full((*PICTURE.shape[:2], 1), 255, np.uint8)
    alpha[:100] = 0
    seen = read_all(pyramid(tmp_path / "e.tif", np.concatenate([PICTURE, alpha], -1), extrasamples=["unassalpha"]))
    assert (seen[:100] == 255).all() and np.array_equal(seen[100:], PICTURE[100:])


@pytest.mark.parametrize("photometric", ["rgb", "ycbcr"])
def test_jpeg_tiles_have_the_colours_that_the_tag_says(tmp_path: Path, photometric: str) -> None:
    smooth = cv2.GaussianBlur(tissue(512, 512), (0, 0), 9)
    stored = smooth if photometric == "ycbcr" else cv2.cvtColor(smooth, cv2.COLOR_YCrCb2BGR)

    def tiles(samples: np.ndarray) -> list[bytes]:
        """libjpeg stores YCbCr; turned the other way first, what it stores is RGB."""
        quality = [cv2.IMWRITE_JPEG_QUALITY, 95, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, 0x111111]
        bgr = samples[..., ::-1] if photometric == "ycbcr" else samples
        found = []
        for y in range(0, len(samples), 256):
            for x in range(0, samples.shape[1], 256):
                data = cv2.imencode(".jpg", np.ascontiguousarray(bgr[y : y + 256, x : x + 256]), quality)[1].tobytes()
                found.append(data[:2] + data[20:])  # without JFIF's marker, as TIFF has it
        return found

    path = tmp_path / "a.tif"
    options: dict[str, Any] = {"tile": (256, 256), "photometric": photometric, "compression": "jpeg", "dtype": np.uint8}
    if photometric == "ycbcr":
        options["subsampling"] = (1, 1)
    with tifffile.TiffWriter(path) as tiff:
        tiff.write(iter(tiles(stored)), shape=(512, 512, 3), subifds=1, **options)
        tiff.write(iter(tiles(stored[::2, ::2])), shape=(256, 256, 3), subfiletype=1, **options)
    if photometric == "rgb":
        # OpenCV's Y, Cr, Cb are the stored channels in the order Y, Cb, Cr.
        expected = cv2.cvtColor(stored, cv2.COLOR_BGR2YCrCb)[..., [0, 2, 1]]
    else:
        expected = stored
    tiled = TiledTiff(path)
    try:
        assert np.abs(tiled.read(0, 0, 0, 512, 512).astype(int) - expected).mean() < 2
    finally:
        tiled.close()


def test_a_tile_that_the_writer_left_out_is_white(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tile = PICTURE[:128, :128].copy()
    with tifffile.TiffWriter(path) as tiff:
        data = iter([zlib.compress(tile.tobytes()), b"", zlib.compress(tile.tobytes()), b""])
        tiff.write(data, shape=(256, 256, 3), dtype=np.uint8, tile=(128, 128), photometric="rgb", compression="zlib")
    tiled = TiledTiff(path)
    try:
        seen = tiled.read(0, 0, 0, 256, 256)
        assert (seen[:, 128:] == 255).all() and np.array_equal(seen[:128, :128], tile)
    finally:
        tiled.close()


def test_only_the_tiles_of_a_window_are_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiled = TiledTiff(pyramid(tmp_path / "a.tif"))
    decoded = []
    real = TiledTiff._decoded

    def count(self: TiledTiff, page: Any, index: int, rows: int) -> Any:
        decoded.append(index)
        return real(self, page, index, rows)

    monkeypatch.setattr(TiledTiff, "_decoded", count)
    try:
        assert np.array_equal(tiled.read(0, 130, 130, 20, 120), PICTURE[130:250, 130:150])
        assert decoded == [7]
        tiled.read(0, 120, 130, 20, 20)
        assert decoded == [7, 6], "kept for the neighbour"
    finally:
        tiled.close()


def test_a_damaged_tile_fails_and_the_others_go_on(tmp_path: Path) -> None:
    path = pyramid(tmp_path / "a.tif", compression="zlib")
    spoil(path, page=0, tile=7)
    with open_image(path) as slide:
        for _ in range(2):
            with pytest.raises(ImageError, match=r"^a\.tif: .*damaged"):
                slide.read(0, 100, 100, 100, 100)
        assert np.array_equal(slide.read(0, 0, 0, 128, 128), PICTURE[:128, :128])
        assert np.array_equal(slide.read(0, 256, 0, 444, 500), PICTURE[:, 256:])


def test_a_file_that_shrinks_while_it_is_open(tmp_path: Path) -> None:
    path = pyramid(tmp_path / "a.tif")
    with open_image(path) as slide:
        with path.open("r+b") as file:
            file.truncate(1000)
        with pytest.raises(ImageError, match="missing in the file"):
            slide.read(0, 600, 400, 50, 50)


@pytest.mark.parametrize(
    ("samples", "options", "words"),
    [
        (PICTURE.astype(np.float32), {}, "kind of numbers"),
        (PICTURE, {"tile": None}, "not stored in tiles"),
    ],
)
def test_what_is_not_read_in_tiles(tmp_path: Path, samples: np.ndarray, options: dict[str, Any], words: str) -> None:
    with pytest.raises(Unreadable, match=words):
        TiledTiff(pyramid(tmp_path / "a.tif", samples, **options))


def test_ome_tiff_has_its_scale_levels_and_planes(tmp_path: Path) -> None:
    with open_image(write_ome_slide(tmp_path / "a.ome.tif", (3000, 2000), mpp=0.2201)) as slide:
        assert slide.format == "OME-TIFF" and slide.mpp == PixelSize(0.2201, "OME-XML")
        assert [level.width for level in slide.levels] == [3000, 750]
    path = tmp_path / "stack.ome.tif"
    stack = np.stack([PICTURE, PICTURE[::-1]])
    with tifffile.TiffWriter(path, ome=True) as tiff:
        options: dict[str, Any] = {"tile": (128, 128), "photometric": "rgb"}
        tiff.write(stack, subifds=1, metadata={"axes": "ZYXS"}, **options)
        tiff.write(stack[:, ::4, ::4], subfiletype=1, **options)
    with open_image(path) as slide:
        assert slide.notes == ("first of 2 planes",)
        assert np.array_equal(slide.read(0, 0, 0, *slide.size), PICTURE)


def test_named_further_pictures_are_offered(tmp_path: Path) -> None:
    path = tmp_path / "a.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as tiff:
        tiles: dict[str, Any] = {"tile": (128, 128), "photometric": "rgb"}
        tiff.write(PICTURE, subifds=1, metadata={"Name": "main"}, **tiles)
        tiff.write(PICTURE[::4, ::4], subfiletype=1, **tiles)
        tiff.write(PICTURE[:90, :70], photometric="rgb", rowsperstrip=40, metadata={"Name": "label image"})
    with open_image(path) as slide:
        assert slide.associated == ("label",)
        assert np.array_equal(slide.associated_image("label"), PICTURE[:90, :70])


def test_many_threads_read_tiles(tmp_path: Path) -> None:
    tiled, wrong = TiledTiff(pyramid(tmp_path / "a.tif", compression="zlib")), []

    def read(turn: int) -> None:
        for k in range(30):
            x, y = (37 * (k + turn)) % 500, (53 * (k + turn)) % 350
            if not np.array_equal(tiled.read(0, x, y, 150, 100), PICTURE[y : y + 100, x : x + 150]):
                wrong.append((x, y))

    threads = [threading.Thread(target=read, args=(turn,)) for turn in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tiled.close()
    assert wrong == []
