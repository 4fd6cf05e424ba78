"""The evidence of the score on screen, made step by step: what runs in which lane is the room's affair."""

import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from her2viewer.batch.names import ARRAYS, file_stem
from her2viewer.cases.log import Entry
from her2viewer.cases.pair import Pair
from her2viewer.errors import ExportError
from her2viewer.export.bundle import Bundle, make_bundle, write_bundle
from her2viewer.export.explanation import ExplanationDocument, save_arrays
from her2viewer.export.picture_file import png
from her2viewer.export.results import json_text
from her2viewer.gui.controllers.exporting import Exportable, document_of, named, picture_of, pixels_of
from her2viewer.scoring.evidence import FieldPixels
from her2viewer.scoring.explanation import Explanation, explain
from her2viewer.scoring.field_scorer import FieldScorer
from her2viewer.scoring.methods import METHODS, STAGE_SHOWN_FIRST, MapRequest
from her2viewer.scoring.package import ModelPackage
from her2viewer.scoring.stains import Stain


@dataclass(frozen=True, slots=True)
class EvidenceWish:
    """Where to, and whether the case and its files keep their names."""

    path: Path
    no_names: bool


@dataclass(frozen=True, eq=False, slots=True)
class Questioned:
    """What the evidence is made of: the score under the names that it may carry, its pixels, and what questions it."""

    shown: Exportable
    pair: Pair
    pixels: FieldPixels
    explanation: Explanation
    package: ModelPackage


@dataclass(frozen=True, slots=True)
class Written:
    """A bundle on the disk: its head, and the SHA-256 of its file."""

    path: Path
    case_id: str
    head: str
    sha256: str


def read(shown: Exportable, no_names: bool) -> tuple[Exportable, Pair, FieldPixels]:
    """In the files lane: the pixels that were scored, and the names. Raises UserError."""
    shown, pair = named(shown, no_names)
    return shown, pair, pixels_of(shown)


def question(
    found: tuple[Exportable, Pair, FieldPixels], scorer: FieldScorer, package: ModelPackage, cancelled: Callable[[], bool]
) -> Questioned:
    """In the inference lane: all that questions the score, as `score --explain` has it. Raises UserError, Cancelled."""
    shown, pair, pixels = found
    prediction = shown.evidence.prediction
    if package.manifest.weights.sha256 != prediction.model.sha256:
        raise ExportError("the score is of another model than the one that is loaded", remedy="score it again (S)")
    drawn = shown.attribution
    request = MapRequest(prediction.score, STAGE_SHOWN_FIRST) if drawn is None else drawn.request
    if METHODS[request.method].slow:  # minutes, for all its maps; what is on screen was computed once
        request = MapRequest(request.target, STAGE_SHOWN_FIRST)
    mpp = shown.scales.get(Stain.IHC)
    explanation = explain(scorer, pixels, shown.evidence, request, mpp=mpp, cancelled=cancelled)
    evidence = replace(shown.evidence, prediction=replace(prediction, no_call=explanation.no_call))
    return Questioned(replace(shown, evidence=evidence), pair, pixels, explanation, package)


def write(made: Questioned, path: Path, log: tuple[Entry, ...]) -> Written:
    """In the files lane: draws, packs and writes. Raises ExportError."""
    bundle = bundle_of(made, log)
    return Written(path, made.pair.case_id, bundle.head, write_bundle(path, bundle))


def bundle_of(made: Questioned, log: tuple[Entry, ...]) -> Bundle:
    """The bundle, before it is written."""
    stem = file_stem(made.pair.case_id)
    result, arrays = document_of(made.shown, made.pair), io.BytesIO()
    save_arrays(arrays, made.explanation)
    picture, um = picture_of(made.shown, made.pixels, made.pair, tuple(Stain), made.explanation.maps[0])
    return make_bundle(
        stem,
        made.package,
        json_text(result).encode(),
        explanation=ExplanationDocument.of(made.explanation, result, stem + ARRAYS).text.encode(),
        maps=arrays.getvalue(),
        overlay=png(picture, um),
        log=log,
    )
