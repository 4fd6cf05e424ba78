"""Labelled pairs from real IHC cores, in BCI layout, each with the core it came from: splits must never cut through a core."""

import csv
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from her2viewer.errors import PairError, UserError
from her2viewer.imaging.opening import open_image
from her2viewer.scoring.membrane.rule import CLASSES
from training.files import replacing
from training.phantom.pair import MPP, SIDE
from training.tissue.restain import as_it_is, restained
from training.tissue.separation import Separated, background, density_of, separate, vectors_of

MANIFEST: Final = "manifest.csv"
_TISSUE = 0.08
"""Density summed over R, G and B: pale counterstained stroma has that much, bare glass has not."""
_SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff")


@dataclass(frozen=True, slots=True)
class Core:
    """One image of a tissue-microarray core and the score of its case, read from its name: `2_anything.jpg` is 2+."""

    path: Path
    label: str


def cores_of(folder: Path) -> tuple[Core, ...]:
    """The cores of a folder by name. Raises PairError where there is none."""
    found = []
    for path in sorted(folder.glob("*")):
        grade = path.name.partition("_")[0]
        if path.suffix.lower() in _SUFFIXES and grade in ("0", "1", "2", "3"):
            found.append(Core(path, CLASSES[int(grade)]))
    if not found:
        raise PairError(
            "there is no core image",
            path=folder,
            remedy="name a folder of HER2 IHC cores called 0_*, 1_*, 2_*, 3_* after their scores",
        )
    return tuple(found)


def write_tiles(
    cores: Sequence[Core],
    out: Path,
    *,
    count: int,
    seed: int,
    mpp: float,
    as_is: float = 0.15,
    test_cores: Sequence[str] = (),
    workers: int = 2,
) -> Iterator[str]:
    """Writes `count` pairs to `out` and yields their names as they come; then `manifest.csv` with each pair's core as its group.

    mpp: micrometres per pixel of the cores; tiles have the scale of BCI, give or take a fifth. as_is: share of tiles that keep
    their own DAB and their core's label; the others are restained and carry the label of what was drawn on them. test_cores:
    beginnings of file names; tiles of these cores go to the test split, and no others do. Pair k is the same whatever the
    count. Raises UserError where a test core is not there.
    """
    unknown = [name for name in test_cores if not any(core.path.name.startswith(name) for core in cores)]
    if unknown:
        raise UserError(
            f"no core's name begins with '{unknown[0]}'", remedy="name test cores by the beginning of their names"
        )
    for stain in ("HE", "IHC"):
        for split in ("train", "test"):
            (out / stain / split).mkdir(parents=True, exist_ok=True)
    jobs = []
    for k in range(count):
        core = cores[k % len(cores)]
        split = "test" if any(core.path.name.startswith(name) for name in test_cores) else "train"
        jobs.append((core, k, CLASSES[k // len(cores) % len(CLASSES)], seed, mpp, as_is, split, out))
    # A worker keeps the core it opened last, so a core's tiles are made one after another.
    jobs.sort(key=lambda job: job[1] % len(cores))
    rows = []
    with ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=cv2.setNumThreads, initargs=(1,)
    ) as pool:
        for (core, *_), name in zip(jobs, pool.map(_write, *zip(*jobs, strict=True), chunksize=4), strict=True):
            if name is None:
                continue
            split, label = name.split("_")[1:]
            rows.append((f"HE/{split}/{name}.png", f"IHC/{split}/{name}.png", label, split, core.path.stem))
            yield name
    with replacing(out / MANIFEST) as draft, draft.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("he", "ihc", "label", "split", "group"))
        writer.writerows(sorted(rows))


def _write(
    core: Core, number: int, target: str, seed: int, mpp: float, as_is: float, split: str, out: Path
) -> str | None:
    """One pair, or None where the core shows nothing that could be stained there."""
    rng = np.random.default_rng(np.random.SeedSequence([seed, number, 7]))
    density, vectors = _opened(core.path)
    tile = _tile(rng, density, mpp)
    if tile is None:
        return None
    stains: Separated = separate(tile, *vectors)
    if rng.random() < as_is:
        (he, ihc), label = as_it_is(rng, stains), core.label
    else:
        made = restained(rng, stains, target)
        if made is None:
            return None
        he, ihc, label = made.he, made.ihc, made.label
    name = f"{number:05d}_{split}_{label}"
    for stain, image in (("HE", he), ("IHC", ihc)):
        done, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(72, 96))])
        assert done
        with replacing(out / stain / split / f"{name}.png") as draft:
            draft.write_bytes(data.tobytes())
    return name


@lru_cache(maxsize=1)
def _opened(path: Path) -> tuple[NDArray[np.float32], tuple[NDArray[np.float32], NDArray[np.float32]]]:
    with open_image(path) as image:
        pixels = image.read(0, 0, 0, *image.size)
    density = density_of(pixels, background(pixels))
    return density, vectors_of(density)


def _tile(rng: np.random.Generator, density: NDArray[np.float32], mpp: float) -> NDArray[np.float32] | None:
    """(SIDE, SIDE, 3) density somewhere on the tissue, turned and mirrored, at about the phantoms' scale."""
    height, width = density.shape[:2]
    side = min(int(SIDE * MPP / mpp * np.exp(rng.uniform(-0.2, 0.2))), height, width)
    for _ in range(40):
        y, x = int(rng.integers(0, height - side + 1)), int(rng.integers(0, width - side + 1))
        tile = density[y : y + side, x : x + side]
        if (tile[::16, ::16].sum(axis=2) > _TISSUE).mean() > 0.15:
            how = cv2.INTER_AREA if side > SIDE else cv2.INTER_LINEAR
            turned = np.rot90(cv2.resize(tile, (SIDE, SIDE), interpolation=how), int(rng.integers(4)))
            return np.ascontiguousarray(turned[:, ::-1] if rng.integers(2) else turned, np.float32)
    return None
