"""Annotations as GeoJSON that QuPath opens and writes (0.5 and later).

What QuPath reads and writes was taken from its source: `qupath.lib.io.QuPathTypeAdapters` (a feature's `id` is a UUID;
`properties` hold `objectType`, `name`, `color` [r, g, b], `classification`, `isLocked`, `measurements` and `metadata`, a map of
strings; since 0.4 `measurements` is a map {name: value}, before it was a list of {name, value}: both are read) and
`qupath.lib.io.ROITypeAdapters` (coordinates to two decimals; an ellipse is a polygon whose geometry is marked `isEllipse`
and comes back from its frame). Coordinates are pixels of the full image from its upper left corner, as ours are
(QuPath's documentation, "Exporting annotations").

This file writes; `geojson_reading` reads.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import numpy as np
from pydantic import Field
from pydantic_core import to_json

from her2viewer import RESEARCH_USE, __version__
from her2viewer.cases.annotation import Annotation
from her2viewer.cases.field_score import FieldScore
from her2viewer.cases.score_map import NOT_A_CASE_SCORE, ScoreMap
from her2viewer.cases.shape import DECIMALS, Points, Shape, ShapeKind
from her2viewer.export.files import write_atomic
from her2viewer.export.places import without_places
from her2viewer.export.results import FieldRecord, ModelRecord, Section, Sha256
from her2viewer.export.score_colour import score_hex
from her2viewer.export.score_record import ScoreRecord, field_record, model_record

ObjectType = Literal["annotation", "tile"]
Transform = Callable[[Points], Points]
"""(n, 2) float64 level-0 pixels of one image to those of another."""

OWN_KEY: Final = "_her2viewer"
"""Of the metadata that only this app reads back."""
CLASS_PREFIX: Final = "HER2 "
SCHEMA: Final = "her2viewer.annotations/1"


class OwnRecord(Section):
    """What QuPath has no word for, kept in an annotation's metadata. `image`: SHA-256 of the IHC file that was scored;
    `alignment`: the name of the alignment that the H&E was read through, left out for the assumed one. `stain`: 'he' where the
    coordinates are pixels of the H&E; `bounds` is then the frame of a rectangle or ellipse in pixels of the IHC.
    """

    shape: ShapeKind
    classification: Annotated[str, Field(max_length=200)] = ""
    image: Sha256 | None = None
    field: FieldRecord | None = None
    model: ModelRecord | None = None
    score: ScoreRecord | None = None
    alignment: Annotated[str, Field(max_length=200)] | None = None
    stain: Literal["he"] | None = None
    bounds: FieldRecord | None = None


def write_geojson(
    path: Path | str,
    annotations: Iterable[Annotation],
    *,
    transform: Transform | None = None,
    image_sha256: str | None = None,
    object_type: ObjectType = "annotation",
    outdated: Callable[[FieldScore], str] = lambda _: "",
) -> None:
    """Writes the annotations, whole or not at all. Raises ExportError.

    transform: from the IHC image to the H&E, where the file is to be for that one, corner by corner; an ellipse that it turns
    becomes a polygon. image_sha256: of the IHC file; without it scores are there for QuPath to show, but are not read back.
    outdated: why a score is outdated, in a sentence, or empty; such a one has a class of its own.
    """
    text = geojson_text(
        annotations, transform=transform, image_sha256=image_sha256, object_type=object_type, outdated=outdated
    )
    with write_atomic(path) as file:
        file.write(text.encode())


def geojson_text(
    annotations: Iterable[Annotation],
    *,
    transform: Transform | None = None,
    image_sha256: str | None = None,
    object_type: ObjectType = "annotation",
    outdated: Callable[[FieldScore], str] = lambda _: "",
) -> str:
    """What `write_geojson` writes."""
    features = [_feature(one, transform, image_sha256, object_type, outdated) for one in annotations]
    collection = {
        "type": "FeatureCollection",
        "her2viewer": {
            "schema": SCHEMA,
            "app_version": __version__,
            "notice": f"{RESEARCH_USE} {NOT_A_CASE_SCORE}",
            "pixels_of": "IHC" if transform is None else "H&E",
        },
        "features": features,
    }
    return to_json(collection).decode()


def map_annotations(score_map: ScoreMap, threshold: float = 0.0) -> list[Annotation]:
    """The cells of a map that count, as annotations to be written; best as 'tile', which QuPath draws fast."""
    found = []
    for index in score_map.counted(threshold):
        cell, score = score_map.cells[index], score_map.score(index)
        assert score is not None
        colour = score_hex(score.classes.index(score.score), len(score.classes))
        name = f"Row {cell.row + 1}, column {cell.column + 1}"
        found.append(Annotation(Shape.of_field(cell.field), name, colour, score=score))
    return found


def is_upright_ellipse(ring: Points) -> bool:
    """True where points lie on the ellipse within their upright frame, to 2% of its half axes.

    QuPath draws an ellipse by Bezier curves, which stay within 0.03%.
    """
    low, high = ring.min(axis=0), ring.max(axis=0)
    half = (high - low) / 2
    if len(ring) < 8 or half.min() <= 0:
        return False
    radius = np.hypot(*((ring - (low + high) / 2) / half).T)
    return bool(np.abs(radius - 1).max() < 0.02)


def _feature(
    annotation: Annotation,
    transform: Transform | None,
    image_sha256: str | None,
    object_type: ObjectType,
    outdated: Callable[[FieldScore], str],
) -> dict[str, Any]:
    properties: dict[str, Any] = {"objectType": object_type}
    if annotation.name:
        properties["name"] = annotation.name
    properties["color"] = _rgb(annotation.colour)
    properties["isLocked"] = annotation.locked
    metadata: dict[str, str] = {}
    score = annotation.score
    if score is not None:
        colour = score_hex(score.classes.index(score.score), len(score.classes))
        why = outdated(score)
        told = f"{CLASS_PREFIX}{score.score}{' (outdated)' if why else ''}"
        properties["classification"] = {"name": told, "color": _rgb(colour)}
        properties["measurements"] = {
            f"p_{name}": p for name, p in zip(score.classes, score.probabilities, strict=True)
        }
        metadata |= _told(score) | ({"HER2 outdated": why} if why else {})
    elif annotation.classification:
        properties["classification"] = {"name": annotation.classification, "color": _rgb(annotation.colour)}
    properties["metadata"] = metadata | {
        OWN_KEY: _own(annotation, image_sha256, of_he=transform is not None).model_dump_json(exclude_none=True)
    }
    return {
        "type": "Feature",
        "id": annotation.id,
        "geometry": _geometry(annotation.shape, transform),
        "properties": properties,
    }


def _geometry(shape: Shape, transform: Transform | None) -> dict[str, Any]:
    rings = shape.rings if transform is None else tuple(transform(ring) for ring in shape.rings)
    geometry: dict[str, Any] = {
        "type": "Polygon",
        # A ring ends where it began (RFC 7946, 3.1.6).
        "coordinates": [np.round(np.concatenate([ring, ring[:1]]), DECIMALS).tolist() for ring in rings],
    }
    if shape.kind is ShapeKind.ELLIPSE and is_upright_ellipse(rings[0]):
        geometry["isEllipse"] = True
    return geometry


def _told(score: FieldScore) -> dict[str, str]:
    """The score's circumstances in words, for QuPath's table."""
    told = {
        "HER2 model": str(score.model),
        "HER2 prediction set": ", ".join(score.prediction_set),
        "HER2 no call": score.no_call or "",
        "HER2 warnings": " ".join(score.warnings),
        "HER2 caution": score.caution,
    }
    return {key: without_places(words) for key, words in told.items() if words}


def _own(annotation: Annotation, image_sha256: str | None, *, of_he: bool) -> OwnRecord:
    score, shape = annotation.score, annotation.shape
    framed = of_he and shape.kind in (ShapeKind.RECTANGLE, ShapeKind.ELLIPSE)
    return OwnRecord(
        shape=annotation.shape.kind,
        classification=annotation.classification,
        image=image_sha256,
        field=None if score is None else field_record(score.field),
        model=None if score is None else model_record(score.model),
        score=None if score is None else ScoreRecord.of(score),
        alignment=(score.alignment or None) if score is not None else None,
        stain="he" if of_he else None,
        bounds=field_record(shape.bounds) if framed else None,
    )


def _rgb(colour: str) -> list[int]:
    return list(bytes.fromhex(colour.removeprefix("#")))
