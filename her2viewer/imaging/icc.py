"""Embedded colour profiles: from the profile's colours to sRGB, with Little CMS through Pillow."""

import io
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from her2viewer.imaging.source import RGBImage

# Colour spaces of ICC.1:2022 table 19 that a picture of ours can be in, and Pillow's mode for each.
_MODES: Final = {"GRAY": "L", "RGB": "RGB", "CMYK": "CMYK"}
_CHANNELS: Final = {1: "L", 3: "RGB", 4: "CMYK"}

# A profile that moves no colour further than this (of 255) is sRGB under another name; converting would only add
# rounding. Little CMS's own sRGB and the common "sRGB IEC61966-2.1" lie within 1 of each other.
_SAME_AS_SRGB: Final = 2

_STRIP_ROWS: Final = 512


class UnfitProfile(ValueError):
    """A profile that cannot be read or belongs to other colours than the picture's."""


@lru_cache(maxsize=16)
def transform_to_srgb(profile: bytes, channels: int) -> ImageCms.ImageCmsTransform | None:
    """The way from `profile` to sRGB for pictures of 1, 3 or 4 channels; None where the profile is sRGB itself.

    Relative colorimetric with black point compensation: white stays white, which glass on a slide must.
    Raises UnfitProfile. Cached, since the pictures of one scanner carry the same profile.
    """
    mode = _CHANNELS[channels]
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        space = source.profile.xcolor_space.strip()
        if _MODES.get(space) != mode:
            raise UnfitProfile(space)
        transform = ImageCms.buildTransform(
            source,
            ImageCms.createProfile("sRGB"),
            mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            # Little CMS's shortcut for grey is off by up to 10 of 255 in the shadows of a linear profile.
            ImageCms.Flags.BLACKPOINTCOMPENSATION | (ImageCms.Flags.NOOPTIMIZE if mode == "L" else 0),
        )
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError) as error:
        raise UnfitProfile(str(error)) from error
    return None if _is_identity(transform, mode) else transform


def convert(samples: NDArray[np.uint8], transform: ImageCms.ImageCmsTransform) -> RGBImage:
    """`samples` (h, w) or (h, w, c) uint8 through `transform`, a strip of rows at a time to save memory."""
    if samples.ndim == 2:
        # 256 greys make a table, exact and fast.
        ramp = Image.frombytes("L", (256, 1), bytes(range(256)))
        table: RGBImage = np.asarray(ImageCms.applyTransform(ramp, transform))[0]
        return table[samples]
    out = np.empty((*samples.shape[:2], 3), np.uint8)
    mode = _CHANNELS[samples.shape[2]]
    for row in range(0, len(samples), _STRIP_ROWS):
        strip = np.ascontiguousarray(samples[row : row + _STRIP_ROWS])
        size = (strip.shape[1], strip.shape[0])
        picture = Image.frombuffer(mode, size, strip.tobytes(), "raw", mode, 0, 1)
        converted = ImageCms.applyTransform(picture, transform)
        if converted is not None:  # None only when converting in place
            out[row : row + _STRIP_ROWS] = np.asarray(converted)
    return out


def _is_identity(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    if mode == "CMYK":
        return False
    steps = np.arange(0, 256, 15, dtype=np.uint8)
    if mode == "L":
        probe = steps[None, :]
        expected = np.repeat(probe[..., None], 3, axis=2)
    else:
        probe = expected = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(1, -1, 3)
    difference = convert(probe, transform).astype(np.int16) - expected
    return bool(np.abs(difference).max() <= _SAME_AS_SRGB)
