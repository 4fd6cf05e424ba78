"""Pixel sizes that the user typed: what may be typed, and for which image it holds."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from her2viewer.errors import UserError
from her2viewer.imaging.source import ImageSource, PixelSize

TYPED_ORIGIN: Final = "typed by the user"
"""Where the figure came from, as it stands in results."""

FINEST_UM: Final = 0.02
"""Micrometres per pixel. Light shows nothing below 0.2 µm; even a camera behind a 100x oil objective stays above this."""

COARSEST_UM: Final = 50.0
"""Micrometres per pixel. A whole section of 50 mm would be 1,000 pixels wide."""

MOST_REMEMBERED: Final = 500

_LIKELY: Final = "scanners at 40x write about 0.25, at 20x about 0.5"


def read_um_per_px(text: str) -> float:
    """Micrometres per pixel as typed, with a point or a comma. Raises UserError for what cannot be one."""
    typed = text.strip().removesuffix("µm/px").removesuffix("um/px").removesuffix("µm").strip().replace(",", ".")
    if not typed:
        raise UserError("no pixel size is typed", remedy=f"type micrometres per pixel ({_LIKELY})")
    try:
        um = float(typed)
    except ValueError:
        raise UserError(f"'{text.strip()}' is not a number", remedy=f"type micrometres per pixel ({_LIKELY})") from None
    if not math.isfinite(um) or um <= 0:
        raise UserError(f"a pixel cannot be {typed} µm wide", remedy=f"type a number above 0 ({_LIKELY})")
    if um < FINEST_UM:
        raise UserError(
            f"{um:g} µm per pixel is finer than light shows", remedy=f"type at least {FINEST_UM:g} ({_LIKELY})"
        )
    if um > COARSEST_UM:
        raise UserError(
            f"{um:g} µm per pixel is too coarse for a microscope", remedy=f"type at most {COARSEST_UM:g} ({_LIKELY})"
        )
    return um


def is_um_per_px(value: object) -> bool:
    """Whether a value can be micrometres per pixel."""
    return isinstance(value, float | int) and not isinstance(value, bool) and FINEST_UM <= value <= COARSEST_UM


def key_of(source: ImageSource) -> str:
    """What a typed pixel size is remembered under: the file, and the size of the picture that was in it then."""
    width, height = source.size
    return f"{source.path} {width}x{height}"


@dataclass(frozen=True, slots=True)
class TypedScales:
    """Micrometres per level-0 pixel by `key_of` the image, the latest typed last."""

    um: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))

    def of(self, source: ImageSource) -> PixelSize | None:
        """What was typed for an image, or None."""
        um = self.um.get(key_of(source))
        return PixelSize(um, TYPED_ORIGIN) if um is not None else None

    def typed(self, source: ImageSource, um: float | None) -> "TypedScales":
        """The same with a figure for an image; None takes it away."""
        others = {key: value for key, value in self.um.items() if key != key_of(source)}
        changed = others if um is None else {**others, key_of(source): um}
        return TypedScales(MappingProxyType(dict(list(changed.items())[-MOST_REMEMBERED:])))
