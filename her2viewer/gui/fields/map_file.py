"""Score maps from a file, to be looked at whatever model or alignment made them."""

from pathlib import Path
from typing import Any

from pydantic_core import from_json

from her2viewer.cases.score_map import MapBasis, ScoreMap
from her2viewer.export.json_file import read_json_bytes
from her2viewer.export.score_map_file import read_score_map
from her2viewer.scoring.prediction import ModelIdentity
from her2viewer.scoring.stains import Stain


def read_any_map(path: Path) -> ScoreMap:
    """The map as its file has it. Whether a run can go on with it is asked when it is to go on. Raises AnnotationError."""
    return read_score_map(path, _basis_of(path))


def _basis_of(path: Path) -> MapBasis:
    """What a file says it is made of; nothing at all where it says nothing that can be understood."""
    try:
        document = from_json(read_json_bytes(path))
        model, images = document["model"], document["images"]
        identity = ModelIdentity(str(model["name"]), str(model["version"]), str(model["sha256"]))
        made_of = {stain: _text(images.get(stain.value)) for stain in Stain if stain.value in images}
        return MapBasis(made_of, identity, _text(document["alignment"]))
    except (ValueError, KeyError, TypeError, AttributeError):
        return MapBasis({}, ModelIdentity("", "", ""))  # `read_score_map` says what is wrong


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
