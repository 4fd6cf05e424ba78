"""What a user can do wrong, or can be given: each ends in a picture or in one sentence."""

import errno
import hashlib
import os
import struct
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from her2viewer.errors import ImageError
from her2viewer.imaging.header import DEFAULT_MAX_PIXELS
from her2viewer.imaging.opening import OPENERS, open_image, probe
from her2viewer.imaging.source import ImageSource
from tests.imaging.pictures import chunk, encoded, png, tiff, tissue

Opened = Callable[..., ImageSource]
FORMATS = ["PNG", "JPEG", "TIFF", "BMP", "WebP"]


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("name", ["x.png", "x.jpg", "x.tif", "x.txt", "x"])
def test_the_content_tells_the_format_and_the_name_does_not(tmp_path: Path, kind: str, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(encoded(tissue(), kind))
    with open_image(path) as source:
        assert (source.format, source.size, source.path) == (kind, (64, 48), path)
        assert source.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    seen = probe(path)
    assert (seen.format, seen.size, seen.path) == (kind, (64, 48), path)


@pytest.mark.parametrize(
    "name",
    [
        "Gewebe Färbung.png",
        "tejido señal ñ.png",
        "乳腺癌 病理.png",
        "slide 🔬🩷.png",
        "e\u0301.png",
        "#%&' {}.png",
        "n" * 200,
    ],
)
def test_any_name_opens(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "Übersicht 組織"
    folder.mkdir()
    path = folder / name
    path.write_bytes(encoded(tissue(), "PNG"))
    assert open_image(str(path)).size == probe(path).size == (64, 48)


@pytest.mark.parametrize("kind", FORMATS)
def test_one_pixel_opens(opened: Opened, kind: str) -> None:
    source = opened(encoded(np.full((1, 1, 3), 128, np.uint8), kind))
    assert source.size == (1, 1) and np.abs(source.read(0, 0, 0, 1, 1).astype(int) - 128).max() <= 3


def sentence(path: Path, **options: int) -> str:
    """What the user reads; also that the same is refused by name only, in one sentence, with a remedy."""
    with pytest.raises(ImageError) as caught:
        open_image(path, **options)
    error = caught.value
    text = str(error)
    assert error.path == path and text.startswith(f"{path.name}: ") and text.endswith(".") and len(text) < 250
    assert error.remedy and "\n" not in text and str(path.parent) not in text
    return text


def test_a_missing_file(tmp_path: Path) -> None:
    assert "no such file" in sentence(tmp_path / "nothing.png")
    (tmp_path / "file").write_bytes(b"")
    assert "no such file" in sentence(tmp_path / "file" / "inside.png")
    with pytest.raises(ImageError, match="no such file"):
        probe(tmp_path / "nothing.png")


def test_a_folder(tmp_path: Path) -> None:
    assert "is a folder" in sentence(tmp_path)


def test_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "x.png").touch()
    assert "is empty" in sentence(tmp_path / "x.png")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names on this system")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.png")
    assert "device or pipe" in sentence(tmp_path / "x.png")


def test_names_that_no_file_can_have(tmp_path: Path) -> None:
    for name in ("n" * 5000, "zero\0byte"):
        with pytest.raises(ImageError, match="check the name"):
            open_image(tmp_path / name)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PermissionError(errno.EACCES, "denied"), "no right to read"),
        (OSError(errno.EIO, "Input/output error"), "Input/output"),
    ],
)
def test_a_file_that_may_not_or_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError, words: str
) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(encoded(tissue(), "PNG"))

    def refuse(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(Path, "open", refuse)
    assert words in sentence(path)


def test_too_little_memory_is_said(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("cv2.imdecode", fail)
    with pytest.raises(ImageError, match="more memory than is free"):
        opened(encoded(tissue(), "PNG"))


def test_our_own_mistakes_are_not_called_damaged_files(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr("her2viewer.imaging.flat.to_srgb", fail)
    with pytest.raises(KeyError, match="a bug"):
        opened(encoded(tissue(), "PNG"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"case;score\n1;2+\n", "holds text"),
        ("\ufeffGewebe, 組織\n".encode() * 100, "holds text"),
        (b"GIF89a" + bytes(50), "format GIF"),
        (b"%PDF-1.7\n" + bytes(50), "format PDF"),
        (bytes(128) + b"DICM" + bytes(50), "format DICOM"),
        (b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(50), "format JPEG 2000"),
        (b"\0\0\0\x20ftypheic" + bytes(50), "format HEIC"),
        (b"8BPS\0\1" + bytes(50), "format Photoshop"),
        (b"PK\x03\x04" + bytes(50), "format ZIP"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "format SVG"),
        (b"BM is text that begins like a bitmap", "holds text"),
        (bytes(100), "not an image of a known format"),
        (b"\x89PNG", "not an image of a known format"),
        (bytes(range(1, 256)), "not an image of a known format"),
    ],
)
def test_what_is_no_picture_of_ours_is_named(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(content)
    assert words in sentence(path)


def huge_png(side: int = 60_000) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", b"x") + chunk(b"IEND", b"")


def huge_jpeg() -> bytes:
    data = bytearray(encoded(tissue(), "JPEG"))
    struct.pack_into(">HH", data, data.index(b"\xff\xc0") + 5, 65_000, 65_000)
    return bytes(data)


def huge_tiff() -> bytes:
    data = bytearray(tiff(tissue(), photometric="rgb"))
    for tag in (256, 257):
        at = next(
            i for i in range(8, len(data)) if data[i : i + 2] == struct.pack("<H", tag) and data[i + 3 : i + 4] == b"\0"
        )
        data[at + 2 : at + 12] = struct.pack("<HII", 4, 1, 60_000)
    return bytes(data)


def huge_bmp() -> bytes:
    data = bytearray(encoded(tissue(), "BMP"))
    struct.pack_into("<ii", data, 18, 60_000, 60_000)
    return bytes(data)


@pytest.mark.parametrize("data", [huge_png(), huge_jpeg(), huge_tiff(), huge_bmp()], ids=FORMATS[:4])
def test_a_huge_header_is_refused_before_decoding(tmp_path: Path, data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x"
    path.write_bytes(data)
    monkeypatch.setattr("cv2.imdecode", lambda *_: pytest.fail("decoded"))
    start = time.perf_counter()
    text = sentence(path)
    assert time.perf_counter() - start < 1
    assert "000 pixels, more than the limit of 400 million" in text


def test_a_huge_header_is_refused_before_the_rest_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(huge_png())
    monkeypatch.setattr("her2viewer.imaging.flat.io.BytesIO", lambda *_: pytest.fail("read whole"))
    assert "more than the limit" in sentence(path)


def test_the_limit_is_exact_and_can_be_set(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(encoded(tissue(), "PNG"))
    assert open_image(path, max_pixels=64 * 48).size == (64, 48)
    assert "has 64 x 48 pixels" in sentence(path, max_pixels=64 * 48 - 1)
    assert DEFAULT_MAX_PIXELS == 400_000_000


def test_a_picture_above_pillows_own_limit_opens_and_the_limit_stays(opened: Opened) -> None:
    before = Image.MAX_IMAGE_PIXELS
    assert before is not None
    side = 13_500  # 182 million pixels, which Pillow calls an attack
    source = opened(encoded(Image.new("1", (side, side), 1), "BMP"))
    assert source.size == (side, side) and (source.read(0, side - 2, side - 2, 2, 2) == 255).all()
    assert before == Image.MAX_IMAGE_PIXELS


def test_a_file_too_large_for_any_picture_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(encoded(tissue(), "PNG"))
    with path.open("r+b") as file:
        file.truncate(4 * 10**9)  # a hole, which takes no room on the disk
    assert "4.0 GB" in sentence(path)


@pytest.mark.parametrize("kind", FORMATS)
def test_the_file_is_closed_afterwards(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x"
    path.write_bytes(encoded(tissue(), kind))
    source = open_image(path)
    path.write_bytes(b"changed")  # on Windows this fails while the file is open
    assert source.read(0, 0, 0, 2, 2).shape == (2, 2, 3)


def test_probing_reads_no_pixels(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(encoded(tissue(), "PNG")[:-200])
    assert probe(path).size == (64, 48)
    path.write_bytes(png(0, 4, 8, 2, b""))
    with pytest.raises(ImageError, match="0 x 4"):
        probe(path)


def test_another_opener_can_stand_in_front(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    class Slides:
        def claims(self, path: Path, file: object, kind: str | None) -> bool:
            return kind == "TIFF" and path.suffix == ".svs"

        def open(self, path: Path, file: object, kind: str | None, max_pixels: int) -> str:
            calls.append((path.name, kind))
            return "a slide"

    monkeypatch.setattr("her2viewer.imaging.opening.OPENERS", [Slides(), *OPENERS])
    for name in ("a.svs", "a.tif"):
        (tmp_path / name).write_bytes(tiff(tissue(), photometric="rgb"))
    assert open_image(tmp_path / "a.svs") == "a slide"
    assert open_image(tmp_path / "a.tif").size == (64, 48)
    assert calls == [("a.svs", "TIFF")]
