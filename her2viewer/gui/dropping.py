"""Which of the dropped or chosen files is which stain. Pure functions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from her2viewer.cases.names import guess_stain
from her2viewer.errors import PairError
from her2viewer.scoring.stains import Stain


@dataclass(frozen=True, slots=True)
class Assignment:
    """Which file goes where. `sure` is False where two files had to be told apart by their order alone."""

    files: Mapping[Stain, Path]
    sure: bool = True


def assign(files: Sequence[Path], pane: Stain) -> Assignment:
    """One file goes into the pane it was dropped on, two are told apart by name. Raises PairError for more."""
    if len(files) == 1:
        return Assignment({pane: files[0]})
    if len(files) != 2:
        raise PairError(
            f"{len(files)} files cannot be one pair",
            remedy="drop one or two images, or score a whole folder with Ctrl+B",
        )
    first, second = files
    guess_first, guess_second = guess_stain(first), guess_stain(second)
    if guess_first is guess_second:
        return Assignment({Stain.HE: first, Stain.IHC: second}, sure=False)
    swapped = guess_first is Stain.IHC or guess_second is Stain.HE
    he, ihc = (second, first) if swapped else (first, second)
    return Assignment({Stain.HE: he, Stain.IHC: ihc})
