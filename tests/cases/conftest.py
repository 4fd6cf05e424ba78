"""Folders of files whose names matter and whose content does not."""

from collections.abc import Callable
from pathlib import Path

import pytest

Touch = Callable[..., list[Path]]


@pytest.fixture
def touch(tmp_path: Path) -> Touch:
    """Makes files below `tmp_path`, each holding its own name."""

    def make(*names: str) -> list[Path]:
        paths = [tmp_path / name for name in names]
        for path in paths:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(path.name)
        return paths

    return make
