"""A folder of results, read again: its rows one after the other, and all that stands there of one case."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from pydantic import ValidationError

from her2viewer.batch.names import LIST, file_stem
from her2viewer.errors import ExportError, PackageError, UserError
from her2viewer.export.explanation import ExplanationDocument
from her2viewer.export.legend_record import PictureRecord
from her2viewer.export.picture_file import read_note
from her2viewer.export.places import is_placeless, without_places
from her2viewer.export.report.case import RGB, CaseContents, CasePictures, ReadersScore
from her2viewer.export.report.study import StudyContents, StudyRow
from her2viewer.export.results import ImageRecord, ResultDocument
from her2viewer.export.table import CSVRow, csv_row, failed_row
from her2viewer.imaging.opening import open_image
from her2viewer.imaging.thumbnail import thumbnail
from her2viewer.scoring.package import ModelManifest, bundled_packages, open_package
from her2viewer.scoring.stains import Stain

LARGEST: Final = 1200
"""Pixels of the longer side of what a report shows of an image."""


@dataclass(frozen=True, slots=True)
class FailedRow:
    """A pair that could not be scored, as the list of results has it."""

    case_id: str
    label: str | None
    error: str
    he: str | None = None
    ihc: str | None = None


@dataclass(frozen=True, slots=True)
class ResultsFolder:
    """Results as a batch left them. images: the folder that was scored, where the pictures are to be shown without their map."""

    path: Path
    images: Path | None = None

    def rows(self) -> Iterator[ResultDocument | FailedRow]:
        """Every row of results.json in its order, one at a time in memory beside the text. Raises ExportError."""
        for number, found in enumerate(_objects(self.path / LIST), 1):
            if "error" in found:
                yield _failed(found, number)
                continue
            try:
                yield ResultDocument.model_validate(found)
            except ValidationError as error:
                raise ExportError(
                    f"row {number} is not a result of this app",
                    path=self.path / LIST,
                    remedy="score the folder again, or report on an untouched copy",
                ) from error

    def study_rows(self) -> Iterator[StudyRow]:
        """The rows as a study's report takes them. Raises ExportError."""
        for row in self.rows():
            if isinstance(row, FailedRow):
                yield StudyRow.failed(row.case_id, row.error, row.label)
            else:
                yield StudyRow.of(row)

    def table_rows(self) -> Iterator[CSVRow]:
        """The rows as the CSV and the Parquet file have them. Raises ExportError."""
        for row in self.rows():
            if isinstance(row, FailedRow):
                yield failed_row(row.case_id, row.he, row.ihc, row.error, label=row.label, root=Path())
            else:
                yield csv_row(row)

    def study(self, model: Path | None = None, left_out: Sequence[tuple[str, str]] = ()) -> StudyContents:
        """What a study's report is made of. model: the package that scored, for its card; without it one that ships.

        left_out: files that made no pair, and why, which no results folder knows. Raises ExportError, PackageError.
        """
        rows = tuple(self.study_rows())
        contents = StudyContents(rows, look=self.picture, left_out=tuple(left_out))
        spoke = contents.models
        manifest = manifest_of(spoke[-1].sha256, model) if spoke else None
        return replace(contents, model=manifest, how=self._how(contents))

    def _how(self, contents: StudyContents) -> str:
        """The command that makes such results, as far as they tell."""
        words = ["her2viewer score PAIRS --out RESULTS"]
        words += ["--overlay"] if any(self.path.glob("*_overlay.png")) else []
        words += ["--explain"] if any(self.path.glob("*_explanation.json")) else []
        words += ["--align"] if any(row.aligned for row in contents.rows) else []
        shipped = {open_package(place).manifest.weights.sha256 for place in bundled_packages()}
        words += ["--model PACKAGE"] if any(model.sha256 not in shipped for model in contents.models) else []
        return " ".join(words)

    def picture(self, case_id: str) -> RGB | None:
        """The tissue of a case with its map, both stains side by side, as the annotated picture shows it; None without one."""
        found = self._annotated(case_id)
        if found is None:
            return None
        whole, record = found
        if record is None:
            return whole
        parts = [_cut(whole, record, stain) for stain in Stain if stain in record.tissue]
        tall = min(part.shape[0] for part in parts)
        shrunk = [_at_height(part, tall) for part in parts]
        between = np.full((tall, max(2, tall // 60), 3), 255, np.uint8)
        return np.hstack([shrunk[0], *(one for part in shrunk[1:] for one in (between, part))])

    def cases(self, case_ids: Sequence[str]) -> list[ResultDocument]:
        """The results of these cases, in this order. Raises ExportError where one is not there, or was not scored."""
        wanted: dict[str, ResultDocument | FailedRow | None] = dict.fromkeys(case_ids)
        for row in self.rows():
            if row.case_id in wanted:
                wanted[row.case_id] = row
        found = []
        for case_id, kept in wanted.items():
            if kept is None:
                raise ExportError(
                    f"there is no case {case_id!r} in these results",
                    path=self.path.resolve(),
                    remedy="take the name from the column case_id of the table",
                )
            if isinstance(kept, FailedRow):
                raise ExportError(
                    f"the case {case_id!r} was not scored ({kept.error.rstrip('.')})",
                    path=self.path.resolve(),
                    remedy="mend what it says and score the pair again",
                )
            found.append(kept)
        return found

    def contents(
        self, result: ResultDocument, model: ModelManifest | None = None, reader: ReadersScore | None = None
    ) -> CaseContents:
        """All that there is of a case: pictures, explanation, and what was handed in."""
        contents = CaseContents(result, self._pictures(result), reader=reader, model=model)
        explanation = self._explanation(result)
        return contents if explanation is None else contents.explained_by(explanation)

    def _explanation(self, result: ResultDocument) -> ExplanationDocument | None:
        path = self.path / f"{file_stem(result.case_id)}_explanation.json"
        try:
            found = ExplanationDocument.model_validate_json(path.read_bytes())
        except (OSError, ValidationError):
            return None
        return found if found.model == result.model and found.score == result.score else None

    def _pictures(self, result: ResultDocument) -> CasePictures:
        found = self._annotated(result.case_id)
        plain, um = self._plain(result)
        if found is None:
            return CasePictures(plain, um=um)
        whole, record = found
        if record is None:
            return CasePictures(whole=whole)
        overlaid = {stain: _cut(whole, record, stain) for stain in record.tissue}
        if record.legend is None:  # an annotated picture without a map is the tissue as it is
            return CasePictures(overlaid, um=_scales(result, overlaid))
        return CasePictures(plain, overlaid, _scales(result, overlaid), record.legend)

    def _annotated(self, case_id: str) -> tuple[RGB, PictureRecord | None] | None:
        path = self.path / f"{file_stem(case_id)}_overlay.png"
        if not path.is_file():
            return None
        try:
            whole, note = read_note(path)
        except ExportError:
            return None
        record = PictureRecord.read(note) if note else None
        height, width = whole.shape[:2]
        boxes = [] if record is None else record.tissue.values()
        fits = all(box.x + box.width <= width and box.y + box.height <= height for box in boxes)
        return whole, record if fits else None

    def _plain(self, result: ResultDocument) -> tuple[Mapping[Stain, RGB], Mapping[Stain, float | None]]:
        """The images themselves, where they are at hand and the very ones that were scored, whole and not turned."""
        shown: dict[Stain, RGB] = {}
        if self.images is None:
            return shown, {}
        for stain in Stain:
            image: ImageRecord | None = getattr(result.images, stain)
            scored = result.field.get(stain)
            if image is None or scored is None or scored.frame is not None:
                continue
            if (scored.x, scored.y, scored.width, scored.height) != (0, 0, image.width, image.height):
                continue
            path = self.images / image.file
            try:
                with path.open("rb") as file:
                    same = hashlib.file_digest(file, "sha256").hexdigest() == image.sha256
                if same:
                    with open_image(path) as source:
                        shown[stain] = thumbnail(source, LARGEST)
            except (OSError, UserError):
                continue
        return shown, _scales(result, shown)


def _failed(found: Mapping[str, Any], number: int) -> FailedRow:
    label, images = found.get("label"), found.get("images")
    files: dict[str, str | None] = {"he": None, "ihc": None}
    for stain in files:
        image = images.get(stain) if isinstance(images, dict) else None
        file = image.get("file") if isinstance(image, dict) else None
        files[stain] = file if isinstance(file, str) and is_placeless(file) else None
    return FailedRow(
        str(found.get("case_id", f"row {number}")),
        None if label is None else str(label),
        without_places(str(found["error"])),
        **files,
    )


def manifest_of(sha256: str, folder: Path | None = None) -> ModelManifest | None:
    """The manifest of the package with these weights: of `folder`, or of one that ships; None where it is not at hand.

    Raises PackageError where `folder` is no package, or that of another model.
    """
    if folder is not None:
        manifest = open_package(folder).manifest
        if manifest.weights.sha256 != sha256:
            raise PackageError(
                "these results are of another model (the SHA-256 of its weights differs)",
                path=folder,
                remedy="name the package that scored them",
            )
        return manifest
    for place in bundled_packages():
        manifest = open_package(place).manifest
        if manifest.weights.sha256 == sha256:
            return manifest
    return None


def _objects(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a JSON list, parsed one at a time: the list of a large study is ten times its text once parsed."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise ExportError(
            f"there are no results in this folder ({LIST} is missing)",
            path=path.parent.resolve(),
            remedy="name a folder that 'her2viewer score' or the batch dialog wrote",
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ExportError("it cannot be read", path=path, remedy="check the file and its drive") from error
    damaged = ExportError(
        "this is not a list of results",
        path=path,
        remedy=f"delete it and score the folder again with --resume, which writes {LIST} anew",
    )
    decoder, at = json.JSONDecoder(), _after(text, 0)
    if text[at : at + 1] != "[":
        raise damaged
    at = _after(text, at + 1)
    while text[at : at + 1] not in ("]", ""):
        try:
            found, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            raise damaged from error
        if not isinstance(found, dict):
            raise damaged
        yield found
        at = _after(text, at)
        if text[at : at + 1] == ",":
            at = _after(text, at + 1)
    if at >= len(text):
        raise damaged


def _after(text: str, at: int) -> int:
    """The next place that holds no white space."""
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at


def _cut(whole: RGB, record: PictureRecord, stain: Stain) -> RGB:
    box = record.tissue[stain]
    return whole[box.y : box.y + box.height, box.x : box.x + box.width]


def _at_height(picture: RGB, height: int) -> RGB:
    if picture.shape[0] == height:
        return picture
    width = max(1, round(picture.shape[1] * height / picture.shape[0]))
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _scales(result: ResultDocument, pictures: Mapping[Stain, RGB]) -> dict[Stain, float | None]:
    """Micrometres per pixel of pictures that span the scored field."""
    found: dict[Stain, float | None] = {}
    for stain, picture in pictures.items():
        image: ImageRecord | None = getattr(result.images, stain)
        scored = result.field.get(stain)
        # A frame turns and stretches: then the other image's scale holds, in whose plane the field lies.
        if scored is not None and scored.frame is not None:
            image = result.images.ihc
        known = image is not None and image.mpp is not None and scored is not None
        found[stain] = image.mpp * scored.width / picture.shape[1] if known else None  # type: ignore[union-attr, operator]
    return found
