"""Micrometres per pixel, where a TIFF says it in words that cannot mean anything else.

Resolution tags (TIFF, PNG, JPEG) are not trusted: most programs write 72 or 96 dots per inch there for the printer,
and a wrong scale is worse than none. OME-XML and ImageJ name micrometres, so theirs are.
"""

import math
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


def pixel_size(tiff: tifffile.TiffFile) -> PixelSize | None:
    """From OME-XML or ImageJ's description of the first page, or None."""
    page = tiff.pages.first
    if page.is_ome:
        return from_ome(page.description)
    if page.is_imagej:
        values = [page.tags.valueof(tag) for tag in _RESOLUTION_TAGS]
        per_unit = [value[0] / value[1] for value in values if isinstance(value, tuple) and value[0] and value[1]]
        unit = (tiff.imagej_metadata or {}).get("unit", "")
        if len(per_unit) == 2 and unit in _UM:
            return _square(_UM[unit] / per_unit[0], _UM[unit] / per_unit[1], "ImageJ")
    return None


def from_ome(xml: str) -> PixelSize | None:
    """The first image's physical pixel size in an OME-XML document; None where it says none, or is damaged."""
    root = _parsed(xml)
    pixels = root.find(".//{*}Pixels") if root is not None else None
    if pixels is None:
        return None
    sides = []
    for axis in "XY":
        scale = _UM.get(pixels.get(f"PhysicalSize{axis}Unit", "µm"))
        try:
            sides.append(float(pixels.get(f"PhysicalSize{axis}", "")) * (scale or math.nan))
        except ValueError:
            return None
    return _square(sides[0], sides[1], "OME-XML")


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


def _square(x: float, y: float, origin: str) -> PixelSize | None:
    if not (math.isfinite(x) and math.isfinite(y) and x > 0 and abs(x - y) <= _SQUARE_WITHIN * x):
        return None
    return PixelSize((x + y) / 2, origin)
