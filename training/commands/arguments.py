"""Arguments that several commands take, and the checks of their words."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from her2viewer.scoring.stains import Stain
    from training.data.split import Protocol

Data = Annotated[Path, typer.Argument(help="A folder of labelled pairs, or a CSV that lists them.")]
RecipeFile = Annotated[
    Path | None,
    typer.Option("--recipe", help="A TOML file with the settings to [fit] with and the words of the [card]."),
]
StainAlone = Annotated[str | None, typer.Option(help="he or ihc: images of that stain alone, without pairs.")]


def named_stain(word: str | None) -> "Stain | None":
    """The stain of a --stain, None where none is named. Raises typer.BadParameter for any other word."""
    from her2viewer.scoring.stains import Stain

    if word is not None and word not in {str(known) for known in Stain}:
        raise typer.BadParameter("name he or ihc", param_hint="--stain")
    return None if word is None else Stain(word)


def named_protocol(word: str) -> "Protocol":
    """The protocol of a --protocol. Raises typer.BadParameter for a word that names none."""
    from training.data.split import PROTOCOLS

    for known in PROTOCOLS:
        if word == known:
            return known
    raise typer.BadParameter(f"name one of {', '.join(PROTOCOLS)}", param_hint="--protocol")
