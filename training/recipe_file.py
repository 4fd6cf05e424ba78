"""A recipe file: one small TOML file per experiment, with the settings of the fit and the words of the card."""

import tomllib
from dataclasses import fields as dataclass_fields
from pathlib import Path
from typing import Any

from her2viewer.errors import UserError
from training.card import Description
from training.fit import Recipe

BUNDLED = Path(__file__).parent / "recipes" / "bundled.toml"


def read_recipe(path: Path, **changes: Any) -> Recipe:
    """The `[fit]` section, with `changes` that are not None on top. Raises UserError with the place of a mistake."""
    settings = _section(path, "fit") | {name: value for name, value in changes.items() if value is not None}
    unknown = set(settings) - {f.name for f in dataclass_fields(Recipe)} | {"layout", "augmentation"} & set(settings)
    if unknown:
        raise UserError(
            f"[fit] has no setting '{sorted(unknown)[0]}'", path=path, remedy="take it out or mend its name"
        )
    return Recipe(**settings)


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
