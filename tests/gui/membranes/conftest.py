"""Cells whose places and grades are known, and a phantom pair to read."""

from pathlib import Path

import numpy as np
import pytest

from her2viewer.scoring.membrane.reading import MembraneCells, MembraneReading
from training.phantom.pair import make_phantom

from ..conftest import write

CENTRES = ((40.0, 40.0), (100.0, 40.0), (40.0, 100.0), (200.0, 210.0))
RADIUS = 12.0


def made(centres: tuple[tuple[float, float], ...] = CENTRES, score: str | None = "2+") -> MembraneReading:
    """A reading of round cells, their grades 0, 1, 2, 3 by turns."""
    angle = np.arange(32) * (2 * np.pi / 32)
    round_ = RADIUS * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    centre = np.array(centres, np.float64).reshape(-1, 2)
    n = len(centre)
    cells = MembraneCells(
        centre=centre,
        contour=(centre[:, None] + round_).astype(np.float32),
        density=np.linspace(0.05, 0.4, n).astype(np.float32),
        amount=np.linspace(0.0, 0.5, n).astype(np.float32),
        completeness=np.linspace(0.1, 1.0, n).astype(np.float32),
        grade=(np.arange(n) % 4).astype(np.uint8),
    )
    reason = "" if score else "4 cells were found, too few."
    return MembraneReading(cells, np.zeros((3, 2)), score, reason, 0.46, assumed=True)


@pytest.fixture
def reading() -> MembraneReading:
    return made()


@pytest.fixture(scope="session")
def phantom_pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """(H&E, IHC), 512 x 512, with enough cells for a score."""
    root = tmp_path_factory.mktemp("membranes")
    phantom = make_phantom(7, 3, 512)
    return (
        write(root / "HE" / "train" / "00001_train_3+.png", phantom.he),
        write(root / "IHC" / "train" / "00001_train_3+.png", phantom.ihc),
    )
