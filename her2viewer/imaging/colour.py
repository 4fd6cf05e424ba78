"""The one written table of how every kind of pixel becomes 8-bit sRGB.

A decoder hands over a `Raster`, the samples as the file holds them. `to_srgb` then does, in this order:

1. numbers: every sample becomes 0..255 by the first rule of `NUMBERS` that applies;
2. colours: the channels become red, green and blue by the rule of `COLOURS` for them. An embedded ICC profile that fits
   the channels and is not sRGB itself takes the place of that rule (relative colorimetric, black point compensation);
3. alpha: the picture is laid over white, which is what the background of a slide looks like;
4. orientation: the picture is turned upright once.

Not converted, on purpose: PNG's gAMA and cHRM without a profile (the samples are taken as sRGB, which they nearly
always are) and PNG's sBIT (PNG samples use their full range whatever it says).

Each rule carries an example, and a test walks the table through them.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from her2viewer.imaging import icc
from her2viewer.imaging.faults import SAVE_AS_PNG, Unreadable
from her2viewer.imaging.orientation import upright
from her2viewer.imaging.source import PixelSize, RGBImage

Samples = NDArray[Any]

_STRIP_ROWS: Final = 512


class Colours(Enum):
    """What the channels of a raster mean. The value is the word for it."""

    GREY = "grey"
    INVERTED_GREY = "grey, 0 is white"
    PALETTE = "palette"
    RGB = "RGB"
    CMYK = "CMYK"


class Alpha(Enum):
    """What the last channel means."""

    NONE = auto()
    STRAIGHT = auto()
    PREMULTIPLIED = auto()


@dataclass(frozen=True, eq=False)
class Raster:
    """A decoded picture before conversion.

    samples: (h, w) or (h, w, channels), any real dtype; the last channel is the alpha unless `alpha` is NONE.
    bits: what the file declares of an unsigned integer's range (12 for 0..4095 held in 16 bits), None for all of it.
    palette: (n, 3) uint8 for PALETTE, whose samples are indices. icc: the embedded profile's bytes.
    orientation: EXIF's 1 to 8. notes: what the decoder has to say to the user.
    """

    samples: Samples
    colours: Colours
    alpha: Alpha = Alpha.NONE
    bits: int | None = None
    palette: NDArray[np.uint8] | None = None
    icc: bytes | None = None
    orientation: int = 1
    mpp: PixelSize | None = None
    notes: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class NumberRule:
    """How samples of one kind become 0..255. `convert` returns uint8 and a note, empty where nothing was changed."""

    found: str
    becomes: str
    applies: Callable[[Samples, int | None], bool]
    convert: Callable[[Samples, int | None], tuple[NDArray[np.uint8], str]]
    example: tuple[Samples, int | None, tuple[int, ...]]


@dataclass(frozen=True)
class ColourRule:
    """How 8-bit channels without a profile become RGB. `convert` takes (h, w[, c]) and the palette, gives (h, w, 3)."""

    found: Colours
    channels: int
    becomes: str
    convert: Callable[[Samples, NDArray[np.uint8] | None], RGBImage]
    example: tuple[tuple[int, ...], tuple[int, int, int]]


# --- numbers ----------------------------------------------------------------------------------------------------------


def _by_strips(samples: Samples, convert: Callable[[Samples], Any], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """`convert` a strip of rows at a time: temporaries of a 400-megapixel picture would not fit otherwise."""
    out = np.empty(shape, np.uint8)
    for row in range(0, len(samples), _STRIP_ROWS):
        out[row : row + _STRIP_ROWS] = convert(samples[row : row + _STRIP_ROWS])
    return out


def _keep(samples: Samples, bits: int | None) -> tuple[NDArray[np.uint8], str]:
    return samples.astype(np.uint8, copy=False), ""


def _bilevel(samples: Samples, bits: int | None) -> tuple[NDArray[np.uint8], str]:
    return (samples != 0).astype(np.uint8) * np.uint8(255), ""


def _full_scale(samples: Samples, bits: int | None) -> tuple[NDArray[np.uint8], str]:
    width = samples.dtype.itemsize * 8
    top = 2 ** (bits or width) - 1
    if bits is not None and bits != width and samples.size and samples.max() > top:
        scaled, note = _full_scale(samples, None)
        return scaled, f"{note}; the file declares {bits} bits but holds larger values"
    values = np.arange(2**width, dtype=np.int64)
    table = np.minimum((values * 255 + top // 2) // top, 255).astype(np.uint8)
    scaled_down: NDArray[np.uint8] = table[samples]
    return scaled_down, f"{bits or width}-bit samples scaled to 8 bit ({top} becomes 255)"


def _min_to_max(samples: Samples, bits: int | None) -> tuple[NDArray[np.uint8], str]:
    low, high = float(samples.min()), float(samples.max())
    kind = f"{samples.dtype.itemsize * 8}-bit integer samples"
    return _stretched(samples, low, high), f"{kind} stretched, {low:g} becomes 0 and {high:g} becomes 255"


def _floating(samples: Samples, bits: int | None) -> tuple[NDArray[np.uint8], str]:
    finite = np.isfinite(samples)
    lost = samples.size - int(np.count_nonzero(finite))
    low = float(samples.min(where=finite, initial=np.inf))
    high = float(samples.max(where=finite, initial=-np.inf))
    if low > high:
        raise Unreadable("holds no finite number", SAVE_AS_PNG)
    if low >= 0.0 and high <= 1.0:
        low, high, note = 0.0, 1.0, "floating point samples scaled, 1.0 becomes 255"
    else:
        note = f"floating point samples stretched, {low:g} becomes 0 and {high:g} becomes 255"
    if lost:
        note += f"; {lost} that are not finite numbers were set to white (NaN, +inf) or black (-inf)"
    return _stretched(samples, low, high), note


def _stretched(samples: Samples, low: float, high: float) -> NDArray[np.uint8]:
    """`low` becomes 0 and `high` 255, rounded; a picture of one value becomes black; NaN becomes white."""
    # Halved before subtracting, so that the span of two extreme doubles stays finite.
    span = high / 2 - low / 2

    def convert(strip: Samples) -> Any:
        if span == 0:
            scaled = np.where(np.isnan(strip) | (strip > high), 255.0, 0.0)
        else:
            # A signalling NaN, or an alpha of 1e308, is no reason to warn: both have their place below.
            with np.errstate(invalid="ignore", over="ignore"):
                scaled = (strip.astype(np.float64) / 2 - low / 2) / span * 255
        return np.rint(np.nan_to_num(scaled, nan=255.0, posinf=255.0, neginf=0.0).clip(0, 255))

    return _by_strips(samples, convert, samples.shape)


NUMBERS: Final[tuple[NumberRule, ...]] = (
    NumberRule(
        "1 bit",
        "0 and 1 become 0 and 255",
        lambda samples, bits: samples.dtype == np.bool_ or bits == 1,
        _bilevel,
        (np.array([0, 1], np.uint8), 1, (0, 255)),
    ),
    NumberRule(
        "8 bit, unsigned",
        "kept",
        lambda samples, bits: samples.dtype == np.uint8 and bits in (None, 8),
        _keep,
        (np.array([0, 1, 254, 255], np.uint8), None, (0, 1, 254, 255)),
    ),
    NumberRule(
        "2 to 7 bits, unsigned, declared",
        "the declared full scale becomes 255",
        lambda samples, bits: samples.dtype == np.uint8,
        _full_scale,
        (np.array([0, 1, 7, 15], np.uint8), 4, (0, 17, 119, 255)),
    ),
    NumberRule(
        "9 to 15 bits held in 16, unsigned, only where the file declares it",
        "the declared full scale becomes 255",
        lambda samples, bits: samples.dtype == np.uint16 and bits not in (None, 16),
        _full_scale,
        (np.array([0, 8, 9, 2048, 4095], np.uint16), 12, (0, 0, 1, 128, 255)),
    ),
    NumberRule(
        "16 bit, unsigned",
        "65535 becomes 255, whatever range the picture uses: v / 257, rounded",
        lambda samples, bits: samples.dtype == np.uint16,
        _full_scale,
        (np.array([0, 128, 129, 4095, 32768, 65535], np.uint16), None, (0, 0, 1, 16, 128, 255)),
    ),
    NumberRule(
        "32 and 64 bit, and signed integers",
        "smallest to largest becomes 0 to 255, all channels together",
        lambda samples, bits: samples.dtype.kind in "ui",
        _min_to_max,
        (np.array([-1000, 0, 1000, 3000], np.int32), None, (0, 64, 128, 255)),
    ),
    NumberRule(
        "floating point",
        "0..1 becomes 0..255 where all lie within it, else smallest to largest; NaN and +inf white, -inf black",
        lambda samples, bits: samples.dtype.kind == "f",
        _floating,
        (np.array([0, 0.25, 0.5, 1, np.nan, np.inf, -np.inf], np.float32), None, (0, 64, 128, 255, 255, 255, 0)),
    ),
)


# --- colours ----------------------------------------------------------------------------------------------------------


def _from_grey(samples: Samples, palette: NDArray[np.uint8] | None) -> RGBImage:
    return np.repeat(samples[:, :, None], 3, axis=2)


def _from_inverted_grey(samples: Samples, palette: NDArray[np.uint8] | None) -> RGBImage:
    return _from_grey(255 - samples, None)


def _from_palette(samples: Samples, palette: NDArray[np.uint8] | None) -> RGBImage:
    if palette is None or not len(palette):
        raise Unreadable("has no palette")
    if samples.size and int(samples.max()) >= len(palette):
        raise Unreadable("points outside its palette")
    image: RGBImage = palette[samples]
    return image


def _from_rgb(samples: Samples, palette: NDArray[np.uint8] | None) -> RGBImage:
    return samples


def _from_cmyk(samples: Samples, palette: NDArray[np.uint8] | None) -> RGBImage:
    def convert(strip: Samples) -> Any:
        light = 255 - strip.astype(np.uint32)
        return (light[..., :3] * light[..., 3:] + 127) // 255

    return _by_strips(samples, convert, (*samples.shape[:2], 3))


COLOURS: Final[tuple[ColourRule, ...]] = (
    ColourRule(Colours.GREY, 1, "the same in red, green and blue", _from_grey, ((40,), (40, 40, 40))),
    ColourRule(Colours.INVERTED_GREY, 1, "255 - v in all three", _from_inverted_grey, ((40,), (215, 215, 215))),
    ColourRule(Colours.PALETTE, 1, "the palette's colour", _from_palette, ((1,), (10, 20, 30))),
    ColourRule(Colours.RGB, 3, "kept; YCbCr is turned into RGB by its decoder", _from_rgb, ((1, 2, 3), (1, 2, 3))),
    ColourRule(
        Colours.CMYK,
        4,
        "(255 - C)(255 - K) / 255 and so on, ink as 255 (Adobe's inverted JPEGs are turned round by their decoder)",
        _from_cmyk,
        ((255, 0, 51, 51), (0, 204, 163)),
    ),
)


# --- the way through --------------------------------------------------------------------------------------------------


def to_srgb(raster: Raster) -> tuple[RGBImage, tuple[str, ...]]:
    """`raster` as (h, w, 3) uint8 sRGB by the table above, upright, and what was changed, in words for the user.

    Raises Unreadable for samples or channels that the table has no rule for.
    """
    notes = list(raster.notes)
    samples, alpha = _apart(raster)
    rule = next(rule for rule in COLOURS if rule.found is raster.colours)
    if (1 if samples.ndim == 2 else samples.shape[2]) != rule.channels:
        raise Unreadable(f"has a number of channels that {raster.colours.value} cannot have", SAVE_AS_PNG)
    if raster.colours is not Colours.PALETTE:
        samples, note = _numbers(samples, raster.bits)
        notes += [note] if note else []
    image = _colours(samples, raster, rule, notes)
    if alpha is not None:
        image = _over_white(image, alpha, raster.alpha, notes)
    if raster.orientation != 1:
        notes.append(f"turned upright (EXIF orientation {raster.orientation})")
    return upright(image, raster.orientation), tuple(notes)


def _apart(raster: Raster) -> tuple[Samples, Samples | None]:
    """Colour channels, (h, w) where it is one, and the alpha channel."""
    samples, alpha = raster.samples, None
    if raster.alpha is not Alpha.NONE:
        samples, alpha = samples[..., :-1], _alpha_numbers(samples[..., -1], raster.bits)
    return (samples[..., 0] if samples.ndim == 3 and samples.shape[2] == 1 else samples), alpha


def _numbers(samples: Samples, bits: int | None) -> tuple[NDArray[np.uint8], str]:
    for rule in NUMBERS:
        if rule.applies(samples, bits):
            return rule.convert(samples, bits)
    raise Unreadable(f"holds samples of type {samples.dtype}", SAVE_AS_PNG)


def _alpha_numbers(alpha: Samples, bits: int | None) -> NDArray[np.uint8]:
    """Alpha by its full scale, also where colours are stretched: opacity 1 is a fact, not a relative value."""
    if alpha.dtype.kind == "f":
        return _stretched(alpha, 0.0, 1.0)
    if alpha.dtype.itemsize > 2 or alpha.dtype.kind == "i":
        return _stretched(alpha, 0.0, float(np.iinfo(alpha.dtype).max))
    return _numbers(alpha, bits)[0]


def _colours(samples: NDArray[np.uint8], raster: Raster, rule: ColourRule, notes: list[str]) -> RGBImage:
    if raster.icc is None or raster.alpha is Alpha.PREMULTIPLIED:
        return _plainly(samples, raster, rule, notes)
    channels = samples
    if raster.colours is Colours.INVERTED_GREY:
        channels = 255 - samples
    elif raster.colours is Colours.PALETTE:
        channels = rule.convert(samples, raster.palette)
    try:
        transform = icc.transform_to_srgb(raster.icc, 1 if channels.ndim == 2 else channels.shape[2])
    except icc.UnfitProfile:
        notes.append("the embedded colour profile does not fit the picture and was not used")
        return _plainly(samples, raster, rule, notes)
    if transform is None:
        return rule.convert(samples, raster.palette)
    notes.append(f"converted from {raster.colours.value} to sRGB by the embedded colour profile")
    return icc.convert(channels, transform)


def _plainly(samples: NDArray[np.uint8], raster: Raster, rule: ColourRule, notes: list[str]) -> RGBImage:
    if raster.colours is Colours.CMYK:
        notes.append("CMYK turned into RGB by the plain formula; colours are approximate")
    return rule.convert(samples, raster.palette)


def _over_white(image: RGBImage, alpha: NDArray[np.uint8], kind: Alpha, notes: list[str]) -> RGBImage:
    if alpha.size and alpha.min() == 255:
        return image
    notes.append("transparency laid over white")
    out = np.empty_like(image, order="C")
    for row in range(0, len(image), _STRIP_ROWS):
        rows = slice(row, row + _STRIP_ROWS)
        colour, opacity = image[rows].astype(np.uint32), alpha[rows, :, None].astype(np.uint32)
        if kind is Alpha.PREMULTIPLIED:
            out[rows] = np.minimum(colour + (255 - opacity), 255)
        else:
            out[rows] = (colour * opacity + 255 * (255 - opacity) + 127) // 255
    return out
