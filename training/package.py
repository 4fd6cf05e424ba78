"""From a finished run to a model package: calibrated, hashed, described, each figure measured here and now."""

import datetime
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from her2viewer.cases.pairing import Pair
from her2viewer.scoring.attribution import last_stage_maps, stage_map
from her2viewer.scoring.confidence import calibrated
from her2viewer.scoring.evidence import STAGES
from her2viewer.scoring.network import Network, fold, network_of
from her2viewer.scoring.normalise import normalised
from her2viewer.scoring.package import (
    Arrays,
    Metric,
    ModelManifest,
    ModelPackage,
    Training,
    Weights,
    familiarity_section,
    write_package,
)
from her2viewer.scoring.preprocess import InputLayout
from training.calibration import fitted_calibration
from training.card import card_text
from training.data.cache import Fields, cached_fields
from training.data.index import CLASSES, index_folder
from training.evaluation.outcome import Outcome
from training.evaluation.reliability import reliability
from training.familiarity import reference_of
from training.files import replacing
from training.fit.batches import composed
from training.fit.predict import best_network, cell_side, load_run, predict_logits
from training.recipes.recipe import Description, Recipe

HALF_PRECISION_LIMIT = 1e-3
"""A package is stored in half precision where no probability of a calibration field moves by more than this."""


def package_run(
    run: Path,
    out: Path,
    description: Description,
    data: Path | None = None,
    calibrate_on: tuple[str, Sequence[Pair]] | None = None,
) -> ModelPackage:
    """Writes the package of a run's best epoch, without figures yet (`with_metrics` adds them).

    Temperature and quantiles come from fields that neither the weights nor the choice of the epoch have seen: those of
    `calibrate_on` (what they are, in words, and the labelled pairs), or the calibration part of the train split. data:
    where the training data lies now, if it was moved.
    """
    facts = load_run(run)
    recipe = Recipe.model_validate(facts["recipe"])
    layout = recipe.layout
    network, checkpoint = best_network(run, facts)
    learned_from = index_folder(data or Path(facts["data"])).of("train")
    if calibrate_on is None:
        pairs: Sequence[Pair] = learned_from
        members = list(facts["split"]["calibration"])
        named = "the calibration part of the training data"
    else:
        named, pairs = calibrate_on
        members = list(range(len(pairs)))
    fields = cached_fields(pairs, run.parent / "cache", cell_side(layout))
    truth = np.array([CLASSES.index(pairs[i].label or "") for i in members])
    logits = predict_logits(network, fields, members, layout, "cpu")
    calibration = fitted_calibration(logits, truth, named)
    temperature = calibration.temperature

    state = {name: tensor.numpy() for name, tensor in network.state_dict().items() if tensor.is_floating_point()}
    expected = calibrated(logits, temperature)

    def moved(arrays: Arrays) -> float:
        stored = network_of(recipe.network, len(CLASSES))
        stored.load_state_dict({name: torch.from_numpy(array.astype(np.float32)) for name, array in arrays.items()})
        return float(
            np.abs(calibrated(predict_logits(stored, fields, members, layout, "cpu"), temperature) - expected).max()
        )

    arrays, dtype = in_half_precision(state, moved)
    learned = fields if calibrate_on is None else cached_fields(learned_from, run.parent / "cache", cell_side(layout))
    reference = reference_of(network, learned, facts["split"]["train"], facts["split"]["calibration"], layout)
    familiarity, known = (None, None) if reference is None else familiarity_section(*reference)
    manifest = ModelManifest(
        name=description.name,
        version=description.version,
        description=description.summary,
        caution=description.caution,
        created=datetime.datetime.now(datetime.UTC).date().isoformat(),
        architecture=recipe.network,
        classes=CLASSES,
        input=layout,
        weights=Weights(sha256="0" * 64, dtype=dtype),
        calibration=calibration,
        fixed_peaks=fixed_peaks(network, fields, members, layout),
        familiarity=familiarity,
        training=Training(
            data=description.data,
            split=_split_in_words(len(learned_from), facts["split"], checkpoint["epoch"], calibrate_on is None),
            start=facts["started_from"],
            recipe=recipe.settings(),
        ),
        limits=description.limits,
        not_tested_on=description.not_tested_on,
    )
    return write_package(out, manifest, arrays, card_text(manifest, description, ()), known)


def _split_in_words(pairs: int, split: dict[str, list[int]], epoch: int, calibrates: bool) -> str:
    kept = "to calibrate with" if calibrates else "kept to calibrate with and not needed for it"
    return (
        f"of {pairs} pairs {len(split['train'])} to learn from, {len(split['validation'])} to choose the epoch by "
        f"(epoch {epoch}), {len(split['calibration'])} {kept}; test pairs untouched"
    )


def in_half_precision(
    state: Arrays, moved: Callable[[Arrays], float]
) -> tuple[Arrays, Literal["float16", "mixed", "float32"]]:
    """As much of a state dict in half precision as leaves every probability within the limit.

    Either all of it, or the convolutions of the last two stages, or nothing: these hold 94% of the weights, while the rounding
    of the first layers is carried through all that follow. moved: the largest change of a probability with some arrays.
    """
    for dtype in ("float16", "mixed"):
        arrays = {
            name: array.astype(np.float16) if dtype == "float16" or _is_late(name, array) else array
            for name, array in state.items()
        }
        if moved(arrays) <= HALF_PRECISION_LIMIT:
            return arrays, "float16" if dtype == "float16" else "mixed"
    return state, "float32"


def _is_late(name: str, array: NDArray[np.floating]) -> bool:
    return array.ndim == 4 and any(stage in name for stage in ("layer3", "layer4"))


def fixed_peaks(
    network: Network, fields: Fields, members: Sequence[int], layout: InputLayout, most: int = 60
) -> dict[str, float]:
    """Per stage the 99th percentile of the raw peak of the predicted class's map, in logits per cell."""
    network = fold(network)
    peaks: dict[str, list[float]] = {stage: [] for stage in STAGES}
    for i in members[:: max(1, len(members) // most)]:
        x = normalised(composed(fields, i, layout)[None], layout, "cpu")
        with torch.inference_mode():
            features = network.features(x)
            target = int(network.classify(features).argmax())
            peaks[STAGES[-1]].append(float(last_stage_maps(network, features)[0, target].max()))
        for stage in STAGES[:-1]:
            peaks[stage].append(float(stage_map(network, x, stage, target).max()))
    return {stage: max(float(np.percentile(values, 99)), 1e-6) for stage, values in peaks.items()}


def with_metrics(
    package: ModelPackage, description: Description, measured: Sequence[tuple[Outcome, Sequence[Metric]]]
) -> ModelManifest:
    """Puts measured figures into `model.json` and the card; the weights stay as they are."""
    metrics = tuple(metric for _, of_one in measured for metric in of_one)
    bins = tuple(reliability(outcome) for outcome, _ in measured)
    manifest = package.manifest.model_copy(update={"metrics": metrics, "reliability": bins})
    for name, text in (
        ("MODEL_CARD.md", card_text(manifest, description, [outcome for outcome, _ in measured])),
        ("model.json", manifest.model_dump_json(by_alias=True, indent=2) + "\n"),
    ):
        with replacing(package.folder / name) as draft:
            draft.write_text(text, encoding="utf-8")
    return manifest
