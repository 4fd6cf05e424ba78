"""GeoJSON from QuPath or anywhere else, taken in as annotations: what cannot be is told, and the rest goes on."""

import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from pydantic import ValidationError
from pydantic_core import from_json

from her2viewer.cases.annotation import COLOUR, Annotation, clean_name, new_id
from her2viewer.cases.field_score import FieldScore
from her2viewer.cases.shape import DECIMALS, MINIMUM_SIDE, Points, Shape, ShapeKind, mended
from her2viewer.errors import AnnotationError
from her2viewer.export.geojson import CLASS_PREFIX, OWN_KEY, OwnRecord, Transform, is_upright_ellipse
from her2viewer.export.json_file import read_json_bytes
from her2viewer.export.score_record import field_of, model_of

MOST_ANNOTATIONS: Final = 20_000
MOST_POINTS: Final = 2_000_000
_MOST_POLYGONS: Final = 100_000
"""Of any size and place: also what is left out takes its time."""

_FURTHEST: Final = 1e8
"""Level-0 pixels. No image is near it, and areas of it are still exact."""
_REMEDY: Final = "export it from QuPath as GeoJSON, a FeatureCollection"
_FEWER: Final = "export the annotations alone, without detections and cells, or those of one region"
_THROUGH: Final = 0.1
"""Level-0 pixels of the IHC that a corner may be off after the way to the H&E and back."""
_KNOWN: Final = frozenset(
    {
        "objectType",
        "object_type",
        "name",
        "color",
        "colorRGB",
        "classification",
        "isLocked",
        "metadata",
        "measurements",
        "childObjects",
    }
)

_Polygon = tuple[Points, tuple[Points, ...]]
"""An outline and its holes."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file held. `notes`: what was changed or left out, a sentence each, for the user."""

    annotations: tuple[Annotation, ...]
    notes: tuple[str, ...]


def read_geojson(
    path: Path | str,
    image_size: tuple[int, int],
    *,
    transform: Transform | None = None,
    he_to_ihc: Transform | None = None,
    image_sha256: str | None = None,
) -> Imported:
    """The areas of a GeoJSON file as annotations.

    image_size: (width, height) of the IHC image, to which they are cut; transform: from the image that the file is of to the
    IHC image; he_to_ihc: taken in its place where the file itself says that it is of the H&E; image_sha256: of the IHC file. A
    score is taken over where the file says it is of that very image and of the shape as it stands, else the shape comes without
    it. Raises AnnotationError where the file cannot be read, is no GeoJSON, or holds more than 20,000 areas or 2,000,000 points.
    """
    path = Path(path)
    data = read_json_bytes(path)
    try:
        return _read(data, _Reading(image_size, transform, image_sha256, he_to_ihc))
    except AnnotationError as error:
        raise AnnotationError(error.what, path=path, remedy=error.remedy) from error


def read_geojson_text(text: str, image_size: tuple[int, int], *, image_sha256: str | None = None) -> Imported:
    """The same of what `geojson_text` made. Raises AnnotationError."""
    return _read(text.encode(), _Reading(image_size, None, image_sha256, None))


def _read(data: bytes, reading: "_Reading") -> Imported:
    try:
        document = from_json(data)
    except ValueError as error:
        why = str(error).partition(" at line")[0]
        raise AnnotationError(f"it is not JSON ({why})", remedy=_REMEDY) from error
    reading.read(document)
    return Imported(tuple(reading.annotations), reading.notes())


class _NoNumbers(Exception):
    """Coordinates that are none."""


@dataclass(slots=True)
class _Reading:
    size: tuple[int, int]
    transform: Transform | None
    image_sha256: str | None
    he_to_ihc: Transform | None = None
    annotations: list[Annotation] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    foreign: Counter[str] = field(default_factory=Counter)
    ids: set[str] = field(default_factory=set)
    points: int = 0
    polygons: int = 0

    def read(self, document: Any) -> None:
        features = list(_features(document))
        if not features:
            raise AnnotationError("there is no GeoJSON feature in it", remedy=_REMEDY)
        if self.he_to_ihc is not None and any(_is_of_he(feature) for feature in features):
            self.counts["of the H&E"] += self.transform is None
            self.transform = self.he_to_ihc
        for feature in features:
            self._feature(feature)

    def _feature(self, feature: dict[str, Any]) -> None:
        properties = _mapping(feature.get("properties"))
        own = _own(properties)
        try:
            polygons = list(self._polygons(feature.get("geometry")))
        except _NoNumbers:
            self.counts["no numbers"] += 1
            return
        shapes: list[Shape] = []
        for polygon in polygons:
            shapes += self._shapes(polygon, feature, own)
            if len(self.annotations) + len(shapes) > MOST_ANNOTATIONS:
                raise AnnotationError(f"it holds more than {MOST_ANNOTATIONS:,} areas", remedy=_FEWER)
        if not shapes:
            return
        if properties.get("objectType") in ("detection", "cell", "tile"):
            self.counts["detections"] += 1
        self._count_foreign(properties, own)
        self.counts["came apart"] += len(shapes) > 1
        for number, shape in enumerate(shapes, start=1):
            self.annotations.append(self._annotation(shape, feature, own, number if len(shapes) > 1 else 0))

    def _polygons(self, geometry: Any) -> Iterator[_Polygon]:
        geometry = _mapping(geometry)
        coordinates = geometry.get("coordinates")
        match geometry.get("type"):
            case "Polygon":
                yield self._polygon(coordinates)
            case "MultiPolygon" if isinstance(coordinates, list):
                for rings in coordinates:
                    yield self._polygon(rings)
            case "GeometryCollection" if isinstance(geometry.get("geometries"), list):
                for one in geometry["geometries"]:
                    yield from self._polygons(one)
            case "Point" | "MultiPoint" | "LineString" | "MultiLineString":
                self.counts["no area"] += 1
            case _:
                self.counts["no geometry"] += 1

    def _polygon(self, rings: Any) -> _Polygon:
        if not isinstance(rings, list) or not rings:
            raise _NoNumbers
        self.polygons += 1
        if self.polygons > _MOST_POLYGONS:
            raise AnnotationError(f"it holds more than {_MOST_POLYGONS:,} polygons", remedy=_FEWER)
        outline, *holes = (self._ring(ring) for ring in rings)
        return outline, tuple(holes)

    def _ring(self, ring: Any) -> Points:
        """(n, 2) float64 in level-0 pixels of the IHC. A third number of a point, its height, is passed over."""
        try:
            found = np.array(ring if isinstance(ring, list) else [], np.float64)
        except (ValueError, TypeError, OverflowError):  # words, objects, points of unlike length
            raise _NoNumbers from None
        if found.ndim != 2 or not 2 <= found.shape[1] <= 4:
            raise _NoNumbers
        self.points += len(found)
        if self.points > MOST_POINTS:
            raise AnnotationError(f"it holds more than {MOST_POINTS:,} points", remedy=_FEWER)
        points: Points = found[:, :2]
        # NaN is not below either.
        if not (np.abs(points) < _FURTHEST).all():
            raise _NoNumbers
        if self.transform is not None:
            points = self.transform(points)
            if not (np.abs(points) < _FURTHEST).all():
                raise _NoNumbers
        return points

    def _shapes(self, polygon: _Polygon, feature: dict[str, Any], own: OwnRecord | None) -> list[Shape]:
        """The shapes that one polygon gives: none, one, or several where it crossed itself or the image's edge."""
        outline, holes = polygon
        is_ellipse = _mapping(feature.get("geometry")).get("isEllipse") is True
        try:
            shapes, was_mended = self._whole(outline, holes, is_ellipse, own)
        except AnnotationError:
            self.counts["tangled"] += 1
            return []
        self.counts["mended"] += was_mended
        inside = [part for shape in shapes for part in shape.clipped(self.size)]
        if not shapes:
            self.counts["small"] += 1
        elif not inside:
            self.counts["outside"] += 1
        else:
            self.counts["cut"] += inside != list(shapes)
        return inside

    def _whole(
        self, outline: Points, holes: tuple[Points, ...], is_ellipse: bool, own: OwnRecord | None
    ) -> tuple[tuple[Shape, ...], bool]:
        """Raises AnnotationError for a tangle."""
        kind = ShapeKind.POLYGON
        framed = _framed(own)
        if framed is not None and not holes and _is_drawn_by(outline, framed):
            return (framed,), False
        if own is not None and own.shape in (ShapeKind.POLYGON, ShapeKind.FREE_HAND):
            kind = own.shape
        elif not holes and len(outline):
            (x, y), (right, bottom) = outline.min(axis=0), outline.max(axis=0)
            if is_ellipse and is_upright_ellipse(outline):
                return _or_nothing(Shape.ellipse, x, y, right - x, bottom - y), False
            if _is_upright_rectangle(outline):
                return _or_nothing(Shape.rectangle, x, y, right - x, bottom - y), False
        return mended(outline, holes, kind)

    def _annotation(self, shape: Shape, feature: dict[str, Any], own: OwnRecord | None, number: int) -> Annotation:
        properties = _mapping(feature.get("properties"))
        told = _classification(properties)
        name = clean_name(properties["name"]) if isinstance(properties.get("name"), str) else ""
        if told.startswith(CLASS_PREFIX) and own is not None:
            told = clean_name(own.classification)
        return Annotation(
            shape=shape,
            name=f"{name} ({number})" if name and number else name,
            colour=_colour(properties),
            locked=properties.get("isLocked") is True,
            score=self._score(shape, own),
            classification=told,
            id=self._id(feature.get("id") if number <= 1 else None),
        )

    def _score(self, shape: Shape, own: OwnRecord | None) -> FieldScore | None:
        if own is None or own.score is None or own.model is None or own.field is None:
            return None
        scored, there = own.field, shape.bounds
        moved = max(
            abs(scored.x - there.x),
            abs(scored.y - there.y),
            abs(scored.width - there.width),
            abs(scored.height - there.height),
        )
        # Coordinates of the H&E were rounded there: a finer IHC makes more of that.
        allowed = 2 * 10**-DECIMALS if self.transform is None else _THROUGH
        if own.image is None or own.image != self.image_sha256 or moved > allowed:
            self.counts["scores"] += 1
            return None
        return own.score.field_score(field_of(own.field), model_of(own.model), own.alignment or "")

    def _id(self, told: Any) -> str:
        try:
            found = str(uuid.UUID(told)) if isinstance(told, str) else new_id()
        except ValueError:
            found = new_id()
        if found in self.ids:
            found = new_id()
        self.ids.add(found)
        return found

    def _count_foreign(self, properties: dict[str, Any], own: OwnRecord | None) -> None:
        for key in properties:
            if key not in _KNOWN or (key == "measurements" and own is None and properties[key]):
                self.foreign[clean_name(str(key))[:40] or "(no name)"] += 1

    def notes(self) -> tuple[str, ...]:
        """In the order of what matters most to who drew them."""
        told = [_note(count, one, many) for key, one, many in _NOTES if (count := self.counts[key])]
        if self.foreign:
            names = ", ".join(f"'{name}'" for name, _ in self.foreign.most_common(3))
            more = f" and {len(self.foreign) - 3:,} more" if len(self.foreign) > 3 else ""
            told.append(f"Other programs' values were not taken in: {names}{more}.")
        return tuple(told)


_NOTES: Final = (
    ("of the H&E", "The file says that it is in pixels of the H&E, and was taken so.", "{}"),
    ("no numbers", "One object was left out: its coordinates are no numbers.",
     "{} objects were left out: their coordinates are no numbers."),
    ("tangled", "One outline crosses itself too often to be mended, and was left out.",
     "{} outlines cross themselves too often to be mended, and were left out."),
    ("outside", "One area lies outside the image and was left out.", "{} areas lie outside the image and were left out."),
    ("small", f"One area is smaller than {MINIMUM_SIDE:.0f} pixels and was left out.",
     f"{{}} areas are smaller than {MINIMUM_SIDE:.0f} pixels and were left out."),
    ("no area", "One point or line was left out: only areas are annotations here.",
     "{} points and lines were left out: only areas are annotations here."),
    ("no geometry", "One object was left out: it has no geometry.", "{} objects were left out: they have no geometry."),
    ("mended", "One outline crossed itself and was mended: look at it.",
     "{} outlines crossed themselves and were mended: look at them."),
    ("cut", "One area was cut at the edge of the image.", "{} areas were cut at the edge of the image."),
    ("came apart", "One object has several parts; each is an annotation now.",
     "{} objects have several parts; each part is an annotation now."),
    ("scores", "One score was not taken over: it is of another image, or the field was moved since. Score it again.",
     "{} scores were not taken over: they are of another image, or the fields were moved since. Score them again."),
    ("detections", "One detection was taken in as an annotation.", "{} detections were taken in as annotations."),
)  # fmt: skip


def _or_nothing(make: Callable[[float, float, float, float], Shape], *frame: float) -> tuple[Shape, ...]:
    try:
        return (make(*frame),)
    except AnnotationError:  # too small
        return ()


def _note(count: int, one: str, many: str) -> str:
    return one if count == 1 else many.format(f"{count:,}")


def _features(document: Any) -> Iterator[dict[str, Any]]:
    """All features of a collection, a list of them, a feature or a bare geometry; QuPath's child objects after their parent."""
    waiting = [document]
    while waiting:
        found = waiting.pop()
        if isinstance(found, list):
            waiting.extend(reversed(found))
        elif isinstance(found, dict):
            if found.get("type") == "FeatureCollection":
                waiting.append(found.get("features"))
            elif found.get("type") == "Feature":
                yield found
                waiting.append(_mapping(found.get("properties")).get("childObjects"))
            elif "coordinates" in found or "geometries" in found:
                yield {"type": "Feature", "geometry": found}


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _own(properties: dict[str, Any]) -> OwnRecord | None:
    """What this app wrote, or None: also where somebody else changed it so that it no longer fits."""
    text = _mapping(properties.get("metadata")).get(OWN_KEY)
    if not isinstance(text, str):
        return None
    try:
        return OwnRecord.model_validate_json(text)
    except ValidationError:
        return None


def _is_of_he(feature: dict[str, Any]) -> bool:
    own = _own(_mapping(feature.get("properties")))
    return own is not None and own.stain == "he"


def _framed(own: OwnRecord | None) -> Shape | None:
    """The rectangle or ellipse that a file of the H&E holds turned, as it was."""
    if own is None or own.bounds is None:
        return None
    make = {ShapeKind.RECTANGLE: Shape.rectangle, ShapeKind.ELLIPSE: Shape.ellipse}.get(own.shape)
    bounds = own.bounds
    shapes = _or_nothing(make, bounds.x, bounds.y, bounds.width, bounds.height) if make is not None else ()
    return shapes[0] if shapes else None


def _is_drawn_by(outline: Points, shape: Shape) -> bool:
    """Whether an outline is that of a shape, corner for corner: nobody has moved it."""
    corners = shape.outline()
    ring = outline[:-1] if len(outline) > 1 and np.allclose(outline[0], outline[-1], atol=_THROUGH) else outline
    return len(ring) == len(corners) and bool(np.abs(ring - corners).max() < _THROUGH)


def _classification(properties: dict[str, Any]) -> str:
    found = properties.get("classification")
    if isinstance(found, str):
        return clean_name(found)
    told = _mapping(found)
    if isinstance(told.get("names"), list):  # a class after those that it derives from
        return clean_name(": ".join(name for name in told["names"] if isinstance(name, str)))
    return clean_name(told["name"]) if isinstance(told.get("name"), str) else ""


def _colour(properties: dict[str, Any]) -> str:
    """An object's own colour, else its class's; [r, g, b] or QuPath's older packed number."""
    told = _mapping(properties.get("classification"))
    for value in (properties.get("color"), told.get("color"), told.get("colorRGB")):
        if isinstance(value, int) and not isinstance(value, bool):
            return f"#{value & 0xFFFFFF:06x}"
        if isinstance(value, list) and len(value) >= 3 and all(type(v) is int and 0 <= v <= 255 for v in value[:3]):
            return f"#{bytes(value[:3]).hex()}"
    return COLOUR


def _is_upright_rectangle(ring: Points) -> bool:
    """True for the four corners of an upright rectangle, closed or not, in either direction."""
    corners = ring[:-1] if len(ring) == 5 and np.array_equal(ring[0], ring[4]) else ring
    if len(corners) != 4:
        return False
    sides = np.roll(corners, -1, axis=0) - corners
    upright = np.abs(sides) < 10**-DECIMALS / 2
    return bool((upright.sum(axis=1) == 1).all() and (upright[:, 0] != np.roll(upright[:, 0], 1)).all())
