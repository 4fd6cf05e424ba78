"""Pictures that the tests write themselves, in memory and on disk."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image


def tissue(height: int = 48, width: int = 64, channels: int = 3, seed: int = 0) -> np.ndarray:
    """Smooth random colours, (height, width, channels) uint8: compresses like a photograph."""
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 1.5).reshape(height, width, channels)


def encoded(picture: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    """Writes bytes under a name and gives the path."""

    def write(data: bytes, name: str = "picture.bin") -> Path:
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return write
