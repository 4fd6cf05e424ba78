"""The model card in short: which model spoke, what it learned from, where it is weak, what was measured of it."""

from collections.abc import Sequence

from reportlab.platypus import Flowable

from her2viewer.export.report.parts import SMALL, SMALL_STRONG, facts, heading, listed, note, say, space
from her2viewer.export.results import ModelRecord
from her2viewer.scoring.package import Metric, ModelManifest

_MOST_FIGURES = 18
_MOST_SIGNS = 420


def model_in_short(models: Sequence[ModelRecord], manifest: ModelManifest | None, width: float) -> list[Flowable]:
    """The section. models: those that scored; manifest: of the one that is described, None where its package is not at hand."""
    parts: list[Flowable] = [heading("Model")]
    for model in models:
        parts.append(facts([("Model", f"{model.name} {model.version}"), ("SHA-256 of weights", model.sha256)], width))
    if manifest is None:
        parts.append(
            say("The model's package was not at hand when this report was made, so its card is left out.", SMALL)
        )
        return parts
    if manifest.caution:
        parts += [space(0.5), note([manifest.caution], width), space(0.5)]
    conformal = manifest.calibration.conformal
    layout = manifest.input
    parts.append(
        facts(
            [
                ("What it is", manifest.description),
                ("Trained on", _short(manifest.training.data)),
                ("Split", _short(manifest.training.split)),
                ("Input", f"{layout.width} × {layout.height} px, {' and '.join(one.caption for one in layout.order)}"),
                ("Prediction sets", "" if conformal is None else f"aim at {conformal.level:.0%} coverage"),
            ],
            width,
        )
    )
    for title, sentences in (("Known limits", manifest.limits), ("Not tested on", manifest.not_tested_on)):
        if sentences:
            parts += [space(0.5), say(title, SMALL_STRONG), *(say(f"–  {_short(one)}", SMALL) for one in sentences)]
    if manifest.metrics:
        parts += [space(0.5), say("Measured", SMALL_STRONG), figures(manifest.metrics, width)]
    return parts


def figures(metrics: Sequence[Metric], width: float) -> Flowable:
    """The measured figures as a table, each with its 95% interval where it has one."""
    shown = metrics[:_MOST_FIGURES]
    rows = [(one.dataset, one.name, *one.shown, f"{one.fields:,}") for one in shown]
    if len(metrics) > len(shown):
        rows.append((f"and {len(metrics) - len(shown)} more, in the full card", "", "", "", ""))
    share = width / 100
    widths = [31 * share, 27 * share, 20 * share, 14 * share, 8 * share]
    return listed(("Data", "Figure", "Value", "95% interval", "Fields"), rows, widths, right=(4,))


def _short(words: str) -> str:
    """The first sentences, as far as they fit."""
    if len(words) <= _MOST_SIGNS:
        return words
    cut = words[:_MOST_SIGNS]
    end = max(cut.rfind(". "), cut.rfind("; "))
    return f"{cut[: end + 1] if end > _MOST_SIGNS // 2 else cut.rsplit(' ', 1)[0]} … (more in the full card)"
