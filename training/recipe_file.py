"""A recipe file: one small TOML file per experiment, with the settings of the fit and the words of the card."""

import re
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


def read_recipe(path: Path | None, **changes: Any) -> Recipe:
    """The `[fit]` section (the defaults where no file is named) with `[fit.layout]` and `[fit.augmentation]`.

    `changes` that are not None come on top. Raises UserError with the place of a mistake.
    """
    given = {name: value for name, value in changes.items() if value is not None}
    if path is None:
        return Recipe(**given)
    settings = _section(path, "fit") | given
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


def description_of(run: Path, facts: dict[str, Any]) -> Description:
    """The words of a card where no recipe gives any: what `run.json` knows, and nothing beyond it."""
    counts = facts["counts"]["train"]
    listed = ", ".join(f"{label}: {count}" for label, count in counts.items())
    return Description(
        name="her2-resnet18-" + (re.sub(r"[^\w.+-]+", "-", run.resolve().name).strip("-") or "own")[:60],
        version="1",
        summary="ResNet18 that predicts the HER2 score of one field from its IHC (left) and H&E (right).",
        data=f"{sum(counts.values())} pairs of a folder named '{Path(facts['data']).name}' ({listed})",
        limits=(
            "What the training data hold and leave out was not written down: give it as [card] of a recipe file.",
            "The temperature and the prediction sets hold for fields like those it was trained on.",
        ),
    )


def _section(path: Path, name: str) -> dict[str, Any]:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UserError(
            f"the recipe cannot be read ({error})", path=path, remedy="name a TOML file with [fit] and [card]"
        ) from error
    section: dict[str, Any] = document.get(name, {})
    return section
