"""Telling a file's format from its first bytes, never from its name."""

import codecs
from typing import Final

HEAD_BYTES: Final = 512

# (format, offset, magic). The first that fits counts, so longer ones stand before shorter ones.
_MAGIC: Final[tuple[tuple[str, int, bytes], ...]] = (
    ("PNG", 0, b"\x89PNG\r\n\x1a\n"),
    ("JPEG", 0, b"\xff\xd8\xff"),
    ("TIFF", 0, b"II*\0"),
    ("TIFF", 0, b"MM\0*"),
    ("TIFF", 0, b"II+\0"),  # BigTIFF
    ("TIFF", 0, b"MM\0+"),
    ("WebP", 8, b"WEBP"),
    ("GIF", 0, b"GIF8"),
    ("PDF", 0, b"%PDF"),
    ("DICOM", 128, b"DICM"),
    ("JPEG 2000", 0, b"\0\0\0\x0cjP  \r\n\x87\n"),
    ("JPEG 2000", 0, b"\xff\x4f\xff\x51"),
    ("JPEG XL", 0, b"\xff\x0a"),
    ("JPEG XL", 0, b"\0\0\0\x0cJXL \r\n\x87\n"),
    ("AVIF", 4, b"ftypavif"),
    ("HEIC", 4, b"ftyphei"),
    ("HEIC", 4, b"ftypmif1"),
    ("Photoshop", 0, b"8BPS"),
    ("PostScript", 0, b"%!PS"),
    ("Zeiss CZI", 0, b"ZISRAWFILE"),
    ("ZIP archive or Office document", 0, b"PK\x03\x04"),
    ("gzip archive", 0, b"\x1f\x8b"),
    ("HDF5", 0, b"\x89HDF\r\n\x1a\n"),
    ("SVG", 0, b"<svg"),
    ("XML", 0, b"<?xml"),
    ("HTML", 0, b"<!DOCTYPE html"),
    ("HTML", 0, b"<html"),
)


def sniff(head: bytes) -> str | None:
    """The format's name from a file's first `HEAD_BYTES` bytes ('JPEG', 'GIF', 'text'), or None if nothing fits."""
    for name, offset, magic in _MAGIC:
        if head.startswith(magic, offset):
            return name
    # 'BM' alone is two letters of text: a bitmap also has one of the known header lengths at byte 14.
    if head.startswith(b"BM") and head[14:18] in {bytes((n, 0, 0, 0)) for n in (12, 16, 40, 52, 56, 64, 108, 124)}:
        return "BMP"
    return "text" if _is_text(head) else None


def _is_text(head: bytes) -> bool:
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head)  # a character may be cut off at the head's end
    except UnicodeDecodeError:
        return False
    return bool(text) and all(c.isprintable() or c in "\t\r\n\ufeff" for c in text)
