"""A package's temperature and prediction sets taken anew from other fields; weights and all else stay as they are.

This is what a laboratory does with its own labelled fields before it trains anything: coverage is promised for fields like
those that it was calibrated on.
"""

import datetime
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from her2viewer.cases.pairing import Pair
from her2viewer.errors import PackageError, UserError
from her2viewer.scoring.package import CARD, MANIFEST, ModelPackage, open_package
from her2viewer.scoring.scorer import network_in
from training.calibration import fitted_calibration
from training.card import card_text
from training.data.cache import cached_fields
from training.fit.predict import cell_side, predict_logits
from training.recipes.recipe import Description


def recalibrated(
    package: ModelPackage, out: Path, named: str, pairs: Sequence[Pair], description: Description, cache: Path
) -> ModelPackage:
    """Writes a package of the same weights at `out`, without figures yet: those of before hold for other probabilities.

    named: what the pairs are, in words; pairs: labelled, none that the weights learned from; description: name, version and
    words of the new package; cache: where decoded fields are kept. Raises UserError where a label has no pair, PackageError
    where something stands at `out` already.
    """
    manifest = package.manifest
    missing = [name for name in manifest.classes if all(pair.label != name for pair in pairs)]
    if missing:
        raise UserError(
            f"no pair is labelled {' or '.join(missing)}, so nothing can be said of that score",
            remedy="name data with pairs of every score",
        )
    if out.exists():
        raise PackageError("there is something of that name already", path=out, remedy="choose another folder")
    network = network_in(package)
    fields = cached_fields(pairs, cache, cell_side(manifest.input))
    with torch.inference_mode():
        logits = predict_logits(network, fields, range(len(pairs)), manifest.input)
    truth = np.array([manifest.classes.index(pair.label or "") for pair in pairs])
    changed = manifest.model_copy(
        update={
            "name": description.name,
            "version": description.version,
            "description": description.summary,
            "caution": description.caution,
            "created": datetime.datetime.now(datetime.UTC).date().isoformat(),
            "calibration": fitted_calibration(logits, truth, named),
            "training": manifest.training.model_copy(update={"data": description.data}),
            "limits": description.limits,
            "not_tested_on": description.not_tested_on,
            "metrics": (),
            "reliability": (),
        }
    )
    draft = out.with_name(f".{out.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    shutil.copytree(package.folder, draft)
    (draft / MANIFEST).write_text(changed.model_dump_json(by_alias=True, indent=2) + "\n", encoding="utf-8")
    (draft / CARD).write_text(card_text(changed, description, ()), encoding="utf-8")
    draft.replace(out)
    return open_package(out)


def description_of_package(package: ModelPackage, version: str) -> Description:
    """The words of a package for another version of it."""
    manifest = package.manifest
    return Description(
        name=manifest.name,
        version=version,
        summary=manifest.description,
        data=manifest.training.data,
        caution=manifest.caution,
        limits=manifest.limits,
        not_tested_on=manifest.not_tested_on,
    )
