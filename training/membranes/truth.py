"""The cells and nuclei of phantoms on disk, as `training.phantom.writing` wrote them."""

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from her2viewer.errors import PairError
from her2viewer.imaging.opening import open_image
from her2viewer.imaging.source import RGBImage


@dataclass(frozen=True, eq=False)
class Truth:
    """One phantom's IHC and what is in it.

    cell_of: (h, w) uint16, 0 or the number of the cell. counted, grade: (n,) of the cells 1.. in their order: whether the
    rule counts it, and what it shows. nuclei: (m, 2) x and y in px; radius: (m,) px; kind: (m,) str.
    """

    name: str
    label: str
    mpp: float
    image: RGBImage
    cell_of: NDArray[np.uint16]
    cell_kind: NDArray[np.str_]
    counted: NDArray[np.bool_]
    grade: NDArray[np.uint8]
    nuclei: NDArray[np.float64]
    radius: NDArray[np.float64]
    kind: NDArray[np.str_]


def truth_files(folder: Path) -> list[Path]:
    """The truth of each phantom of a folder that is written whole, in order. Raises PairError where there is none."""
    files = sorted(folder.glob("truth/*/*.json"), key=lambda path: path.name)
    files = [path for path in files if _image_of(path).is_file()]
    if not files:
        raise PairError(
            "there is no phantom with its truth",
            path=folder,
            remedy="write some with 'python -m training phantom --out FOLDER', without --no-truth",
        )
    return files


def _image_of(path: Path) -> Path:
    return path.parents[2] / "IHC" / path.parent.name / f"{path.stem}.png"


def read_truth(path: Path) -> Truth:
    """One phantom by its JSON. Raises PairError where that holds no nuclei."""
    told = json.loads(path.read_text(encoding="utf-8"))
    if "nuclei" not in told:
        raise PairError("this truth has no nuclei", path=path, remedy="write the phantoms anew, into an empty folder")
    mask = cv2.imdecode(np.fromfile(path.with_name(f"{path.stem}_cells.png"), np.uint8), cv2.IMREAD_UNCHANGED)
    assert mask is not None
    with open_image(_image_of(path)) as source:
        image = source.read(0, 0, 0, *source.size)
    cells, nuclei = told["cells"], told["nuclei"]
    return Truth(
        name=path.stem,
        label=told["label"],
        mpp=told["mpp"],
        image=image,
        cell_of=np.asarray(mask, np.uint16),
        cell_kind=np.array(cells["kind"], np.str_),
        counted=np.array(cells["counted"], np.bool_),
        grade=np.array(cells["grade"], np.uint8),
        nuclei=np.column_stack([nuclei["x"], nuclei["y"]]),
        radius=np.array(nuclei["radius"], np.float64),
        kind=np.array(nuclei["kind"], np.str_),
    )
