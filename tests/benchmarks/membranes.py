"""The membrane reading of a 1024 px field on two cores, beside its floor: the separation of the field's dyes alone."""

import statistics

import cv2
import numpy as np
from PIL import Image

from her2viewer.imaging.separation import concentration
from her2viewer.imaging.stain_estimation import usual_vectors
from her2viewer.imaging.stain_vectors import Dyes
from her2viewer.resources import resource
from her2viewer.scoring.membrane.reading import read_membranes
from tests.benchmarks.measure import Row, in_turn

LONGEST_WAIT = 1500.0
"""Milliseconds that a field may take."""
_CORES = 2


def rows() -> list[Row]:
    """Reading the demo pair's IHC against 1.5 s; the floor is measured in the same run."""
    image = np.asarray(Image.open(next(resource("demo").glob("*IHC.png"))).convert("RGB"))

    def separated() -> object:
        vectors = usual_vectors(image, Dyes.HAEMATOXYLIN_DAB)
        return [concentration(image, vectors, which) for which in (0, 1)]

    threads = cv2.getNumThreads()
    cv2.setNumThreads(_CORES)
    try:
        seconds = in_turn(
            {"reading": lambda: read_membranes(image, 0.46), "dyes apart": separated}, rounds=7, warm_up=1
        )
    finally:
        cv2.setNumThreads(threads)
    ms, floor = (statistics.median(seconds[name]) * 1000 for name in ("reading", "dyes apart"))
    cells = len(read_membranes(image, 0.46).cells)
    return [
        Row(
            f"membranes of {cells} cells in {image.shape[1]} x {image.shape[0]} px",
            round(ms, 1), "ms", "dyes apart alone", round(floor, 1), round(ms / floor, 1), "<= 1500 ms", ms <= LONGEST_WAIT,
        )
    ]  # fmt: skip
