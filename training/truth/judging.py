"""One phantom pair: scored as a file of it would be, its maps made, and what they say of the cells that decide."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Final

import cv2
import numpy as np

from her2viewer.scoring.evidence import Attribution, Evidence, FieldPixels, MapRequest
from her2viewer.scoring.preprocess import compose
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


@dataclass(frozen=True, eq=False, slots=True)
class _Made:
    """A map over the images of the stains that the model takes; attribution: None for a baseline. same_score: as in `MapRow`."""

    name: MapName
    planes: dict[Stain, Plane]
    attribution: Attribution | None = None
    same_score: bool | None = None


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
    for made in _maps(scorer, evidence, field, names, (phantom.seed, phantom.index)):
        marks = {str(s): marked(plane, masks[s], near[s]) for s, plane in made.planes.items() if s in masks}
        amounts = {} if made.attribution is None else _amounts(made.attribution, made.planes)
        maps.append(MapRow(made.name, marks, **amounts, same_score=made.same_score))
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


def _maps(
    scorer: Scorer, evidence: Evidence, field: FieldPixels, names: Collection[MapName], seed: tuple[int, int]
) -> Iterator[_Made]:
    if any(name.is_baseline for name in names):
        for baseline, planes in baseline_planes(evidence, field.pixels[Stain.IHC], RASTER, seed):
            if (name := MapName(baseline)) in names:
                yield _Made(name, planes)
    for scale in sorted({name.scale for name in names if not name.is_baseline}):
        seen, same = (evidence, None) if scale == 1 else _enlarged(scorer, evidence, field, scale)
        mine = [name for name in names if name.scale == scale and not name.is_baseline]
        made: dict[MapName, Attribution] = {}
        if not all(name.is_slow for name in mine):
            for one in scorer.gradient_attributions(seen, evidence.prediction.score):
                made[MapName(one.method, one.stage, scale)] = one
        for name in mine:
            request = MapRequest(evidence.prediction.score, name.stage, name.method)
            attribution = made.get(name) or scorer.attribution(seen, request)
            planes = {stain: over_image(attribution, stain, RASTER) for stain in evidence.layout.order}
            yield _Made(name, planes, attribution, same)


def _enlarged(scorer: Scorer, evidence: Evidence, field: FieldPixels, scale: int) -> tuple[Evidence, bool]:
    """The field as the network sees it larger, and whether it says the same of it."""
    fine = scorer.fine_map(field, evidence, MapRequest(evidence.prediction.score), scale)
    larger = compose(field.pixels, evidence.layout.enlarged(scale))
    return replace(evidence, network_input=larger), fine.agrees


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
