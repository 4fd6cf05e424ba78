"""Stain views of what is on screen, on one core, beside scikit-image's colour deconvolution."""

import statistics

import cv2
import numpy as np
from PIL import Image
from skimage.color import combine_stains, separate_stains

from her2viewer.imaging.separation import separated
from her2viewer.imaging.stain_estimation import estimate_vectors, white_of
from her2viewer.imaging.stain_vectors import Dyes, ruifrok_johnston
from her2viewer.resources import resource
from tests.benchmarks.measure import Row, faster, in_turn

LONGEST_WAIT = 100.0
"""Milliseconds that switching a stain view, or opening an image's vectors, may take."""


def rows() -> list[Row]:
    """One view of one pane against scikit-image; both panes, and the vectors of both images, against 100 ms."""
    he, ihc = (_demo(stain) for stain in ("HE", "IHC"))
    views = [
        (image, ruifrok_johnston(dyes, white_of(image)))
        for image, dyes in ((he, Dyes.HAEMATOXYLIN_EOSIN), (ihc, Dyes.HAEMATOXYLIN_DAB))
    ]
    matrix = views[1][1].matrix
    inverse = np.linalg.inv(matrix)

    def peer() -> object:
        amounts = separate_stains(ihc, inverse)
        amounts[..., [0, 2]] = 0
        return (combine_stains(amounts, matrix) * 255).astype(np.uint8)

    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        seconds = in_turn(
            {
                "ours": lambda: separated(ihc, views[1][1], 1),
                "scikit-image": peer,
                "both panes": lambda: [separated(image, vectors, 1) for image, vectors in views],
                "vectors": lambda: estimate_vectors(he, Dyes.HAEMATOXYLIN_EOSIN),
            }
        )
    finally:
        cv2.setNumThreads(threads)
    return [
        faster("DAB of 1024 x 1024 px", seconds, "ours", "scikit-image", 5),
        _in_time("stain view of two panes of 1024 x 1024 px", seconds["both panes"]),
        _in_time("white and Macenko's vectors of 1024 x 1024 px", seconds["vectors"]),
    ]


def _in_time(figure: str, seconds: list[float]) -> Row:
    ms = statistics.median(seconds) * 1000
    share = ms / LONGEST_WAIT
    return Row(figure, round(ms, 1), "ms", "longest wait", LONGEST_WAIT, round(share, 2), "<= 100 ms", share <= 1)


def _demo(stain: str) -> np.ndarray:
    return np.asarray(Image.open(next(resource("demo").glob(f"*{stain}.png"))).convert("RGB"))
