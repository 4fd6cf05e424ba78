"""What a file says of itself before a pixel is decoded, and the limit that is tested on it."""

from dataclasses import dataclass
from typing import Final

from her2viewer.imaging.faults import Unreadable

DEFAULT_MAX_PIXELS: Final = 400_000_000
"""20,000 x 20,000. Decoded at 3 bytes a pixel this is 1.2 GB and 1.6 GB with its pyramid; a pair of them still fits
into a computer with 8 GB. Larger pictures are whole slides and are read in tiles, never whole."""

_BYTES_PER_PIXEL: Final = 8
_METADATA_BYTES: Final = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Header:
    """`width` and `height` as stored, in pixels; `orientation` is EXIF's 1 to 8."""

    format: str
    width: int
    height: int
    orientation: int = 1

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) as shown, after orientation."""
        return (self.height, self.width) if self.orientation >= 5 else (self.width, self.height)


def check_limit(header: Header, max_pixels: int) -> None:
    """Refuses pictures without area and pictures beyond `max_pixels`; call it before anything is decoded."""
    width, height = header.size
    if width < 1 or height < 1:
        raise Unreadable(f"the header says {width} x {height} pixels")
    if width * height > max_pixels:
        what = f"has {width:,} x {height:,} pixels, more than the limit of {max_pixels / 1e6:,.0f} million"
        if header.format == "TIFF":
            raise Unreadable(
                f"{what} for a TIFF that is no pyramid of tiles", "save it as a tiled, pyramidal TIFF and open that"
            )
        raise Unreadable(what, "crop or shrink it, or open the whole slide it was taken from")


def check_file_size(size: int, max_pixels: int) -> None:
    """Refuses files too large to be one picture within the limit, before they are read into memory."""
    if size > max_pixels * _BYTES_PER_PIXEL + _METADATA_BYTES:
        raise Unreadable(
            f"is a file of {size / 1e9:,.1f} GB, too large for a single picture",
            "crop or shrink it, or open the whole slide it was taken from",
        )
