"""A sheet of phantoms for the eye: pairs side by side, real pairs between them where there are some."""

from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from her2viewer.errors import ExportError
from training.phantom.matching import drawn_fields, real_fields
from training.phantom.optics import Rgb

_EDGE: Final = 512
_GAP: Final = 6


def write_sheet(path: Path, *, seed: int, count: int, beside: Path | None = None, first: int = 0) -> None:
    """Writes `count` phantoms, and as many real fields of the folder `beside`, as one JPEG or PNG.

    Columns are H&E and IHC; phantoms stand on the left, real fields on the right. Where the folder holds IHC alone, only IHC
    is shown of it. Raises ExportError where the file cannot be written.
    """
    drawn = drawn_fields(seed, count, first)
    real = real_fields(beside) if beside else {}
    columns = [drawn["HE"], drawn["IHC"], *(_spread(fields, count) for fields in real.values())]
    sheet = np.full((count * (_EDGE + _GAP), len(columns) * (_EDGE + _GAP), 3), 255, np.uint8)
    for at, fields in enumerate(columns):
        for row, field in enumerate(fields):
            y, x = row * (_EDGE + _GAP), at * (_EDGE + _GAP)
            sheet[y : y + _EDGE, x : x + _EDGE] = _shrunk(field)
    done, data = cv2.imencode(path.suffix or ".jpg", sheet[..., ::-1])
    try:
        if not done:
            raise OSError("the format is not known")
        path.write_bytes(bytes(data))
    except OSError as error:
        raise ExportError("the sheet cannot be written", path=path, remedy="choose a .jpg or .png elsewhere") from error


def _spread(fields: list[Rgb], count: int) -> list[Rgb]:
    """At most `count` of the fields, evenly over the list."""
    return [fields[i] for i in np.unique(np.linspace(0, len(fields) - 1, count).astype(int))]


def _shrunk(field: Rgb) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(field, (_EDGE, _EDGE), interpolation=cv2.INTER_AREA), np.uint8)
