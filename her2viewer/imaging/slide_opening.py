"""Which files are whole slides, and who reads them: OpenSlide, or the TIFF reader for what OpenSlide cannot.

Told by content. The one exception is 3DHISTECH's MRXS, whose named file is an ordinary JPEG of the glass beside a folder
with the slide. Hamamatsu's VMS and VMU are a text that names the files of the slide.
"""

import codecs
import configparser
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
import tifffile

from her2viewer.imaging.faults import Unreadable, decoding
from her2viewer.imaging.header import DEFAULT_MAX_PIXELS, Header
from her2viewer.imaging.slide import Slide
from her2viewer.imaging.source import ImageSource
from her2viewer.imaging.stored import StoredPyramid
from her2viewer.imaging.tiled_tiff import TiledTiff

_KINDS: Final = frozenset({"DICOM", "Zeiss CZI"})
_MAKERS: Final = ("svs", "ndpi", "scn", "bif", "philips")
_MRXS_INDEX: Final = "Slidedat.ini"
_SPECIMENS: Final = ("Virtual Microscope Specimen", "Uncompressed Virtual Microscope Specimen")
"""The first section of a VMS and of a VMU."""
_LONGEST_TEXT: Final = 1 << 20


class SlideOpener:
    """Whole slides, of which only what is looked at is read."""

    def claims(self, path: Path, file: BinaryIO, kind: str | None) -> bool:
        return (
            kind in _KINDS
            or _is_mrxs(path, kind)
            or (kind == "TIFF" and _is_slide(file))
            or (kind == "text" and _is_specimen(file))
        )

    def probe(self, path: Path, file: BinaryIO, kind: str | None) -> Header:
        with self.open(path, file, kind, DEFAULT_MAX_PIXELS) as slide:
            return Header(slide.format, *slide.size)

    def open(self, path: Path, file: BinaryIO, kind: str | None, max_pixels: int) -> ImageSource:
        if _is_mrxs(path, kind):
            _check_folder(path)
        elif kind == "text":
            _check_named(path, file)
        return Slide(path, _tiff_pyramid(path, file) if kind == "TIFF" else _by_openslide(path, kind))


def _is_mrxs(path: Path, kind: str | None) -> bool:
    return kind == "JPEG" and path.suffix.lower() == ".mrxs"


def _is_slide(file: BinaryIO) -> bool:
    """Whether a TIFF is a maker's slide, a pyramid of tiles, or tiles of more than a flat picture may have."""
    file.seek(0)
    try:
        with decoding("TIFF"), tifffile.TiffFile(file) as tiff:
            first = tiff.pages.first
            if _is_makers(first):
                return True
            if not first.is_tiled:
                return False
            return first.imagewidth * first.imagelength > DEFAULT_MAX_PIXELS or tiff.series[0].is_pyramidal
    except Unreadable:  # the flat opener says it
        return False


def _is_makers(page: tifffile.TiffPage) -> bool:
    return any(getattr(page, f"is_{maker}") for maker in _MAKERS)


def _is_specimen(file: BinaryIO) -> bool:
    file.seek(0)
    head = file.read(80).removeprefix(codecs.BOM_UTF8).lstrip()
    return head.startswith(tuple(f"[{section}]".encode() for section in _SPECIMENS))


def _check_named(path: Path, file: BinaryIO) -> None:
    """Refuses a VMS or VMU without the files that it names: OpenSlide's own word does not say which."""
    file.seek(0)
    text = file.read(_LONGEST_TEXT).decode("utf-8-sig", "replace")
    told = configparser.ConfigParser(strict=False, interpolation=None)
    try:
        told.read_string(text)
    except configparser.Error:
        return  # OpenSlide says it
    section = next((told[name] for name in _SPECIMENS if name in told), None)
    named = [value for key, value in (section or {}).items() if key.startswith(("imagefile", "mapfile")) and value]
    missing = [name for name in named if not (path.parent / Path(name).name).is_file()]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise Unreadable(
            f'the file "{Path(missing[0]).name}"{more} with the slide\'s data is missing beside it',
            "copy all files of the slide into one folder, or open the slide where they are",
        )


def _check_folder(path: Path) -> None:
    folder = path.with_suffix("")
    if not (folder / _MRXS_INDEX).is_file():
        raise Unreadable(
            f'the folder "{folder.name}" with the slide\'s data is missing or incomplete beside it',
            "copy that folder to where this file is, or open the slide where both are",
        )


def _by_openslide(path: Path, kind: str | None) -> StoredPyramid:
    from her2viewer.imaging.openslide_pyramid import OpenSlidePyramid

    try:
        return OpenSlidePyramid(path)
    except Unreadable as error:
        if kind == "DICOM":
            raise Unreadable(
                "is a file of the format DICOM that holds no whole slide, or one whose other files are missing",
                "copy all files of the slide into one folder and open one of them",
            ) from error
        raise


def _tiff_pyramid(path: Path, file: BinaryIO) -> StoredPyramid:
    """OME-TIFF by our own reader, which finds the levels in its SubIFDs; all others through OpenSlide if that can."""
    file.seek(0)
    with decoding("TIFF"), tifffile.TiffFile(file) as tiff:
        first = tiff.pages.first
        by_maker = _is_makers(first)
        levels_below = bool(first.subifds) or first.is_ome
        if not first.is_ndpi:  # its 32-bit offsets wrap round in large files, and OpenSlide knows how
            _check_complete(tiff)
    if by_maker:
        return _by_both(path)
    readers = (TiledTiff, _by_both) if levels_below else (_by_both, TiledTiff)
    try:
        return readers[0](path)
    except Unreadable as error:
        try:
            return readers[1](path)
        except Unreadable:
            raise error from None


def _by_both(path: Path) -> StoredPyramid:
    from her2viewer.imaging.openslide_pyramid import OpenSlidePyramid

    return OpenSlidePyramid(path, tiles=lambda: TiledTiff(path))


def _check_complete(tiff: tifffile.TiffFile) -> None:
    """Refuses a file that was not copied to its end: the picture would have holes that look like glass."""
    length = tiff.filehandle.size
    for page in tiff.pages:
        ends = np.asarray(page.dataoffsets, np.int64) + np.asarray(page.databytecounts, np.int64)
        if len(ends) and ends.max() > length:
            raise Unreadable(
                "the slide is cut short, its last part is missing", "copy it again from where it came from"
            )
