"""All pairs of a run: drawn, judged and forgotten one by one, over processes; nothing of a pair is kept but its row."""

import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

import torch

from her2viewer.errors import UserError
from her2viewer.scoring.package import ModelManifest, open_package
from her2viewer.scoring.scorer import Scorer
from training.phantom.pair import make_phantom
from training.phantom.writing import begin_worker
from training.truth.judging import RASTER, TOLERANCE_UM, judged
from training.truth.maps import MapName, every_map
from training.truth.rows import PairFile, PairRow

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Job:
    """A pair, and for each package's folder the maps that are not yet there."""

    seed: int
    index: int
    wanted: tuple[tuple[Path, tuple[MapName, ...]], ...]


def judge_pairs(
    folders: Sequence[Path], out: Path, *, count: int, seed: int, slow: int, workers: int
) -> Iterator[list[PairRow]]:
    """Judges the pairs 0 to count - 1 of a seed by each package, and yields the rows of each pair once they are in `out`.

    slow: how many pairs, from the first on, get the maps of the slow methods as well. What `out` holds already is not done again;
    a pair that needs nothing is passed over. workers: processes, each with one thread.
    Raises UserError where a package says that it has learned from this seed, and ExportError as `PairFile` does.
    """
    packages = {folder: open_package(folder).manifest for folder in folders}
    for manifest in packages.values():
        refuse_learned(manifest, seed)
    file = _file(out, seed)
    there = {(row.model, row.index): {one.name for one in row.maps} for row in file.read()}
    jobs = (job for index in range(count) if (job := _job(seed, index, packages, there, index < slow)).wanted)
    for rows in _judged(jobs, workers):
        file.append(rows)
        yield rows


def rows_of(manifest: ModelManifest, out: Path, seed: int, count: int) -> list[PairRow]:
    """What `out` holds of a package on the pairs 0 to count - 1, by pair. Raises ExportError as `PairFile` does."""
    return [row for row in _file(out, seed).read() if row.model == manifest.weights.sha256 and row.index < count]


def _file(out: Path, seed: int) -> PairFile:
    return PairFile(out, {"seed": seed, "tolerance_um": TOLERANCE_UM, "raster": RASTER})


def refuse_learned(manifest: ModelManifest, seed: int) -> None:
    """Raises UserError where a package's training data in words name this seed of phantoms."""
    if str(seed) in re.findall(r"\bseeds? (\d+)", manifest.training.data):
        raise UserError(
            f"{manifest.name} {manifest.version} was trained on phantoms of seed {seed}: it would be judged on what it has seen",
            remedy="name another --seed",
        )


def _job(
    seed: int,
    index: int,
    packages: dict[Path, ModelManifest],
    there: dict[tuple[str, int], set[MapName]],
    slow: bool,
) -> Job:
    wanted = []
    for folder, manifest in packages.items():
        done = there.get((manifest.weights.sha256, index), set())
        missing = tuple(name for name in every_map(slow=slow) if name not in done)
        if missing:
            wanted.append((folder, missing))
    return Job(seed, index, tuple(wanted))


def _judged(jobs: Iterator[Job], workers: int) -> Iterator[list[PairRow]]:
    """Rows of one pair after another; a few pairs ahead of the reader at most."""
    if workers <= 1:
        yield from map(judge, jobs)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_begin) as pool:
        waiting: list[Future[list[PairRow]]] = []
        try:
            while True:
                waiting += [pool.submit(judge, job) for job in islice(jobs, 2 * workers - len(waiting))]
                if not waiting:
                    return
                yield waiting.pop(0).result()
        finally:
            pool.shutdown(cancel_futures=True)


def _begin() -> None:
    begin_worker()
    torch.set_num_threads(1)


@lru_cache(maxsize=8)
def _opened(folder: Path) -> Scorer:
    """On the CPU, where its figures do not depend on the machine's card."""
    return Scorer.open(open_package(folder), "cpu")


def judge(job: Job) -> list[PairRow]:
    """The rows of one job: one for each package."""
    phantom = make_phantom(job.seed, job.index)
    return [judged(phantom, _opened(folder), names) for folder, names in job.wanted]
