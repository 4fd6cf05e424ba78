"""What a model package knows of its training fields' features, so that the viewer can tell a field that is unlike them."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from her2viewer.errors import UserError
from her2viewer.scoring.guard.familiarity import Cloud, Reference
from her2viewer.scoring.network import Network
from her2viewer.scoring.normalise import normalised
from her2viewer.scoring.package import MANIFEST, REFERENCE, ModelManifest, ModelPackage, familiarity_section
from her2viewer.scoring.preprocess import InputLayout
from her2viewer.scoring.scorer import network_in
from training.data.cache import Fields
from training.files import replacing
from training.fit.batches import composed

AXES: Final = 16
"""Of a cloud: two stains of 512 channels then take 70 kB.

Tried with a 448 x 224 network of 640 phantoms: 16, 48, 100 axes, and the fifth nearest neighbour (Sun et al. 2022). 16 axes told
an H&E from other stains, photographs, negatives and noise as well as more did, and twice as well as the neighbour. What is wrong
with an IHC alone, none of them sees but for empty glass.
"""
MOST_FIELDS: Final = 1500
"""Of the training split that are looked at: more move no axis that is kept."""
USUAL: Final = 0.99
BEYOND: Final = 3.0
"""A field is unlike the training's where it lies this many times as far as 99% of held-out fields do.

With the network above one of twelve BCI pairs lay farther (4.1), phantoms at 0.3 at most, an IHC given as the H&E at 5 to 17.
"""


def reference_of(
    network: Network,
    fields: Fields,
    members: Sequence[int],
    held_out: Sequence[int],
    layout: InputLayout,
) -> tuple[Reference, int] | None:
    """The reference of a network, and of how many fields it was made; None where too few have every stain of the layout.

    members: fields that it was trained on; held_out: others of the same kind, which set the limits. network: folded or not.
    """
    learned, others = (_whole(fields, some, layout) for some in (members, held_out))
    if len(learned) < 2 or not others:
        return None
    seen, held = (stain_features(network, fields, some, layout) for some in (learned, others))
    clouds = {stain: Cloud.around(seen[:, place], AXES) for place, stain in enumerate(layout.order)}
    limits = {
        stain: BEYOND * float(np.quantile(clouds[stain].distance(held[:, place]), USUAL))
        for place, stain in enumerate(layout.order)
    }
    return Reference(clouds, limits), len(learned)


def _whole(fields: Fields, members: Sequence[int], layout: InputLayout) -> list[int]:
    """Members with every stain, spread evenly over all of them where there are too many."""
    whole = [i for i in members if set(layout.order) <= set(fields.stains(i))]
    step = max(len(whole) / MOST_FIELDS, 1)
    return [whole[int(place * step)] for place in range(min(len(whole), MOST_FIELDS))]


@torch.inference_mode()
def stain_features(
    network: Network,
    fields: Fields,
    members: Sequence[int],
    layout: InputLayout,
) -> NDArray[np.float32]:
    """(n, stains, c) float32: what the last stage says of each stain's part of cached fields."""
    network.eval()
    rows = []
    for first in range(0, len(members), 32):
        inputs = np.stack([composed(fields, i, layout) for i in members[first : first + 32]])
        features = network.features(normalised(inputs, layout, "cpu"))
        rows.append(network.stain_means(features, len(layout.order)).numpy())
    return np.concatenate(rows)


def add_familiarity(
    package: ModelPackage,
    fields: Fields,
    members: Sequence[int],
    held_out: Sequence[int],
) -> ModelManifest:
    """Gives a package that stands already its reference, and names it in `model.json`; weights and card stay as they are.

    Raises UserError where too few fields have every stain of the package's layout.
    """
    manifest = package.manifest
    network = network_in(package)
    made = reference_of(network, fields, members, held_out, manifest.input)
    if made is None:
        raise UserError(
            "there are too few fields with every stain to tell what is like the training",
            remedy="name data with pairs of both stains",
        )
    section, data = familiarity_section(*made)
    changed = manifest.model_copy(update={"familiarity": section})
    with replacing(package.folder / REFERENCE) as draft:
        draft.write_bytes(data)
    with replacing(package.folder / MANIFEST) as draft:
        draft.write_text(changed.model_dump_json(by_alias=True, indent=2) + "\n", encoding="utf-8")
    return changed
