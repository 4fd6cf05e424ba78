from collections.abc import Callable
from pathlib import Path

import pytest

from her2viewer.imaging.opening import open_image
from her2viewer.imaging.source import ImageSource


@pytest.fixture
def opened(tmp_path: Path) -> Callable[..., ImageSource]:
    """Writes bytes to a file whose name says nothing, and opens it."""

    def write_and_open(data: bytes, name: str = "picture.bin") -> ImageSource:
        path = tmp_path / name
        path.write_bytes(data)
        return open_image(path)

    return write_and_open
