"""One phantom pair: scored as a file of it would be, its maps made, and what they say of the cells that decide."""

from collections.abc import Collection, Iterator
from time import perf_counter
from typing import Final

import cv2
import numpy as np

from her2viewer.scoring.evidence import Attribution, Evidence, FieldPixels, MapRequest
from her2viewer.scoring.scorer import Scorer
from her2viewer.scoring.stains import Stain
from training.phantom.optics import Rgb
from training.phantom.pair import MPP, Phantom
from training.phantom.writing import encoded
from training.truth.deciding import Mask, deciding_cells, on_raster
from training.truth.maps import MapName, Plane, baseline_planes, over_image
from training.truth.metrics import marked, within
from training.truth.rows import MapRow, PairRow

RASTER: Final = 256
"""Maps and masks are set against each other on so many pixels a side: 1.84 um of a phantom, a sixth of a cell or less."""

TOLERANCE_UM: Final = 10.0
"""The pointing game's tolerance, about half a tumour cell across. (Zhang et al. took 15 px of photographs.)"""


def judged(phantom: Phantom, scorer: Scorer, names: Collection[MapName]) -> PairRow:
    """A pair by a model and the maps that are named.

    The maps are those of the class that the model says, which the window shows first; the cells are those that make the true one.
    """
    field = as_files(phantom)
    deciding = deciding_cells(phantom)
    # A sliver of a cell may leave nothing on the raster: then there is nothing to find.
    masks = {stain: mask for stain, full in deciding.masks.items() if (mask := on_raster(full, RASTER)).any()}
    tolerance = TOLERANCE_UM / (MPP * phantom.ihc.shape[0] / RASTER)
    near = {stain: within(mask, tolerance) for stain, mask in masks.items()}
    started = perf_counter()
    evidence = scorer.score(field)
    maps = []
    for name, planes, attribution in _made(scorer, evidence, field, names, (phantom.seed, phantom.index)):
        marks = {str(s): marked(plane, masks[s], near[s]) for s, plane in planes.items() if s in masks}
        amounts = {} if attribution is None else _amounts(attribution, planes)
        maps.append(MapRow(name, marks, **amounts))
    return PairRow(
        model=evidence.prediction.model.sha256,
        index=phantom.index,
        label=phantom.label,
        said=evidence.prediction.score,
        cells=deciding.cells,
        area={str(stain): _share(mask) for stain, mask in masks.items()},
        near={str(stain): _share(mask) for stain, mask in near.items()},
        seconds=round(perf_counter() - started, 3),
        maps=tuple(maps),
    )


def as_files(phantom: Phantom) -> FieldPixels:
    """The pair's pixels as they would be read from its files: through the JPEG of the scanner's quality."""
    slide = phantom.slide
    return FieldPixels.whole(_read_back(phantom.he, slide.he.jpeg), _read_back(phantom.ihc, slide.ihc.jpeg))


def _read_back(image: Rgb, quality: int) -> Rgb:
    decoded = cv2.imdecode(np.frombuffer(encoded(image, quality, "jpeg"), np.uint8), cv2.IMREAD_COLOR_RGB)
    assert decoded is not None
    return np.asarray(decoded, np.uint8)


def _made(
    scorer: Scorer, evidence: Evidence, field: FieldPixels, names: Collection[MapName], seed: tuple[int, int]
) -> Iterator[tuple[MapName, dict[Stain, Plane], Attribution | None]]:
    """Each map over the images of the stains that the model takes; of one that it made, the map itself as well."""
    if any(name.is_baseline for name in names):
        for baseline, planes in baseline_planes(evidence, field.pixels[Stain.IHC], RASTER, seed):
            if (name := MapName(baseline)) in names:
                yield name, planes, None
    for name in names:
        if not name.is_baseline:
            request = MapRequest(evidence.prediction.score, name.stage, name.method)
            attribution = scorer.attribution(evidence, request)
            yield name, {s: over_image(attribution, s, RASTER) for s in evidence.layout.order}, attribution


def _amounts(attribution: Attribution, planes: dict[Stain, Plane]) -> dict[str, float | None]:
    """How much evidence there is, and the share of it on the IHC where the model takes both stains."""
    on = {stain: float(np.maximum(plane, 0).sum(dtype=np.float64)) for stain, plane in planes.items()}
    total = sum(on.values())
    return {
        "positive": float(np.maximum(attribution.values, 0).sum(dtype=np.float64)),
        "peak": attribution.peak,
        "ihc_share": on[Stain.IHC] / total if len(on) > 1 and total > 0 else None,
    }


def _share(mask: Mask) -> float:
    return float(mask.mean())
