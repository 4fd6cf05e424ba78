"""What a worker of a cluster does: it says whether it can do the work, and scores the pairs of a task as this machine would.

One thread of a worker is one core: torch and OpenCV use no threads of their own beside it. The model is loaded once a
process, its threads share the weights, and it stays until another one is asked for.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from her2viewer import __version__
from her2viewer.batch.encode import EncodedRow
from her2viewer.batch.engines.order import Device, Item, ModelPlace, Order
from her2viewer.batch.engines.stream import Answer
from her2viewer.batch.row import BatchRow
from her2viewer.cases.pair import Pair
from her2viewer.errors import ClusterError, PackageError
from her2viewer.scoring.field_scorer import Precision

if TYPE_CHECKING:
    from her2viewer.scoring.scorer import Scorer


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a pair: its row with its files, or None where the row that is kept still stands.

    `unseen`: names of its files that this machine does not find.
    """

    encoded: EncodedRow | None
    unseen: tuple[str, ...] = ()


def examine(app_version: str, folder: str | None, fingerprint: str, seen: str | None) -> str | None:
    """Why this worker cannot do the work, or None. seen: a file that it must see.

    Takes and gives plain words, so that workers of other versions understand it.
    """
    if app_version != __version__:
        return f"has HER2 Viewer {__version__}, and this machine {app_version}"
    try:
        ModelPlace(folder, fingerprint).open()
    except PackageError as error:
        return f"does not have the model ({error.what})"
    if seen is not None and not Path(seen).is_file():
        return f"does not see {Path(seen).name} under the path that this machine names it by"
    return None


def score_items(order: Order, items: Sequence[Item]) -> Answer[Outcome]:
    """A task: the pairs read, scored and encoded by the same run as on one machine. Raises ClusterError, PackageError."""
    from her2viewer.batch.run import run_batch

    started = time.perf_counter()
    if order.app_version != __version__:
        raise ClusterError(
            f"a worker has HER2 Viewer {__version__}, and this machine {order.app_version}",
            remedy="install the same version everywhere, then the same command with --resume goes on",
        )
    sheet = _Sheet(items)
    with _scorer(order) as scorer:
        run_batch([item.pair for item in items], scorer, order.options, writer=sheet, cores=1)
        notices = scorer.notices
    return Answer(tuple(sheet.outcomes), time.perf_counter() - started, notices)


class _Sheet:
    """Takes the rows of a task down, where a run on one machine writes them into a folder."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._kept = {id(item.pair): item.kept for item in items}
        self.outcomes: list[Outcome] = []

    def finished(self, pair: Pair) -> BatchRow | None:
        from her2viewer.batch.writer import hashes

        kept = self._kept[id(pair)]
        try:
            same = kept is not None and hashes(pair) == kept
        except OSError:  # opening the pair will say it better
            return None
        return BatchRow(pair, None, None, 0.0, resumed=True) if same else None

    def add(self, encoded: EncodedRow) -> BatchRow:
        row = encoded.row
        files = (row.pair.he, row.pair.ihc) if row.error is not None else ()
        unseen = tuple(path.name for path in files if path is not None and not path.is_file())
        self.outcomes.append(Outcome(None if row.resumed else encoded, unseen))
        return row

    def close(self) -> tuple[Path, ...]:
        return ()


_lock = threading.Lock()
_loaded: tuple[ModelPlace, Device, Precision] | None = None
_model: "Scorer | None" = None
_idle: list["Scorer"] = []


@contextmanager
def _scorer(order: Order) -> Iterator["Scorer"]:
    """A scorer that no other thread of this process uses. Raises PackageError."""
    wanted = (order.model, order.device, order.precision)
    with _lock:
        scorer = _taken(wanted)
    try:
        yield scorer
    finally:
        with _lock:
            if _loaded == wanted:
                _idle.append(scorer)


def _taken(wanted: tuple[ModelPlace, Device, Precision]) -> "Scorer":
    """With the lock held, so that the weights are read once."""
    global _loaded, _model
    from her2viewer.scoring.scorer import Scorer

    place, device, precision = wanted
    if _model is None or _loaded != wanted:
        _idle.clear()
        _loaded, _model = None, None
        _one_thread_each()
        _model = Scorer.open(place.open(), device, precision)
        _loaded = wanted
        return _model
    return _idle.pop() if _idle else _model.twin()


def _one_thread_each() -> None:
    import cv2
    import torch

    torch.set_num_threads(1)
    cv2.setNumThreads(1)
