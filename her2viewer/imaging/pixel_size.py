"""Micrometres per pixel, where a TIFF says it in words that cannot mean anything else.

Resolution tags (TIFF, PNG, JPEG) are not trusted: most programs write 72 or 96 dots per inch there for the printer,
and a wrong scale is worse than none. OME-XML and ImageJ name micrometres, so theirs are. In a pyramid of tiles, which
nobody prints, the tags are what microscope software writes, and count where they say what only that would.
"""

from typing import Final
from xml.etree import ElementTree

import tifffile

from her2viewer.imaging.source import PixelSize

_UM: Final = {
    "µm": 1.0,  # micro sign, OME's default unit
    "μm": 1.0,  # Greek mu
    "um": 1.0,
    "micron": 1.0,
    "microns": 1.0,
    "micrometer": 1.0,
    "micrometre": 1.0,
    "\\u00B5m": 1.0,  # as ImageJ writes it, six characters of ASCII
    "nm": 1e-3,
    "mm": 1e3,
}

# X and Y further apart than this are not one pixel size.
_SQUARE_WITHIN: Final = 0.01

_RESOLUTION_TAGS: Final = (282, 283)

# Electron microscopes go below, thumbnails beyond: neither is a light microscope's picture of tissue.
SMALLEST_UM: Final = 0.02
LARGEST_UM: Final = 50.0

# 2,540 dots per inch and more are no printer's and no screen's.
_LARGEST_BY_RESOLUTION: Final = 10.0

Found = tuple[PixelSize | None, tuple[str, ...]]
"""The pixel size, and a note for the user where the file says one that cannot be."""


def pixel_size(tiff: tifffile.TiffFile) -> Found:
    """From OME-XML or ImageJ's description of the first page."""
    page = tiff.pages.first
    if page.is_ome:
        return from_ome(page.description)
    if page.is_imagej:
        values = [page.tags.valueof(tag) for tag in _RESOLUTION_TAGS]
        per_unit = [value[0] / value[1] for value in values if isinstance(value, tuple) and value[0] and value[1]]
        unit = (tiff.imagej_metadata or {}).get("unit", "")
        if len(per_unit) == 2 and unit in _UM:
            return checked_size(_UM[unit] / per_unit[0], _UM[unit] / per_unit[1], "ImageJ")
    return None, ()


def from_ome(xml: str) -> Found:
    """The first image's physical pixel size in an OME-XML document; None where it says none, or is damaged."""
    root = _parsed(xml)
    pixels = root.find(".//{*}Pixels") if root is not None else None
    if pixels is None:
        return None, ()
    sides = []
    for axis in "XY":
        scale = _UM.get(pixels.get(f"PhysicalSize{axis}Unit", "µm"))
        try:
            value = float(pixels.get(f"PhysicalSize{axis}", ""))
        except ValueError:
            return None, ()
        if scale is None:  # pixels, or a unit that nobody uses for tissue
            return None, ()
        sides.append(value * scale)
    return checked_size(sides[0], sides[1], "OME-XML")


def checked_size(x: float, y: float, origin: str) -> Found:
    """`x` and `y` micrometres per pixel as one size; None, with a note, where no microscope makes such pixels."""
    for side in (x, y):
        if not SMALLEST_UM <= side <= LARGEST_UM:  # NaN is neither
            return None, (f"the file says {side:.4g} micrometres per pixel, which cannot be",)
    if abs(x - y) > _SQUARE_WITHIN * x:
        return None, (f"the file says pixels of {x:.4g} x {y:.4g} micrometres, which are not square",)
    return PixelSize((x + y) / 2, origin), ()


def trusted_resolution(x: float, y: float) -> PixelSize | None:
    """Micrometres per pixel by the resolution tags of a pyramid of tiles: only where no printer can have been meant."""
    size, _ = checked_size(x, y, "TIFF resolution")
    return size if size is not None and size.um <= _LARGEST_BY_RESOLUTION else None


def significant_bits(xml: str) -> int | None:
    """OME-XML's SignificantBits of the first image: the range that its integers use, where declared."""
    root = _parsed(xml)
    pixels = root.find(".//{*}Pixels") if root is not None else None
    bits = pixels.get("SignificantBits", "") if pixels is not None else ""
    return int(bits) if bits.isascii() and bits.isdigit() and len(bits) < 3 else None


def _parsed(xml: str) -> ElementTree.Element | None:
    if "<!DOCTYPE" in xml or "<!ENTITY" in xml:  # OME-XML has neither, entity bombs do
        return None
    try:
        return ElementTree.fromstring(xml)
    except (ElementTree.ParseError, ValueError):
        return None
