"""`her2viewer model`: a package in words, and whether it may be used."""

from pathlib import Path

from her2viewer import RESEARCH_USE
from her2viewer.cli.score import open_model, open_scorer
from her2viewer.cli.terminal import Terminal
from her2viewer.scoring.package import Metric, ModelManifest


def describe(folder: Path | None) -> None:
    """Prints what the package says of itself. Raises PackageError."""
    package = open_model(folder)
    terminal = Terminal()
    for line in _lines(package.manifest):
        terminal.say(line)
    terminal.say("")
    terminal.say(package.card.rstrip())


def check(folder: Path | None) -> None:
    """Checks the hash and loads the network. Raises PackageError."""
    package = open_model(folder)
    open_scorer(package, "cpu", "fp32")
    identity = package.manifest.identity
    terminal = Terminal()
    terminal.say(f"{identity}: the weights are those that model.json names, and they load.")
    terminal.say(f"SHA-256 {identity.sha256}")


def _lines(manifest: ModelManifest) -> list[str]:
    calibration, training = manifest.calibration, manifest.training
    facts = {
        "model": f"{manifest.identity}, {manifest.architecture}, made {manifest.created}",
        "about": manifest.description,
        "classes": ", ".join(manifest.classes),
        "input": f"{manifest.input.width} x {manifest.input.height} pixels, "
        + " and ".join(stain.caption for stain in manifest.input.order),
        "trained on": training.data,
        "split": training.split,
        "started from": training.start,
        "temperature": f"{calibration.temperature:g}",
        "weights": f"{manifest.weights.dtype}, SHA-256 {manifest.weights.sha256}",
    }
    if calibration.conformal is not None:
        conformal = calibration.conformal
        facts["prediction set"] = f"aims at {conformal.level:.0%}, from {conformal.fields} held-out fields"
    lines = [f"{name + ':':16}{text}" for name, text in facts.items()]
    if manifest.caution:
        lines.append(f"{'caution:':16}{manifest.caution}")
    return [*lines, *(f"{'measured:':16}{_measured(metric)}" for metric in manifest.metrics), RESEARCH_USE]


def _measured(metric: Metric) -> str:
    interval = "" if metric.low is None or metric.high is None else f" (95% {metric.low:.3f} to {metric.high:.3f})"
    return f"{metric.name} {metric.value:.3f}{interval} on {metric.fields} fields of {metric.dataset}"
