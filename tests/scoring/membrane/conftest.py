"""Fields drawn by hand: round cells on a grid, with nuclei and membranes of known amount."""

from collections.abc import Callable

import numpy as np
import pytest

from her2viewer.imaging.stain_vectors import Dyes, ruifrok_johnston

Field = Callable[..., np.ndarray]

GAP = 26
NUCLEUS = 5.0
WALL = 10.0


def centres(across: int) -> np.ndarray:
    """(n, 2) x and y of the cells of a field of `across` x `across`."""
    at = GAP * (np.arange(across) + 0.75)
    return np.stack(np.meshgrid(at, at), axis=-1).reshape(-1, 2)


@pytest.fixture
def field() -> Field:
    def make(
        across: int = 8,
        dab: float = 0.0,
        turn: float = 1.0,
        nucleus: float = 0.3,
        cytoplasm: float = 0.0,
        haze: float = 0.0,
    ) -> np.ndarray:
        """(side, side, 3) uint8. dab: of every membrane at its middle; turn: stained share of each; the rest as amounts."""
        side = int(GAP * (across + 0.5))
        y, x = np.mgrid[0:side, 0:side] + 0.5
        blue, brown = np.zeros((side, side)), np.full((side, side), haze)
        for cx, cy in centres(across):
            away, angle = np.hypot(x - cx, y - cy), np.arctan2(y - cy, x - cx)
            blue += nucleus / (1 + np.exp((away - NUCLEUS) / 0.6))
            ring = np.exp(-(((away - WALL) / 1.6) ** 2)) * (np.abs(angle) <= np.pi * turn)
            brown += dab * ring + cytoplasm * (away < WALL)
        first, second = ruifrok_johnston(Dyes.HAEMATOXYLIN_DAB).matrix[:2]
        light = 245 * 10 ** -(blue[..., None] * first + brown[..., None] * second)
        grain = np.random.default_rng(5).normal(0, 0.8, light.shape)
        return np.clip(np.rint(light + grain), 0, 255).astype(np.uint8)

    return make
