"""A score and the maps of all four classes, from two PNG files to the overlay in memory; and what questions them."""

import statistics
import tempfile
from functools import partial
from pathlib import Path

import torchcam.methods
from pytorch_grad_cam import LayerCAM

from her2viewer.cases.case import open_pair
from her2viewer.scoring.explanation import explain
from her2viewer.scoring.methods import METHOD_SHOWN_FIRST, STAGE_SHOWN_FIRST, MapRequest
from her2viewer.scoring.package import bundled_package
from her2viewer.scoring.scorer import Scorer
from her2viewer.scoring.what_if import what_if
from tests.benchmarks import membranes
from tests.benchmarks.measure import Row, faster, in_turn, within
from tests.benchmarks.pair import PairJob, demo_files

LONGEST_TRUST = 3000.0
"""Milliseconds that a trust report may take."""


def rows() -> list[Row]:
    """Ours against two peers, each by its quickest way to all four maps, and against decoding and one bare forward pass.

    Once by Grad-CAM of the last stage, which comes with the score, and once by LayerCAM of the finest, which is shown first and
    takes passes back.
    """
    with tempfile.TemporaryDirectory() as folder:
        files = demo_files(Path(folder), "PNG")
        job = PairJob(*files)
        with_score = in_turn(
            {
                "ours": job.ours,
                "pytorch-grad-cam": partial(job.pytorch_grad_cam, job.classes),
                "torchcam": partial(job.torchcam, job.classes),
                "decode + forward": job.decode_and_forward,
            }
        )
        finest = in_turn(
            {
                "ours": partial(job.ours_of, "layer1", "LayerCAM"),
                "pytorch-grad-cam": partial(job.pytorch_grad_cam, job.classes, "layer1", LayerCAM),
                "torchcam": partial(job.torchcam, job.classes, "layer1", torchcam.methods.LayerCAM),
                "decode + forward": job.decode_and_forward,
            }
        )
        found = [
            *_compared("score and all four maps of a PNG pair", with_score),
            *_compared("the same, LayerCAM at layer1", finest),
            *_questioned(*files),
        ]
    return [*found, *membranes.rows()]


def _compared(figure: str, seconds: dict[str, list[float]]) -> list[Row]:
    return [
        faster(figure, seconds, "ours", "pytorch-grad-cam", 4),
        faster(figure, seconds, "ours", "torchcam", 2),
        within(figure, seconds, "ours", "decode + forward", 1.3),
    ]


def _questioned(he: Path, ihc: Path) -> list[Row]:
    """The trust report of the map shown first, what if, and all that `score --explain` asks, beside the score alone."""
    scorer = Scorer.open(bundled_package(), "cpu")
    with open_pair(he, ihc) as pair:
        field = pair.read()
    evidence = scorer.score(field)
    request = MapRequest(evidence.prediction.score, STAGE_SHOWN_FIRST, METHOD_SHOWN_FIRST)
    shown = scorer.attribution(evidence, request)
    ways = {
        "trust report of the map shown first": lambda: scorer.trust(evidence, shown, pixels=field, mpp=0.46),
        "what if": lambda: what_if(scorer, field, evidence),
        "all that score --explain asks": lambda: explain(scorer, field, evidence, request),
        "score": lambda: scorer.score(field),
    }
    ms = {name: statistics.median(taken) * 1000 for name, taken in in_turn(ways, rounds=5, warm_up=1).items()}
    score = ms.pop("score")
    goals = {"trust report of the map shown first": LONGEST_TRUST}
    return [
        Row(
            name, round(value, 1), "ms", "the score alone", round(score, 1), round(value / score, 1),
            f"<= {goals[name]:g} ms" if name in goals else "-", value <= goals[name] if name in goals else None,
        )
        for name, value in ms.items()
    ]  # fmt: skip
