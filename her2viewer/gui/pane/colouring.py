"""What is made of an image's pixels before they are shown."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Final

from her2viewer.imaging.source import RGBImage


@dataclass(frozen=True, eq=False, slots=True)
class Colouring:
    """One way to show pixels: a stain view. `name` tells it from others.

    `apply` runs on worker threads; it takes and gives (h, w, 3) uint8 RGB, each pixel by itself; None changes nothing.
    `words` say beside the image what is shown, and `more` to who asks; both are empty for the pixels as they are.
    """

    name: Hashable
    apply: Callable[[RGBImage], RGBImage] | None = None
    words: str = ""
    more: str = ""


ORIGINAL: Final = Colouring("original")
