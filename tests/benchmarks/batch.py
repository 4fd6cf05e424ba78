"""Folders of pairs of 1024 px PNGs: ours beside the script that a user would write, beside its floors, and how memory goes."""

import itertools
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch
import torchvision
from PIL import Image
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.image import show_cam_on_image
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

from her2viewer.batch.options import BatchOptions
from her2viewer.batch.row import BatchRow
from her2viewer.batch.run import GROUP, run_batch
from her2viewer.cases.case import open_pair
from her2viewer.cases.folders import pair_folder
from her2viewer.cases.pair import Pair
from her2viewer.scoring.normalise import normalised
from her2viewer.scoring.package import bundled_package
from her2viewer.scoring.preprocess import compose
from her2viewer.scoring.scorer import Scorer
from tests.benchmarks.measure import Row
from training.phantom.pair import make_phantom

PAIRS = 200
DRAWN = 20
"""Pairs that differ; the others are the same files under other names."""
PEERS = 30
"""Pairs that the peers do in a round: their time for one does not depend on how many there are."""
ROUNDS = 3
MANY = 2_000


def rows() -> list[Row]:
    """Scores, scores with overlays, the floors, and memory over 2,000 pairs."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_study(folder / "study")
        job = BatchJob(pair_folder(folder / "study").pairs, folder)
        ways = {
            "scores": lambda: job.ours(overlay=False),
            "overlays": lambda: job.ours(overlay=True),
            "peer's scores": lambda: job.peer(overlay=False),
            "peer's overlays": lambda: job.peer(overlay=True),
            "decoding": job.decode,
            "network": job.network_alone,
        }
        ms: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(ROUNDS):
            for name, way in ways.items():
                ms[name].append(_per_pair(way))
        slower = [max(d, n) for d, n in zip(ms["decoding"], ms["network"], strict=True)]
        return [
            _faster(f"batch of {PAIRS} pairs, scores", ms["scores"], ms["peer's scores"], "Pillow, torchvision", 6),
            _faster(
                f"batch of {PAIRS} pairs, scores and overlays",
                ms["overlays"],
                ms["peer's overlays"],
                "pytorch-grad-cam, Pillow",
                8,
            ),
            _within(f"batch of {PAIRS} pairs, scores", ms["scores"], slower, "the slower of decoding and network", 1.25),
            _plain("decoding alone, all cores", ms["decoding"]),
            _plain("network alone, all cores", ms["network"]),
            job.memory(),
        ]


class BatchJob:
    """The ways of one job. Each returns how many pairs it did."""

    def __init__(self, pairs: Sequence[Pair], folder: Path) -> None:
        self._pairs = tuple(pairs)
        self._folder = folder
        self._runs = itertools.count()
        package = bundled_package()
        self._scorer = Scorer.open(package, "cpu")
        self._layout = package.manifest.input
        self._peer = torchvision.models.resnet18(weights=None, num_classes=len(package.manifest.classes))
        state = {name: torch.from_numpy(array) for name, array in package.weights().items()}
        self._peer.load_state_dict(state, strict=False)
        self._peer.eval()
        self._to_tensor = torchvision.transforms.Compose(
            [
                torchvision.transforms.Resize((self._layout.height, self._layout.width)),
                torchvision.transforms.ToTensor(),
                torchvision.transforms.Normalize(self._layout.mean, self._layout.std),
            ]
        )
        pixels = [self._read(pair).pixels for pair in self._pairs[:DRAWN]]
        self._inputs = np.stack([compose(one, self._layout) for one in pixels])

    def ours(self, *, overlay: bool) -> int:
        """As `her2viewer score` does it."""
        out = self._folder / f"out-{next(self._runs)}"
        summary = run_batch(self._pairs, self._scorer, BatchOptions(out, overlay=overlay))
        assert summary.scored == len(self._pairs), summary
        shutil.rmtree(out)
        return summary.scored

    def peer(self, *, overlay: bool) -> int:
        """The script of a user: one pair after the other, a map of the score's class, PNG by Pillow."""
        out = self._folder / "peer"
        out.mkdir(exist_ok=True)
        for pair in self._pairs[:PEERS]:
            he, ihc = pair.both
            pasted = Image.new("RGB", (2048, 1024))
            pasted.paste(Image.open(ihc).convert("RGB"), (0, 0))
            pasted.paste(Image.open(he).convert("RGB"), (1024, 0))
            x = self._to_tensor(pasted)[None]
            with torch.no_grad():
                score = int(self._peer(x).softmax(1).argmax())
            if overlay:
                with GradCAM(model=self._peer, target_layers=[self._peer.layer4[-1]]) as cam:
                    shown = cam(input_tensor=x, targets=[ClassifierOutputTarget(score)])[0]
                picture = np.asarray(pasted, np.float32) / 255
                blended = show_cam_on_image(picture, cv2.resize(shown, (2048, 1024)), use_rgb=True)
                Image.fromarray(blended).save(out / f"{pair.case_id}.png")
        return PEERS

    def decode(self) -> int:
        """The floor of reading: both images of each pair, on all cores."""
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for _ in pool.map(self._read, self._pairs):
                pass
        return len(self._pairs)

    def network_alone(self) -> int:
        """The floor of scoring: passes of as many pairs as a batch takes, torch on all cores."""
        done = 0
        while done < len(self._pairs):
            inputs = self._inputs[: min(GROUP, len(self._pairs) - done)]
            with torch.inference_mode():
                self._scorer._network(normalised(inputs, self._layout, "cpu"))
            done += len(inputs)
        return done

    def memory(self) -> Row:
        """What 2,000 pairs hold at the end, beside what they held after the first hundred."""
        held: dict[int, float] = {}
        done = itertools.count(1)

        def on_row(row: BatchRow) -> None:
            number = next(done)
            if number in (100, MANY):
                held[number] = _resident_mb()

        many = (replace(self._pairs[i % len(self._pairs)], case_id=f"case {i}") for i in range(MANY))
        run_batch(many, self._scorer, BatchOptions(self._folder / "many", overlay=False), on_row)
        first, last = held[100], held[MANY]
        grown = last - first
        figure = f"memory grown from pair 100 to pair {MANY:,}"
        return Row(figure, round(grown, 1), "MB", "at pair 100", round(first, 1), round(last / first, 2), "<= 50", grown <= 50)

    @staticmethod
    def _read(pair: Pair):  # type: ignore[no-untyped-def]
        with open_pair(*pair.both) as images:
            return images.read()


def write_study(folder: Path) -> None:
    """Phantom pairs as PNGs in BCI's layout; after the first ones, the same files linked under other names."""
    for index in range(PAIRS):
        phantom = make_phantom(5, index) if index < DRAWN else None
        for stain in ("HE", "IHC"):
            path = folder / stain / f"{index:05d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            if phantom is not None:
                image = phantom.he if stain == "HE" else phantom.ihc
                cv2.imwrite(str(path), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
            else:
                os.link(folder / stain / f"{index % DRAWN:05d}.png", path)


def _per_pair(way: Callable[[], int]) -> float:
    """Milliseconds a pair."""
    started = time.perf_counter()
    done = way()
    return (time.perf_counter() - started) / done * 1e3


def _faster(figure: str, ours: list[float], peer: list[float], name: str, goal: float) -> Row:
    ratio = statistics.median(p / o for o, p in zip(ours, peer, strict=True))
    return _row(figure, ours, peer, name, ratio, f">= {goal:g} times faster", ratio >= goal)


def _within(figure: str, ours: list[float], floor: list[float], name: str, goal: float) -> Row:
    ratio = statistics.median(o / f for o, f in zip(ours, floor, strict=True))
    return _row(figure, ours, floor, name, ratio, f"<= {goal:g} times the floor", ratio <= goal)


def _plain(figure: str, ms: list[float]) -> Row:
    return _row(figure, ms, ms, "-", 1.0, "-", None)


def _row(
    figure: str, ours: list[float], other: list[float], name: str, ratio: float, goal: str, met: bool | None
) -> Row:
    value, beside = statistics.median(ours), statistics.median(other)
    return Row(figure, round(value, 1), "ms a pair", name, round(beside, 1), round(ratio, 2), goal, met)


def _resident_mb() -> float:
    """By Linux's account."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("no VmRSS")
