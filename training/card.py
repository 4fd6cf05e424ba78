"""The model card (Mitchell et al. 2019): what the model is, what it saw, and what it is worth where."""

from collections.abc import Sequence

from her2viewer import RESEARCH_USE
from her2viewer.scoring.package import Metric, ModelManifest
from her2viewer.scoring.preprocess import InputLayout
from training.data.index import CLASSES
from training.evaluation.outcome import Outcome, confusion
from training.recipes.recipe import Description


def card_text(manifest: ModelManifest, description: Description, outcomes: Sequence[Outcome]) -> str:
    """Markdown. Every figure comes from the manifest or the outcomes."""
    calibration = manifest.calibration
    conformal = calibration.conformal
    lines = [
        f"# {manifest.name} {manifest.version}",
        "",
        manifest.description,
        "",
        f"**{RESEARCH_USE}** A score is a prediction for one field. ASCO/CAP scores the whole invasive component of a case.",
        *(["", f"**{manifest.caution}**"] if manifest.caution else []),
        "",
        "## Trained on",
        f"- Data: {manifest.training.data}",
        f"- Split: {manifest.training.split}.",
        f"- Start: {manifest.training.start}.",
        f"- Made on {manifest.created}. Settings: "
        + ", ".join(f"{name} {value}" for name, value in manifest.training.recipe.items())
        + ".",
        "",
        "## Input and output",
        f"- {' left, '.join(stain.caption for stain in manifest.input.order)} right, {manifest.input.width} x "
        f"{manifest.input.height} px, {manifest.input.colour}. A 1024 px field at 0.46 um/px is seen at 4.2 um/px across and "
        "2.1 um/px down: the network sees the amount and the colour of stain, not single membranes.",
        *_input_notes(manifest.input),
        f"- Classes {', '.join(manifest.classes)}; probabilities are softmax(logits / {calibration.temperature:.3f}).",
    ]
    if conformal is not None:
        lines.append(
            f"- Prediction set: every class of probability >= {1 - conformal.quantile:.3f}, for {conformal.level:.0%} "
            f"coverage, from {conformal.fields} held-out fields of the training data; it is not promised elsewhere."
        )
    if manifest.familiarity is not None:
        limits = ", ".join(f"{stain.caption} {limit:.2f}" for stain, limit in manifest.familiarity.limits.items())
        lines.append(
            f"- A field is called unfamiliar where its features lie farther than {limits} from those of "
            f"{manifest.familiarity.fields} training fields, which lie at about 1."
        )
    lines += ["", "## Measured", ""]
    lines += _metric_table(manifest.metrics) if manifest.metrics else ["Nothing was measured yet."]
    for outcome in outcomes:
        lines += ["", f"### {outcome.dataset}: label (row) against score (column)", "", *_confusion_table(outcome)]
    lines += ["", "## Limits", *(f"- {limit}" for limit in description.limits)]
    if description.commands:
        lines += ["", "## How to make it again", "", "```sh", *description.commands, "```"]
    return "\n".join(lines) + "\n"


def _input_notes(layout: InputLayout) -> list[str]:
    notes = []
    if layout.white == "background":
        notes.append(
            "- Each image is set against its own background first, so that the tint of slide and scanner goes."
        )
    if layout.optional:
        names = " or ".join(stain.caption for stain in layout.optional)
        notes.append(
            f"- It was trained to do without the {names} where it must; the score then rests on what is there."
        )
    return notes


def _metric_table(metrics: Sequence[Metric]) -> list[str]:
    lines = ["| data | fields | figure | value | 95% interval |", "|---|---|---|---|---|"]
    for metric in metrics:
        if metric.name in ("quadratic weighted kappa", "macro-F1", "expected calibration error"):
            value = f"{metric.value:.3f}"
            interval = "" if metric.low is None else f"{metric.low:.3f} to {metric.high:.3f}"
        else:
            value = f"{metric.value:.1%} ({round(metric.value * metric.fields)} of {metric.fields})"
            interval = "" if metric.low is None else f"{metric.low:.1%} to {metric.high:.1%}"
        lines.append(f"| {metric.dataset} | {metric.fields} | {metric.name} | {value} | {interval} |")
    return lines


def _confusion_table(outcome: Outcome) -> list[str]:
    lines = ["| | " + " | ".join(CLASSES) + " |", "|---" * (len(CLASSES) + 1) + "|"]
    for name, row in zip(CLASSES, confusion(outcome), strict=True):
        lines.append(f"| **{name}** | " + " | ".join(str(count) for count in row) + " |")
    return lines
