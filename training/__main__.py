"""`python -m training`: from pairs to a model package, and what it is worth. One command a step."""

import sys
from collections.abc import Callable
from typing import Final

import typer

from her2viewer.errors import UserError
from training.commands.data import index, phantom, tissue
from training.commands.explanations import membranes, trust, truth
from training.commands.fitting import compare, fit
from training.commands.packaging import familiarity, package, recalibrate
from training.commands.scores import coverage, evaluate

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Makes the model package that HER2 Viewer opens, from labelled pairs: a folder in BCI's layout "
    "(HE/train, IHC/train, HE/test, IHC/test; names like 00000_train_1+.png), one of your own, or a CSV.",
)

PANELS: Final[dict[str, tuple[Callable[..., None], ...]]] = {
    "Data": (phantom, tissue, index),
    "Training": (fit, compare),
    "Package": (package, recalibrate, familiarity),
    "What its scores are worth": (evaluate, coverage),
    "What its explanations are worth": (trust, truth, membranes),
}
"""The commands in the order in which one uses them, by what they are for."""

for panel, commands in PANELS.items():
    for command in commands:
        app.command(rich_help_panel=panel)(command)


def main() -> int:
    """Exit status 0; 1 where something a user can mend went wrong; 2 for wrong usage."""
    try:
        app()
    except UserError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
