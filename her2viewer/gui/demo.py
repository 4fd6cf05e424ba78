"""The pair that ships with the app."""

from pathlib import Path

from her2viewer.cases.names import guess_stain
from her2viewer.resources import resource
from her2viewer.scoring.stains import Stain

_ENDINGS = {".png", ".jpg", ".jpeg", ".tif", ".tiff"}


def demo_pair(folder: Path | None = None) -> tuple[Path, Path] | None:
    """(H&E, IHC) of the first pair under `resources/demo`, or None where this copy has none."""
    folder = folder or resource("demo")
    found: dict[Stain, Path] = {}
    for path in sorted(folder.rglob("*")):
        stain = guess_stain(path.relative_to(folder)) if path.suffix.lower() in _ENDINGS else None
        if stain is not None:
            found.setdefault(stain, path)
    return (found[Stain.HE], found[Stain.IHC]) if len(found) == 2 else None
