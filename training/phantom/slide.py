"""What one slide's laboratory and scanner do to it: stain vectors, dye strengths, white, blur, grain. Drawn anew each slide."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]
"""(3,) float32: optical density in R, G and B of one unit of dye; of length 1."""

# Ruifrok & Johnston 2001 (0.65 0.70 0.29; 0.07 0.99 0.11; 0.27 0.57 0.78), turned towards what slide scanners record: a
# camera's broad primaries see every dye in all three channels.
HAEMATOXYLIN: Final = (0.590, 0.700, 0.390)
EOSIN: Final = (0.230, 0.840, 0.480)
DAB: Final = (0.340, 0.550, 0.763)
# The counterstain of an IHC slide is a weaker and bluer haematoxylin.
COUNTERSTAIN: Final = (0.670, 0.610, 0.420)


@dataclass(frozen=True, eq=False)
class Camera:
    """One scan: the empty slide's colour (RGB 0..255), blur (px), grain (grey levels), JPEG quality of the scanner's file."""

    white: Vector
    blur: float
    sharpen: float
    grain: float
    shading: float
    jpeg: int


@dataclass(frozen=True, eq=False)
class Slide:
    """The two stainings of one tissue and their scans. Strengths multiply dye amounts, 1 being usual.

    dab_strength is of all DAB that the antibody brings, weak and strong alike: laboratories differ by a factor of four, so no
    absolute density tells a grade. haze, granular, edge: DAB amount over the whole slide, in cytoplasm, at the tissue's border.
    apart: micrometres between the sections, 0 for one section stained twice.
    """

    haematoxylin: Vector
    eosin: Vector
    counterstain: Vector
    dab: Vector
    he_nuclear: float
    he_eosin: float
    he_basophilia: float
    counter_strength: float
    stroma_dab: float
    blush: float
    dab_strength: float
    haze: float
    granular: float
    edge: float
    apart: float
    he: Camera
    ihc: Camera


def draw_slide(rng: np.random.Generator) -> Slide:
    """One slide from the range that laboratories and scanners span."""
    return Slide(
        haematoxylin=_scattered(rng, HAEMATOXYLIN, 0.05),
        eosin=_scattered(rng, EOSIN, 0.05),
        counterstain=_scattered(rng, COUNTERSTAIN, 0.04),
        dab=_scattered(rng, DAB, 0.04),
        he_nuclear=float(np.exp(rng.normal(0, 0.25))),
        he_eosin=float(np.exp(rng.normal(-0.40, 0.36))),
        he_basophilia=float(rng.beta(1.5, 2.8) * 0.9),
        counter_strength=float(np.exp(np.clip(rng.normal(0.0, 0.55), -1.2, 1.1))),
        stroma_dab=float(rng.beta(1.2, 4.0) * 0.16),
        blush=float(rng.beta(1.1, 1.7)),
        dab_strength=float(0.72 * np.exp(np.clip(rng.normal(0, 0.42), -np.log(2), np.log(2)))),
        haze=_sometimes(rng, 0.35, 0.005, 0.05),
        granular=_sometimes(rng, 0.07, 0.06, 0.28),
        edge=_sometimes(rng, 0.55, 0.04, 0.22),
        apart=_sometimes(rng, 0.75, 3.0, 6.0),
        he=_camera(rng),
        ihc=_camera(rng),
    )


def _sometimes(rng: np.random.Generator, rate: float, low: float, high: float) -> float:
    """Between low and high at a given rate; otherwise 0."""
    value = float(rng.uniform(low, high))
    return value if rng.random() < rate else 0.0


def _scattered(rng: np.random.Generator, vector: tuple[float, float, float], deviation: float) -> Vector:
    drawn = np.clip(np.array(vector) + rng.normal(0, deviation, 3), 0.02, None)
    return np.asarray(drawn / np.linalg.norm(drawn), np.float32)


def _camera(rng: np.random.Generator) -> Camera:
    # Scanners leave the empty slide anywhere from mid grey to clipped white; half of them near one of the ends.
    grey = rng.choice([rng.uniform(174, 190), rng.uniform(190, 243), rng.uniform(243, 255)], p=[0.35, 0.35, 0.30])
    tint = np.array([rng.normal(0.004, 0.010), 0.0, rng.normal(-0.008, 0.014)])
    return Camera(
        white=np.asarray(np.clip(grey * (1 + tint), 165, 255), np.float32),
        blur=float(rng.uniform(0.40, 1.10)),
        sharpen=float(rng.uniform(0, 1.1)),
        grain=float(rng.uniform(0.6, 2.4)),
        shading=float(rng.uniform(0, 0.02)),
        jpeg=int(rng.integers(72, 96)),
    )
