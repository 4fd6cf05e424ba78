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
        f"{manifest.input.height} px, {manifest.input.colour}. {_resolution(manifest.input)}",
        *_input_notes(manifest.input),
        f"- Classes {', '.join(manifest.classes)}; probabilities are softmax(logits / {calibration.temperature:.3f}).",
    ]
    if conformal is not None:
        least = [1 - conformal.quantile_of(i) for i in range(len(manifest.classes))]
        each = ", ".join(_least(name, p) for name, p in zip(manifest.classes, least, strict=True))
        of = "each label by itself" if conformal.quantiles else "all labels together"
        lines.append(
            f"- Prediction set: the likeliest class, and every other that is probable enough: {each}; for "
            f"{conformal.level:.0%} coverage of {of}, from {conformal.fields} held-out fields "
            f"({conformal.data or 'of the training data'}). It is promised for fields like those and measured on others."
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
    if description.not_tested_on:
        lines += ["", "## Not tested on", *(f"- {what}" for what in description.not_tested_on)]
    if description.commands:
        lines += ["", "## How to make it again", "", "```sh", *description.commands, "```"]
    return "\n".join(lines) + "\n"


def _least(name: str, probability: float) -> str:
    return f"{name} from {probability:.3f}" if probability < 1 else f"{name} never"


def _resolution(layout: InputLayout) -> str:
    """What a field's tissue is shrunk to, and what that leaves to be seen."""
    cell = layout.cell(layout.order[0])
    across, down = layout.field_um / cell.width, layout.field_um / cell.height
    finest = min(across, down)
    seen = (
        "the amount and the colour of stain, not single membranes" if finest > 1 else "membranes as faint lines at best"
    )
    return (
        f"A field of {layout.field_um:.0f} um is seen at {across:.1f} um/px across and {down:.1f} um/px down: the network "
        f"sees {seen}."
    )


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
        value, interval = metric.shown
        lines.append(f"| {metric.dataset} | {metric.fields} | {metric.name} | {value} | {interval} |")
    return lines


def _confusion_table(outcome: Outcome) -> list[str]:
    lines = ["| | " + " | ".join(CLASSES) + " |", "|---" * (len(CLASSES) + 1) + "|"]
    for name, row in zip(CLASSES, confusion(outcome), strict=True):
        lines.append(f"| **{name}** | " + " | ".join(str(count) for count in row) + " |")
    return lines
