"""One pair of a batch: a result or an error in words, and the steps that lead there."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from her2viewer.batch.faults import Fault, attempt
from her2viewer.batch.options import BatchOptions
from her2viewer.cases.case import OpenedPair, open_pair
from her2viewer.cases.field import read_whole
from her2viewer.cases.pair import Pair
from her2viewer.errors import UserError
from her2viewer.export.results import ResultDocument, result_document
from her2viewer.imaging.alignment import Alignment
from her2viewer.imaging.registration.automatic import register
from her2viewer.scoring.attribution.attribution import Attribution
from her2viewer.scoring.evidence import Evidence, FieldPixels
from her2viewer.scoring.explanation import Explanation, explain
from her2viewer.scoring.field_scorer import FieldScorer
from her2viewer.scoring.watching import never

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
    `resumed` says that the result was found in the folder and not scored again. `explanation`, where it was asked for, is
    there until the row is written.
    """

    pair: Pair
    result: ResultDocument | None
    error: str | None
    seconds: float
    files: tuple[Path, ...] = ()
    resumed: bool = False
    drawing: Drawing | None = field(default=None, repr=False, compare=False)
    explanation: Explanation | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, eq=False, slots=True)
class ReadPair:
    """A pair whose pixels are in memory; its images are closed. `alignment`: what the registration found, None without one."""

    pair: Pair
    images: OpenedPair
    pixels: FieldPixels
    seconds: float
    alignment: Alignment | None = None


def score_pair(pair: Pair, scorer: FieldScorer, options: BatchOptions) -> BatchRow:
    """Reads and scores one pair, in the caller's thread. Never raises: what goes wrong is the row's `error`."""

    def work() -> BatchRow:
        read = read_pair(pair, align=options.align)
        return scored_row(read, scorer.score(read.pixels), scorer, options)

    return guarded(pair, work)


def read_pair(pair: Pair, *, align: bool = False) -> ReadPair:
    """Both images, whole; with `align` the H&E as it lies on the IHC, where the two are found to match. Raises UserError."""
    started = time.perf_counter()
    with open_pair(pair.he, pair.ihc) as images:
        alignment = register(images.he, images.ihc) if align and pair.he is not None else None
        pixels = read_whole(images, None if alignment is None or alignment.poor else alignment)
    return ReadPair(pair, images, pixels, time.perf_counter() - started, alignment)


def scored_row(
    read: ReadPair,
    evidence: Evidence,
    scorer: FieldScorer,
    options: BatchOptions,
    cancelled: Callable[[], bool] = never,
) -> BatchRow:
    """The row of a scored pair, with its map where pictures are wanted and its explanation where that is. Uses the scorer.

    Raises Cancelled.
    """
    prediction, explanation = evidence.prediction, None
    request = options.request(prediction.score)
    if options.explain:
        mpp = read.images.ihc.mpp
        explanation = explain(scorer, read.pixels, evidence, request, mpp=mpp, cancelled=cancelled)
        prediction = replace(prediction, no_call=explanation.no_call)
        evidence = replace(evidence, prediction=prediction)
    result = result_document(
        read.pair.case_id,
        read.images.sources,
        prediction,
        label=read.pair.label,
        root=options.root,
        notices=scorer.notices,
        alignment=read.alignment,
        names=dict(read.pair.names),
    )
    drawing = None
    if options.overlay:
        attribution = scorer.attribution(evidence, request) if explanation is None else explanation.maps[0]
        drawing = Drawing(read.images, read.pixels, evidence, attribution, scorer.fixed_peak(request))
    seconds = read.seconds + prediction.seconds
    return BatchRow(read.pair, result, None, seconds, drawing=drawing, explanation=explanation)


def guarded(
    pair: Pair, work: Callable[[], _Result], *, raising: tuple[type[UserError], ...] = ()
) -> _Result | BatchRow:
    """What `work` returns, or the row that says what went wrong with this pair; `raising` are errors of the whole run."""
    started = time.perf_counter()
    found = attempt(work, one="pair", name=pair.case_id, raising=raising)
    if isinstance(found, Fault):
        return BatchRow(pair, None, pair.in_other_words(found.words), time.perf_counter() - started)
    return found


def written(row: BatchRow, files: tuple[Path, ...]) -> BatchRow:
    """The row after its files were written: it lets go of the pixels."""
    return replace(row, files=files, drawing=None, explanation=None)
