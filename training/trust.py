"""How often each verdict of the trust report is given on phantom pairs, and what its settings rest on.

Everything that the report's constants and the guide say of it is measured here, on pairs drawn for it: how often a map of the
predicted class tells more than chance, how often a random map passes for one, what random weights and turns leave of a map, which
filling leaves a field that could be one, and which threshold finds the membranes that were drawn.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, Final, get_args

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import t as student

from her2viewer.scoring.evidence import Attribution, Evidence, FieldPixels, MapRequest
from her2viewer.scoring.membrane.rule import Grade
from her2viewer.scoring.normalise import normalised
from her2viewer.scoring.scorer import Scorer
from her2viewer.scoring.stains import Stain
from her2viewer.scoring.trust.cells import part
from her2viewer.scoring.trust.chance import random_maps
from her2viewer.scoring.trust.fill import FILLS, Fill, filled
from her2viewer.scoring.trust.findings import TrustReport, Verdict
from her2viewer.scoring.trust.on_membrane import STAINED, stained_membrane
from her2viewer.scoring.trust.perturbation import perturb
from her2viewer.scoring.trust.verdict import T_975
from training.phantom.pair import MPP, Phantom, make_phantom
from training.phantom.writing import MEMBRANE_VALUES, membrane_mask

THRESHOLDS: Final = (0.04, 0.06, 0.08, 0.1, 0.12, 0.15, 0.2, 0.25)
"""DAB amounts that the membrane's own is chosen among."""


@dataclass(frozen=True, eq=False)
class Row:
    """One pair: its label and score, the report on the map of its score, and the lead of a random map in that map's place.

    found: (thresholds, 3) pixels of membrane found rightly, found wrongly and missed. features: the last stage's means, of the
    intact input and, for each pair of fillings, of half and of all of it filled.
    """

    label: str
    score: str
    report: TrustReport
    random_lead: float
    found: NDArray[np.int64]
    features: dict[str, NDArray[np.float32]]


def measured(scorer: Scorer, *, count: int, seed: int, stage: str, method: str) -> Iterator[Row]:
    """One row a phantom pair, `count` of them."""
    for index in range(count):
        phantom = make_phantom(seed, index)
        field = FieldPixels.whole(phantom.he, phantom.ihc)
        evidence = scorer.score(field)
        attribution = scorer.attribution(evidence, MapRequest(evidence.prediction.score, stage, method))
        report = scorer.trust(evidence, attribution, pixels=field, mpp=MPP, seed=index)
        yield Row(
            phantom.label,
            evidence.prediction.score,
            report,
            _random_lead(scorer, evidence, attribution, index),
            _membranes(phantom),
            _features(scorer, evidence, attribution, index),
        )


def summary(rows: Sequence[Row]) -> dict[str, Any]:
    """All figures, as plain data for a table and a file. Intervals are 95%."""
    leads = np.array([row.random_lead for row in rows])
    reports = [row.report for row in rows]
    return {
        "pairs": len(rows),
        "verdicts": {verdict.value: _share([one.verdict is verdict for one in reports]) for verdict in Verdict},
        "verdicts_by_score": {
            score: dict(Counter(row.report.verdict.value for row in rows if row.score == score))
            for score in sorted({row.score for row in rows})
        },
        "random_map_passes": _share((leads > T_975[len(reports[0].perturbation.random)]).tolist()),
        "gap": _mean([one.perturbation.of_map.gap for one in reports]),
        "gap_of_middle": _mean([one.perturbation.centre.gap for one in reports]),
        "spread_of_random": _mean([one.perturbation.spread for one in reports]),
        "lead": _mean([one.perturbation.lead for one in reports]),
        "alike_to_random_weights": _mean([one.randomised.alike for one in reports]),
        "rank_correlation_when_turned": _mean([one.stability.rank_correlation for one in reports]),
        "probability_moved_when_turned": _mean([one.stability.moved for one in reports]),
        "membrane_over_area": _mean([one.membrane.of_map - one.membrane.area for one in reports if one.membrane]),
        "membrane_over_random": _mean(
            [one.membrane.of_map - one.membrane.random_mean for one in reports if one.membrane]
        ),
        "membrane_f1": _f1_by_threshold(rows),
        "fill_distances": _fill_distances(rows),
        "seconds": float(np.median([one.seconds for one in reports])),
        "rows": [_told(row) for row in rows],
    }


def _told(row: Row) -> dict[str, Any]:
    report = row.report
    return {
        "label": row.label,
        "score": row.score,
        "verdict": report.verdict.value,
        "gap": report.perturbation.of_map.gap,
        "spread": report.perturbation.spread,
        "lead": report.perturbation.lead,
        "gap_of_middle": report.perturbation.centre.gap,
        "swing": report.perturbation.swing,
        "alike": report.randomised.alike,
        "turned": report.stability.rank_correlation,
        "random_lead": row.random_lead,
    }


def _random_lead(scorer: Scorer, evidence: Evidence, attribution: Attribution, seed: int) -> float:
    """The lead of a map that is itself random: what passes for more than chance here does so by chance."""
    (values,) = random_maps(attribution.values, 1, 1_000_000 + seed)
    drawn = replace(attribution, values=values)
    return perturb(scorer.explained(evidence, attribution), evidence, drawn, seed=seed).lead


def _membranes(phantom: Phantom) -> NDArray[np.int64]:
    truth = membrane_mask(phantom) >= MEMBRANE_VALUES[Grade.FAINT_INCOMPLETE]
    counts = []
    for threshold in THRESHOLDS:
        found = stained_membrane(phantom.ihc, MPP, threshold)
        counts.append(((found & truth).sum(), (found & ~truth).sum(), (~found & truth).sum()))
    return np.array(counts, np.int64)


def _f1_by_threshold(rows: Sequence[Row]) -> dict[str, float]:
    """Over all pixels of all pairs."""
    total = np.sum([row.found for row in rows], axis=0)
    return {
        f"{threshold:g}": float(2 * right / (2 * right + wrong + missed))
        for threshold, (right, wrong, missed) in zip(THRESHOLDS, total, strict=True)
    }


def _features(
    scorer: Scorer, evidence: Evidence, attribution: Attribution, seed: int
) -> dict[str, NDArray[np.float32]]:
    """Means of the last stage's features by what was filled: 'intact', and 'IHC, H&E, half' or '..., all' for each filling."""
    layout, picture = evidence.layout, evidence.network_input
    noise = np.random.default_rng(seed).standard_normal((7, 7)).astype(np.float32)
    smooth = cv2.resize(noise, (layout.width, layout.height), interpolation=cv2.INTER_LINEAR)
    gone = np.zeros(smooth.shape, bool)
    for stain in layout.order:
        where = part(layout.cell(stain))
        gone[where] = smooth[where] > np.median(smooth[where])
    inputs = {"intact": picture}
    for ihc, he in product(get_args(Fill), repeat=2):
        empty = filled(picture, layout, {Stain.IHC: ihc, Stain.HE: he})
        inputs[f"{ihc}, {he}, half"] = np.where(gone[..., None], empty, picture)
        inputs[f"{ihc}, {he}, all"] = empty
    network = scorer.explained(evidence, attribution).network
    weights = next(network.parameters())
    with torch.inference_mode():
        x = normalised(np.stack(list(inputs.values())), layout, weights.device).to(weights.dtype)
        means = network.features(x).float().mean(dim=(2, 3)).cpu().numpy()
    return dict(zip(inputs, means, strict=True))


def _fill_distances(rows: Sequence[Row]) -> dict[str, float]:
    """Median distance of each kind of filled input to the nearest intact field; of an intact one to the next."""
    intact = np.stack([row.features["intact"] for row in rows])
    found = {}
    for kind in rows[0].features:
        apart = np.linalg.norm(np.stack([row.features[kind] for row in rows])[:, None] - intact[None], axis=2)
        if kind == "intact":
            np.fill_diagonal(apart, np.inf)
        found[kind] = float(np.median(apart.min(axis=1)))
    return found


Interval = dict[str, float]


def _mean(values: Sequence[float]) -> Interval:
    """Student's interval of a mean."""
    data = np.asarray(values, np.float64)
    if len(data) < 2:
        return {"mean": float(data.mean()) if len(data) else float("nan")}
    reach = float(student.ppf(0.975, len(data) - 1) * data.std(ddof=1) / len(data) ** 0.5)
    mean = float(data.mean())
    return {"mean": mean, "low": mean - reach, "high": mean + reach, "median": float(np.median(data))}


def _share(hits: Sequence[bool]) -> Interval:
    """Wilson's interval of a share."""
    from training.evaluation.figures import wilson

    figure = wilson("", np.asarray(hits, bool))
    assert figure.value is not None and figure.low is not None and figure.high is not None
    return {"mean": figure.value, "low": figure.low, "high": figure.high}


def lines(found: dict[str, Any]) -> list[tuple[str, str]]:
    """The figures as rows of a table."""

    def told(figure: Interval) -> str:
        reach = f" ({figure['low']:.3f} to {figure['high']:.3f})" if "low" in figure else ""
        return f"{figure['mean']:.3f}{reach}"

    rows = [(f"verdict: {verdict}", told(figure)) for verdict, figure in found["verdicts"].items()]
    for score, counts in found["verdicts_by_score"].items():
        rows.append((f"  of fields scored {score}", ", ".join(f"{name} {n}" for name, n in sorted(counts.items()))))
    rows += [
        (key.replace("_", " "), told(figure))
        for key, figure in found.items()
        if isinstance(figure, dict) and "mean" in figure
    ]
    rows += [(f"membrane F1 at {key}", f"{value:.3f}") for key, value in found["membrane_f1"].items()]
    rows += [(f"fill distance: {key}", f"{value:.3f}") for key, value in found["fill_distances"].items()]
    return [*rows, ("seconds a report, median", f"{found['seconds']:.2f}")]


CHOSEN: Final = f"fills {', '.join(f'{stain.caption} {fill}' for stain, fill in FILLS.items())}; DAB from {STAINED:g}"
"""What the figures were the reason for."""
