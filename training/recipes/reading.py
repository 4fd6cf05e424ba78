"""Recipe files: TOML with `[fit]` (and `[fit.layout]`, `[fit.augmentation]`), `[card]` and `[experiment]`."""

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from her2viewer.errors import UserError
from training.recipes.recipe import Description, Experiment, Recipe

Section = TypeVar("Section", bound=BaseModel)


def recipe_files(given: Sequence[Path]) -> list[Path]:
    """The recipe files among files and folders, in the order given, those of a folder by name with the base first.

    Raises UserError where a folder holds none or two recipes share a name.
    """
    found: list[Path] = []
    for path in given:
        files = sorted(path.glob("*.toml")) if path.is_dir() else [path]
        if not files:
            raise UserError("the folder holds no recipe", path=path, remedy="name a folder with TOML files in it")
        found += sorted(files, key=lambda file: (_GROUPS.get(read_experiment(file).group, len(_GROUPS)), file.stem))
    names = [file.stem for file in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UserError(f"two recipes are called '{twice[0]}'", remedy="their runs would collide: rename one")
    return found


_GROUPS = {
    name: place
    for place, name in enumerate(
        ("base", "stains", "size", "colour", "data", "regularisation", "batch", "learning rate", "loss", "network")
    )
}


def read_recipe(path: Path | None, **changes: Any) -> Recipe:
    """The `[fit]` section, the defaults where no file is named; `changes` that are not None come on top.

    Raises UserError with the place of a mistake.
    """
    given = {name: value for name, value in changes.items() if value is not None}
    return _checked(Recipe, path, "fit", ({} if path is None else _section(path, "fit")) | given)


def read_experiment(path: Path) -> Experiment:
    """The `[experiment]` section; a recipe without one is an experiment of its own name. Raises UserError as `read_recipe`."""
    return _checked(Experiment, path, "experiment", {"title": path.stem, "group": "own"} | _section(path, "experiment"))


def read_description(path: Path) -> Description:
    """The `[card]` section. Raises UserError where a word is missing."""
    return _checked(Description, path, "card", _section(path, "card"))


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


def _checked(kind: type[Section], path: Path | None, name: str, settings: dict[str, Any]) -> Section:
    try:
        return kind.model_validate(settings)
    except ValidationError as error:
        first = error.errors()[0]
        *within, setting = (str(part) for part in first["loc"])
        section = ".".join([name, *within])
        said = {"extra_forbidden": f"has no setting '{setting}'", "missing": f"lacks '{setting}'"}
        otherwise = f"'{setting}' does not fit: {first['msg']}"
        raise UserError(
            f"[{section}] {said.get(first['type'], otherwise)}",
            path=path,
            remedy="mend that setting; recipes/bundled.toml shows how they are written",
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
