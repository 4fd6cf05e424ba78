"""A score and the maps of all four classes, from two PNG files to the overlay in memory; and the membrane reading."""

import tempfile
from functools import partial
from pathlib import Path

from tests.benchmarks import membranes
from tests.benchmarks.measure import Row, faster, in_turn, within
from tests.benchmarks.pair import PairJob, demo_files


def rows() -> list[Row]:
    """Ours against two peers, each by its quickest way to all four maps, and against decoding and one bare forward pass."""
    with tempfile.TemporaryDirectory() as folder:
        job = PairJob(*demo_files(Path(folder), "PNG"))
        seconds = in_turn(
            {
                "ours": job.ours,
                "pytorch-grad-cam": partial(job.pytorch_grad_cam, job.classes),
                "torchcam": partial(job.torchcam, job.classes),
                "decode + forward": job.decode_and_forward,
            }
        )
    figure = "score and all four maps of a PNG pair"
    return [
        faster(figure, seconds, "ours", "pytorch-grad-cam", 4),
        faster(figure, seconds, "ours", "torchcam", 2),
        within(figure, seconds, "ours", "decode + forward", 1.3),
        *membranes.rows(),
    ]
