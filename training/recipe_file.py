"""A recipe file: one small TOML file per experiment, with the settings of the fit and the words of the card."""

import tomllib
from dataclasses import fields as dataclass_fields
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from her2viewer.errors import UserError
from her2viewer.scoring.preprocess import InputLayout
from training.augment import Augmentation
from training.card import Description
from training.fit import Recipe

BUNDLED = Path(__file__).parent / "recipes" / "bundled.toml"


def read_recipe(path: Path, **changes: Any) -> Recipe:
    """The `[fit]` section with `[fit.layout]` and `[fit.augmentation]`, and `changes` that are not None on top.

    Raises UserError with the place of a mistake.
    """
    settings = _section(path, "fit") | {name: value for name, value in changes.items() if value is not None}
    _check_names(path, "fit", settings, Recipe)
    try:
        if "layout" in settings:
            settings["layout"] = InputLayout.model_validate(settings["layout"])
        if "augmentation" in settings:
            _check_names(path, "fit.augmentation", settings["augmentation"], Augmentation)
            settings["augmentation"] = Augmentation(**settings["augmentation"])
    except ValidationError as error:
        first = error.errors()[0]
        raise UserError(f"[fit.layout] {first['loc']}: {first['msg']}", path=path, remedy="mend that line") from error
    return Recipe(**settings)


def _check_names(path: Path, section: str, settings: dict[str, Any], kind: type) -> None:
    unknown = sorted(set(settings) - {f.name for f in dataclass_fields(kind)})
    if unknown:
        raise UserError(f"[{section}] has no setting '{unknown[0]}'", path=path, remedy="take it out or mend its name")


def read_description(path: Path) -> Description:
    """The `[card]` section. Raises UserError where a word is missing."""
    words = _section(path, "card")
    try:
        return Description(
            **{name: tuple(value) if isinstance(value, list) else str(value) for name, value in words.items()}  # type: ignore[arg-type]
        )
    except TypeError as error:
        raise UserError(
            f"[card] is not complete ({error})", path=path, remedy="compare it with recipes/bundled.toml"
        ) from error


def _section(path: Path, name: str) -> dict[str, Any]:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UserError(
            f"the recipe cannot be read ({error})", path=path, remedy="name a TOML file with [fit] and [card]"
        ) from error
    section: dict[str, Any] = document.get(name, {})
    return section
