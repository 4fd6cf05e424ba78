"""A library on disk, and pairs for it: it looks at no pixel."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from her2viewer.cases.library.library import Library
from her2viewer.cases.pair import Pair


def pair(folder: Path, name: str, label: str | None = None) -> Pair:
    """Two files that hold their own names; the library looks at no pixel."""
    folder.mkdir(exist_ok=True)
    files = []
    for stain in ("HE", "IHC"):
        path = folder / f"{name}_{stain}.png"
        path.write_text(f"{name} {stain}")
        files.append(path)
    return Pair(name, *files, label)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library(tmp_path / "library.db") as made:
        yield made


def predict(library: Library, case: int, score: str, **changes: str) -> None:
    told = {"model": "m 1", "model_sha256": "a" * 64, "document": json.dumps({"score": score})} | changes
    library.keep_prediction(case, score=score, no_call=None, **told)
