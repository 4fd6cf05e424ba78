"""One pair of a batch: a result or an error in words, and the steps that lead there."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from her2viewer.batch.faults import Fault, attempt
from her2viewer.batch.options import BatchOptions
from her2viewer.cases.case import OpenedPair, open_pair
from her2viewer.cases.pair import Pair
from her2viewer.errors import UserError
from her2viewer.export.results import ResultDocument, result_document
from her2viewer.scoring.evidence import Attribution, Evidence, FieldPixels, FieldScorer

_Result = TypeVar("_Result")


@dataclass(frozen=True, eq=False, slots=True)
class Drawing:
    """What the annotated picture of a pair is made of. The images are closed, but what they say of themselves stands."""

    images: OpenedPair
    pixels: FieldPixels
    evidence: Evidence
    attribution: Attribution
    fixed_peak: float | None


@dataclass(frozen=True, slots=True)
class BatchRow:
    """One pair after the work: `result`, or `error` in one sentence, never both.

    `seconds`: reading and scoring. `drawing` is there until the row is written. `files` are what was written for the pair;
    `resumed` says that the result was found in the folder and not scored again.
    """

    pair: Pair
    result: ResultDocument | None
    error: str | None
    seconds: float
    files: tuple[Path, ...] = ()
    resumed: bool = False
    drawing: Drawing | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, eq=False, slots=True)
class ReadPair:
    """A pair whose pixels are in memory; its images are closed."""

    pair: Pair
    images: OpenedPair
    pixels: FieldPixels
    seconds: float


def score_pair(pair: Pair, scorer: FieldScorer, options: BatchOptions) -> BatchRow:
    """Reads and scores one pair, in the caller's thread. Never raises: what goes wrong is the row's `error`."""

    def work() -> BatchRow:
        read = read_pair(pair)
        return scored_row(read, scorer.score(read.pixels), scorer, options)

    return guarded(pair, work)


def read_pair(pair: Pair) -> ReadPair:
    """Both images, whole. Raises UserError."""
    started = time.perf_counter()
    with open_pair(pair.he, pair.ihc) as images:
        pixels = images.read()
    return ReadPair(pair, images, pixels, time.perf_counter() - started)


def scored_row(read: ReadPair, evidence: Evidence, scorer: FieldScorer, options: BatchOptions) -> BatchRow:
    """The row of a scored pair, with its map where pictures are wanted. Uses the scorer."""
    prediction = evidence.prediction
    result = result_document(
        read.pair.case_id,
        read.images.sources,
        prediction,
        label=read.pair.label,
        root=options.root,
        notices=scorer.notices,
    )
    drawing = None
    if options.overlay:
        request = options.request(prediction.score)
        attribution = scorer.attribution(evidence, request)
        drawing = Drawing(read.images, read.pixels, evidence, attribution, scorer.fixed_peak(request))
    return BatchRow(read.pair, result, None, read.seconds + prediction.seconds, drawing=drawing)


def guarded(
    pair: Pair, work: Callable[[], _Result], *, raising: tuple[type[UserError], ...] = ()
) -> _Result | BatchRow:
    """What `work` returns, or the row that says what went wrong with this pair; `raising` are errors of the whole run."""
    started = time.perf_counter()
    found = attempt(work, one="pair", name=pair.case_id, raising=raising)
    if isinstance(found, Fault):
        return BatchRow(pair, None, found.words, time.perf_counter() - started)
    return found


def written(row: BatchRow, files: tuple[Path, ...]) -> BatchRow:
    """The row after its files were written: it lets go of the pixels."""
    return replace(row, files=files, drawing=None)
