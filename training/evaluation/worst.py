"""The fields that a model was most sure of and wrong about, as pictures."""

import base64
from dataclasses import dataclass

import cv2
import numpy as np

from her2viewer.imaging.opening import open_image
from her2viewer.imaging.thumbnail import thumbnail
from training.data.index import CLASSES
from training.data.search import files_of
from training.evaluation.evaluation import Evaluation, file_names

SHOWN = 12
SIDE = 300
"""Pixels of a thumbnail's longer side."""


@dataclass(frozen=True, slots=True)
class Worst:
    """One field. pictures: caption of the stain and a data URI, one or two. sure: probability of what was said."""

    name: str
    files: str
    label: str
    said: str
    sure: float
    of_label: float
    grades: int
    pictures: tuple[tuple[str, str], ...]


def worst_cases(evaluation: Evaluation, shown: int = SHOWN) -> list[Worst]:
    """The wrongly scored fields of the highest probability for what was said, the surest first. Raises ImageError."""
    outcome = evaluation.outcome
    sure = outcome.probabilities.max(axis=1)
    wrong = np.flatnonzero((outcome.said != outcome.truth) & np.isfinite(sure))
    found = []
    for k in wrong[np.argsort(-sure[wrong], kind="stable")][:shown]:
        pair, truth, said = evaluation.pairs[k], int(outcome.truth[k]), int(outcome.said[k])
        pictures = []
        for stain, path in files_of(pair).items():
            with open_image(path) as image:
                encoded = cv2.imencode(".jpg", thumbnail(image, SIDE)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])[1]
            pictures.append(
                (stain.caption, f"data:image/jpeg;base64,{base64.b64encode(encoded.tobytes()).decode('ascii')}")
            )
        found.append(
            Worst(
                pair.case_id,
                ", ".join(file_names(pair, evaluation.base).values()),
                CLASSES[truth],
                CLASSES[said],
                float(sure[k]),
                float(outcome.probabilities[k, truth]),
                abs(truth - said),
                tuple(pictures),
            )
        )
    return found
