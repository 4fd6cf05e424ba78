"""The pair that ships with the app."""

from pathlib import Path

from her2viewer.cases.pairing import pair_folder
from her2viewer.errors import PairError
from her2viewer.resources import resource


def demo_pair() -> tuple[Path, Path] | None:
    """(H&E, IHC) of the first pair under `resources/demo`, or None where this copy has none."""
    folder = resource("demo")
    if not folder.is_dir():
        return None
    try:
        pair = pair_folder(folder).pairs[0]
    except PairError:
        return None
    return pair.both
