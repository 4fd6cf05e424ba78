"""One pair, by a network that knows nothing and by a map that knows everything."""

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest

from her2viewer.scoring.evidence import Attribution, Evidence
from her2viewer.scoring.scorer import Scorer
from her2viewer.scoring.stains import Stain
from training.phantom.pair import Phantom
from training.truth.deciding import deciding_cells
from training.truth.judging import as_files, judged
from training.truth.maps import FREE, MapName, every_map

LAYER1 = MapName("Grad-CAM", "layer1")


class Knowing:
    """A scorer whose maps are the deciding cells themselves, on a grid as fine as the raster."""

    def __init__(self, scorer: Scorer, phantom: Phantom, sign: float = 1) -> None:
        self._scorer, self._sign = scorer, sign
        masks = deciding_cells(phantom).masks
        self._values = np.hstack(
            [
                cv2.resize(masks[s].astype(np.float32), (256, 256), interpolation=cv2.INTER_AREA)
                for s in (Stain.IHC, Stain.HE)
            ]
        )

    def score(self, field: Any) -> Evidence:
        return self._scorer.score(field)

    def gradient_attributions(self, evidence: Evidence, target: str) -> list[Attribution]:
        return [replace(evidence.attribution(target), values=self._sign * self._values, separate=True)]


def test_a_map_of_the_deciding_cells_is_right_in_both_images(scorer: Scorer, phantoms: dict[str, Phantom]) -> None:
    phantom = phantoms["2+"]
    row = judged(phantom, Knowing(scorer, phantom), [FREE])  # type: ignore[arg-type]
    (found,) = row.maps
    for stain in ("ihc", "he"):
        marks = found.marks[stain]
        assert marks.pointing == 1
        assert marks.mass > 0.95
        assert marks.rank == pytest.approx(1)
    assert found.peak == pytest.approx(1)
    assert found.ihc_share == pytest.approx(0.5, abs=0.02)
    assert row.cells == deciding_cells(phantom).cells
    assert row.area["ihc"] == pytest.approx(deciding_cells(phantom).area, abs=0.01)
    assert row.near["ihc"] > row.area["ihc"]


def test_a_map_without_positive_evidence_earns_nothing(scorer: Scorer, phantoms: dict[str, Phantom]) -> None:
    phantom = phantoms["2+"]
    (found,) = judged(phantom, Knowing(scorer, phantom, sign=-1), [FREE]).maps  # type: ignore[arg-type]
    assert {(marks.pointing, marks.mass, marks.rank) for marks in found.marks.values()} == {(0, 0, 0)}
    assert (found.positive, found.peak, found.ihc_share) == (0, 0, None)


def test_a_pair_of_class_0_tells_amounts_alone(scorer: Scorer, phantoms: dict[str, Phantom]) -> None:
    row = judged(phantoms["0"], scorer, [FREE, LAYER1, MapName("DAB density")])
    assert (row.label, row.cells, row.area, row.near) == ("0", 0, {}, {})
    assert all(one.marks == {} for one in row.maps)
    assert {one.name: one.positive is None for one in row.maps} == {
        FREE: False, LAYER1: False, MapName("DAB density"): True
    }  # fmt: skip


def test_every_quick_map_of_a_real_network(scorer: Scorer, phantoms: dict[str, Phantom]) -> None:
    phantom = phantoms["3+"]
    names = every_map(slow=False)
    row = judged(phantom, scorer, names)
    assert {one.name for one in row.maps} == set(names)
    evidence = scorer.score(as_files(phantom))
    assert row.said == evidence.prediction.score
    assert row.model == scorer.package.manifest.weights.sha256
    free = next(one for one in row.maps if one.name == FREE)
    values = evidence.attribution(row.said).values
    assert free.positive == pytest.approx(float(values[values > 0].sum()), rel=1e-5)
    assert all(set(one.marks) == {"ihc", "he"} for one in row.maps)


def test_pairs_are_judged_as_their_files_would_be(phantoms: dict[str, Phantom]) -> None:
    phantom = phantoms["1+"]
    pixels = as_files(phantom).pixels
    apart = np.abs(pixels[Stain.IHC].astype(int) - phantom.ihc.astype(int))
    assert 0 < apart.mean() < 6
    assert pixels[Stain.IHC].shape == phantom.ihc.shape
    # Red stays red: OpenCV's order would swap it with blue, which DAB takes most of.
    assert np.abs(pixels[Stain.IHC].mean((0, 1)) - phantom.ihc.mean((0, 1))).max() < 2
