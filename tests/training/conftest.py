"""A small labelled folder in BCI layout whose label can be learned: the amount of brown on the IHC."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.scoring.conftest import tissue
from training.data.index import CLASSES


def brown(amount: float, seed: int, side: int = 64) -> np.ndarray:
    rng = np.random.default_rng(seed)
    image = np.full((side, side, 3), 235.0) + rng.normal(0, 4, (side, side, 3))
    spots = rng.random((side, side)) < 0.5
    image[spots] *= 1 - amount * np.array([0.25, 0.5, 0.75])
    return np.clip(image, 0, 255).astype(np.uint8)


def write_pair(root: Path, split: str, number: int, label: str, side: int = 64) -> None:
    amount = CLASSES.index(label) / 3 if label in CLASSES else 0.5
    for stain, image in (("HE", tissue(number, (side, side))), ("IHC", brown(amount, number, side))):
        folder = root / stain / split
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / f"{number:05d}_{split}_{label}.png")


@pytest.fixture(scope="session")
def bci(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("bci")
    for number in range(40):
        write_pair(root, "train", number, CLASSES[number % 4])
    for number in range(8):
        write_pair(root, "test", 100 + number, CLASSES[number % 4])
    return root
