import errno
import os
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from her2viewer.errors import ExportError
from her2viewer.export.picture_file import save_picture
from her2viewer.scoring.stains import Stain
from tests.export.conftest import tissue

PICTURE = tissue((301, 203), Stain.HE)


@pytest.mark.parametrize("mpp", [None, 0.25, 0.46, 10.0])
def test_png_keeps_every_pixel_and_the_resolution(tmp_path: Path, mpp: float | None) -> None:
    save_picture(tmp_path / "Ü.PNG", PICTURE, mpp)
    with Image.open(tmp_path / "Ü.PNG") as image:
        image.load()  # checks the checksum of every chunk
        assert (np.asarray(image) == PICTURE).all() and image.mode == "RGB"
        assert ("dpi" in image.info) == (mpp is not None)
        if mpp is not None:
            assert 25_400 / image.info["dpi"][0] == pytest.approx(mpp, rel=1e-4)


@pytest.mark.parametrize("mpp", [None, 0.25, 10.0])
def test_tiff_keeps_every_pixel_and_the_resolution(tmp_path: Path, mpp: float | None) -> None:
    save_picture(tmp_path / "a.tif", PICTURE, mpp)
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        page = tiff.pages.first
        assert (page.asarray() == PICTURE).all()
        assert page.compression == tifffile.COMPRESSION.ADOBE_DEFLATE
        assert "DateTime" not in page.tags and str(tmp_path) not in str(page.tags)
        if mpp is not None:
            assert page.tags["ResolutionUnit"].value == tifffile.RESUNIT.CENTIMETER
            across, unit = page.tags["XResolution"].value
            assert 1e4 / (across / unit) == pytest.approx(mpp, rel=1e-4)


@pytest.mark.parametrize("mpp", [None, 0.25, 10.0])
def test_jpeg_is_near_and_keeps_the_resolution(tmp_path: Path, mpp: float | None) -> None:
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2, 0] = 255
    save_picture(tmp_path / "a.jpg", stripes, mpp)
    with Image.open(tmp_path / "a.jpg") as image:
        # Red stripes one pixel wide would be one dull red with subsampled colour.
        assert np.abs(np.asarray(image).astype(int) - stripes).mean() < 6
        exif = image.getexif()
        assert (282 in exif) == (mpp is not None)
        if mpp is not None:
            assert exif[296] == 3 and 1e4 / float(exif[282]) == pytest.approx(mpp, rel=1e-4)


def test_other_names_are_refused_with_what_to_do(tmp_path: Path) -> None:
    for name, what in (("a.gif", "'.gif'"), ("a", "no suffix"), ("a.svs", "'.svs'")):
        with pytest.raises(ExportError, match=rf"{what}.*; end the name in \.png, \.tif, \.tiff, \.jpg or \.jpeg\."):
            save_picture(tmp_path / name, PICTURE)
    assert not list(tmp_path.iterdir())


def test_a_jpeg_has_a_largest_size(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"at most 65,500 pixels a side, .*; save it as TIFF"):
        save_picture(tmp_path / "a.jpg", np.zeros((2, 65_501, 3), np.uint8))


@pytest.mark.parametrize("name", ["a.png", "a.tiff", "a.jpeg"])
def test_full_disk_leaves_the_old_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    save_picture(tmp_path / name, PICTURE)
    before = (tmp_path / name).read_bytes()
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ExportError, match="the disk is full"):
        save_picture(tmp_path / name, 255 - PICTURE)
    assert (tmp_path / name).read_bytes() == before and len(list(tmp_path.iterdir())) == 1
