"""EXIF orientation: finding tag 0x0112 in an EXIF block and turning the pixels upright, once."""

import struct
from typing import Final

import numpy as np

from her2viewer.imaging.source import RGBImage

_ORIENTATION_TAG: Final = 0x0112
_SHORT: Final = 3


def exif_orientation(block: bytes) -> int:
    """The orientation (1 to 8) of an EXIF block, with or without its 'Exif' prefix; 1 where it says none or is damaged.

    Read here and not by Pillow, whose EXIF reader warns, raises and parses everything else in the block as well.
    """
    tiff = block.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return 1
    try:
        (offset,) = struct.unpack_from(order + "I", tiff, 4)
        (count,) = struct.unpack_from(order + "H", tiff, offset)
        for entry in range(offset + 2, offset + 2 + 12 * count, 12):
            tag, kind, _, value = struct.unpack_from(order + "HHIH", tiff, entry)
            if tag == _ORIENTATION_TAG and kind == _SHORT:
                return valid_orientation(value)
    except struct.error:  # the block ends before its own table does
        return 1
    return 1


def valid_orientation(value: object) -> int:
    """`value` if EXIF defines it, else 1 (as stored)."""
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def upright(image: RGBImage, orientation: int) -> RGBImage:
    """The picture as it is meant to be looked at. EXIF 2.32, tag 274: where row 0 and column 0 of the data belong."""
    match orientation:
        case 2:
            turned = image[:, ::-1]
        case 3:
            turned = image[::-1, ::-1]
        case 4:
            turned = image[::-1]
        case 5:
            turned = image.transpose(1, 0, 2)
        case 6:
            turned = image.transpose(1, 0, 2)[:, ::-1]
        case 7:
            turned = image.transpose(1, 0, 2)[::-1, ::-1]
        case 8:
            turned = image.transpose(1, 0, 2)[::-1]
        case _:
            turned = image
    return np.ascontiguousarray(turned)
