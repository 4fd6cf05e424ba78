"""Phantom pairs on disk, in BCI's folders and names, with their truth beside them.

    OUT/HE/train/00000_train_1+.png       OUT/IHC/train/00000_train_1+.png
    OUT/HE/test/00004_test_3+.png         OUT/IHC/test/00004_test_3+.png
    OUT/phantom.json                      the seed that all of them are drawn from
    OUT/truth/train/00000_train_1+.json   label, shares of the grades, contents, every cell and nucleus, slide
    OUT/truth/train/00000_train_1+_membrane.png   8 bit: 0 none, 60 unstained, 120 faint, 180 weak to moderate, 240 intense
    OUT/truth/train/00000_train_1+_cells.png      16 bit: 0 none, k the k-th cell of the JSON: first all invasive tumour
                                          cells, then those in situ, then normal epithelium

As BCI's, the pictures are JPEG data under `.png` names unless PNG is asked for; both hold the same pixels. Truth is in the
frame of the IHC image.
"""

import ctypes
import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Any, Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from her2viewer.errors import ExportError
from her2viewer.scoring.membrane.rule import Grade
from training.files import replacing
from training.phantom.cells import Cells
from training.phantom.nuclei import Kind
from training.phantom.optics import Rgb
from training.phantom.pair import MPP, Phantom, make_phantom

ImageFormat = Literal["jpeg", "png"]
SCHEMA: Final = "her2viewer.phantom/2"
GENERATOR: Final = 2
"""Changes with what a seed draws. The same seed gives the same pairs within one version."""
MEMBRANE_VALUES: Final = {
    Grade.NONE: 60, Grade.FAINT_INCOMPLETE: 120, Grade.WEAK_TO_MODERATE: 180, Grade.INTENSE_COMPLETE: 240
}  # fmt: skip


def phantoms(
    out: Path,
    *,
    count: int,
    seed: int,
    test_share: float = 0.2,
    workers: int = 2,
    first: int = 0,
    image_format: ImageFormat = "jpeg",
    truth: bool = True,
) -> Iterator[str]:
    """Writes the pairs `first` to `first + count - 1` of a seed, and yields each name as it is done, in order.

    Pairs that stand there already are not drawn again, so a broken run goes on where it stopped. workers: processes.
    Raises ExportError where the folder cannot be written, or holds pairs of another seed.
    """
    numbers = range(first, first + count)
    jobs = ((out, seed, number, test_share, image_format, truth) for number in numbers)
    try:
        for split in ("train", "test"):
            for folder in ("HE", "IHC", *(["truth"] if truth else [])):
                (out / folder / split).mkdir(parents=True, exist_ok=True)
        _claim(out, seed, test_share)
        yield from _drawn(jobs, _present(out), min(workers, count))
    except OSError as error:
        raise ExportError(
            f"the phantoms cannot be written ({error.strerror or error})",
            path=out,
            remedy="choose a folder on a disk with room and the right to write, then run the same command again",
        ) from error


def write_phantoms(
    out: Path,
    *,
    count: int,
    seed: int,
    test_share: float = 0.2,
    workers: int = 2,
    first: int = 0,
    image_format: ImageFormat = "jpeg",
    truth: bool = True,
    progress: Callable[[int], None] = lambda done: None,
) -> list[str]:
    """`phantoms`, all at once. Returns the names in order; progress is called with the number done."""
    names: list[str] = []
    written = phantoms(
        out,
        count=count,
        seed=seed,
        test_share=test_share,
        workers=workers,
        first=first,
        image_format=image_format,
        truth=truth,
    )
    for name in written:
        names.append(name)
        progress(len(names))
    return names


def split_of(index: int, test_share: float) -> str:
    """'test' for an even spread of `test_share` of all numbers, four in a row at a time so that no class is left out."""
    block = index // 4
    return "test" if int((block + 1) * test_share + 1e-9) > int(block * test_share + 1e-9) else "train"


def truth_of(phantom: Phantom) -> dict[str, Any]:
    """What is known of a pair, for its JSON. Cells are columns, in the order of the cell mask's values 1, 2, ...

    contents: what the field holds, as shares of its area or amounts; 0 where it has none. Only cells of kind `tumour` count.
    x, y: centre in px of the IHC image (continuous, pixel centres at +0.5); completeness: stained share of the membrane;
    intensity: mean DAB optical density where stained; area in px. nuclei: those of all kinds that the IHC's section shows, with
    the centre and radius (of the circle of the same area, px) of what is drawn; cell: the number of its cell, 0 for other kinds.
    """
    cells, expression = phantom.cells, phantom.expression
    area = np.bincount(cells.tumour_id.ravel(), minlength=len(cells.tumour) + 1)[1:]
    return {
        "schema": SCHEMA,
        "generator": GENERATOR,
        "seed": phantom.seed,
        "index": phantom.index,
        "label": phantom.label,
        "size": list(phantom.ihc.shape[1::-1]),
        "mpp": MPP,
        "frame": "ihc",
        "largest_shift_px": round(float(np.abs(phantom.shift).max()), 2),
        "pattern": str(phantom.tissue.pattern),
        "contents": contents_of(phantom),
        "tumour_share": round(float(phantom.tissue.tumour.mean()), 4),
        "tumour_cells": int(expression.visible.sum()),
        "shares": {grade.name.lower(): round(share, 4) for grade, share in zip(Grade, expression.shares, strict=True)},
        "cells": {
            "x": _rounded(cells.x[cells.tumour], 1),
            "y": _rounded(cells.y[cells.tumour], 1),
            "kind": [Kind(kind).name.lower() for kind in cells.kind[cells.tumour]],
            "grade": expression.grade.tolist(),
            "completeness": _rounded(expression.completeness, 3),
            "intensity": _rounded(expression.intensity, 3),
            "area": area.tolist(),
            "counted": expression.visible.astype(int).tolist(),
        },
        "nuclei": _nuclei(cells),
        "slide": {
            "dab": _rounded(phantom.slide.dab, 4),
            "haematoxylin": _rounded(phantom.slide.haematoxylin, 4),
            "eosin": _rounded(phantom.slide.eosin, 4),
            "counterstain": _rounded(phantom.slide.counterstain, 4),
            "dab_strength": round(phantom.slide.dab_strength, 3),
            "counter_strength": round(phantom.slide.counter_strength, 3),
            "sections_apart_um": round(phantom.slide.apart, 2),
            "white_he": _rounded(phantom.slide.he.white, 1),
            "white_ihc": _rounded(phantom.slide.ihc.white, 1),
        },
    }


_SMALLEST_NUCLEUS: Final = 12
"""px: what is cut off to less is no nucleus that anyone could find."""


def _nuclei(cells: Cells) -> dict[str, list[Any]]:
    """The nuclei as drawn, as columns."""
    covered = cells.nucleus > 0.5
    owner = cells.owner[covered]
    area = np.bincount(owner, minlength=len(cells.kind))
    y, x = (np.bincount(owner, weights=at + 0.5, minlength=len(area)) for at in np.nonzero(covered))
    shown = np.flatnonzero(area >= _SMALLEST_NUCLEUS)
    number = np.zeros(len(area), np.intp)
    number[cells.tumour] = np.arange(1, len(cells.tumour) + 1)
    return {
        "x": _rounded(x[shown] / area[shown], 1),
        "y": _rounded(y[shown] / area[shown], 1),
        "radius": _rounded(np.sqrt(area[shown] / np.pi), 1),
        "kind": [Kind(kind).name.lower() for kind in cells.kind[shown]],
        "cell": number[shown].tolist(),
    }


def contents_of(phantom: Phantom) -> dict[str, float]:
    """What a field holds besides invasive tumour, as shares of its area; the stain's own artefacts as DAB amounts."""
    tissue, slide = phantom.tissue, phantom.slide
    areas = {
        "in_situ": tissue.in_situ,
        "normal": tissue.normal,
        "necrosis": tissue.necrosis > 0.5,
        "crush": tissue.crush > 0.5,
        "lymphoid": tissue.lymphoid,
        "fat": tissue.fat,
        "glass": tissue.glass,
        **{
            name: area > 0.5
            for name, area in zip(("fold_he", "fold_ihc"), phantom.folds, strict=True)
            if area is not None
        },
    }
    found = {"fold_he": 0.0, "fold_ihc": 0.0} | {name: round(float(area.mean()), 4) for name, area in areas.items()}
    edge = slide.edge if tissue.glass.any() else 0.0
    return found | {"haze": round(slide.haze, 3), "granular": round(slide.granular, 3), "edge": round(edge, 3)}


def membrane_mask(phantom: Phantom) -> NDArray[np.uint8]:
    """(side, side) uint8: each drawn cell's outline, two pixels wide, by the cell's grade (MEMBRANE_VALUES)."""
    cells = phantom.cells
    values = np.array([0] + [MEMBRANE_VALUES[Grade(grade)] for grade in phantom.expression.grade], np.uint8)
    return np.where(cells.wall_distance < 1.5, values[cells.tumour_id], 0).astype(np.uint8)


def cell_mask(phantom: Phantom) -> NDArray[np.uint16]:
    """(side, side) uint16: 0, or k for pixels of the k-th cell."""
    return phantom.cells.tumour_id.astype(np.uint16)


def encoded(image: Rgb, quality: int, image_format: ImageFormat) -> bytes:
    """A scan as a file. As JPEG of the scanner's quality, or as PNG of what that JPEG decodes to."""
    bgr = image[..., ::-1]
    data = _encode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if image_format == "jpeg":
        return data
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    return _encode(".png", np.asarray(decoded, np.uint8), [cv2.IMWRITE_PNG_COMPRESSION, 6])


def _drawn(jobs: "Iterator[_Job]", present: dict[int, str], workers: int) -> Iterator[str]:
    """Names in order; a few pairs ahead of the reader at most."""
    if workers <= 1:
        for job in jobs:
            yield present.get(job[2]) or _write_one(*job)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=begin_worker) as pool:
        waiting: list[Any] = []
        try:
            while True:
                for job in islice(jobs, 4 * workers - len(waiting)):
                    waiting.append(present.get(job[2]) or pool.submit(_write_one, *job))
                if not waiting:
                    return
                head = waiting.pop(0)
                yield head if isinstance(head, str) else head.result()
        finally:
            pool.shutdown(cancel_futures=True)


def begin_worker() -> None:
    """One thread a process; and a worker whose parent was killed goes too, instead of waiting for work for ever."""
    cv2.setNumThreads(1)
    _keep_memory()
    parent = parent_process()
    assert parent is not None

    def follow() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


def _keep_memory() -> None:
    """Where there is glibc: planes are taken from memory the process already has. Mapping each anew costs a sixth of the time."""
    set_option = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if set_option is not None:
        trim_threshold, map_threshold = -1, -3
        set_option(trim_threshold, 1 << 30)
        set_option(map_threshold, 1 << 25)


_Job = tuple[Path, int, int, float, ImageFormat, bool]


def _write_one(out: Path, seed: int, index: int, test_share: float, image_format: ImageFormat, truth: bool) -> str:
    phantom = make_phantom(seed, index)
    split = split_of(index, test_share)
    name = f"{index:05d}_{split}_{phantom.label}"
    if truth:
        place = out / "truth" / split
        _replace(place / f"{name}.json", json.dumps(truth_of(phantom)).encode())
        fast = [cv2.IMWRITE_PNG_COMPRESSION, 1]
        _replace(place / f"{name}_membrane.png", _encode(".png", membrane_mask(phantom), fast))
        _replace(place / f"{name}_cells.png", _encode(".png", cell_mask(phantom), fast))
    _replace(out / "HE" / split / f"{name}.png", encoded(phantom.he, phantom.slide.he.jpeg, image_format))
    # The IHC image is written last: a pair counts as there when it is.
    _replace(out / "IHC" / split / f"{name}.png", encoded(phantom.ihc, phantom.slide.ihc.jpeg, image_format))
    return name


def _present(out: Path) -> dict[int, str]:
    """Numbers and names of pairs already written whole."""
    found = {}
    for path in out.glob("IHC/*/*.png"):
        number = path.stem.split("_")[0]
        if number.isdigit() and (out / "HE" / path.parent.name / path.name).is_file():
            found[int(number)] = path.stem
    return found


def _noted(note: Path) -> object:
    """What the folder says of itself, or None where that cannot be read."""
    try:
        return json.loads(note.read_text(encoding="utf-8"))
    except ValueError:
        return None


def _claim(out: Path, seed: int, test_share: float) -> None:
    """Notes in the folder how its pairs are drawn. Pairs of two seeds must not mix: their numbers would collide."""
    note = out / "phantom.json"
    mine = {"schema": SCHEMA, "generator": GENERATOR, "seed": seed, "test_share": test_share}
    if not note.exists():
        _replace(note, (json.dumps(mine) + "\n").encode())
    elif _noted(note) != mine:
        raise ExportError(
            "the folder holds phantoms of another seed, test share or generator version",
            path=out,
            remedy="choose an empty folder",
        )


def _replace(path: Path, data: bytes) -> None:
    with replacing(path) as draft:
        draft.write_bytes(data)


def _encode(suffix: str, image: NDArray[Any], options: list[int]) -> bytes:
    done, data = cv2.imencode(suffix, image, options)
    if not done:
        raise ValueError(f"cannot encode {image.shape} {image.dtype} as {suffix}")
    return bytes(data)


def _rounded(values: NDArray[np.floating], digits: int) -> list[float]:
    rounded: list[float] = np.round(values.astype(np.float64), digits).tolist()
    return rounded
