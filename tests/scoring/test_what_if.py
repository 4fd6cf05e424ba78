import numpy as np
import pytest

from her2viewer.errors import Cancelled, ImageError
from her2viewer.imaging.separation import remixed
from her2viewer.imaging.stain_estimation import usual_vectors
from her2viewer.imaging.stain_vectors import Dyes
from her2viewer.scoring.evidence import Evidence, FieldPixels
from her2viewer.scoring.package import ModelPackage
from her2viewer.scoring.preprocess import InputLayout, NetworkInput, compose
from her2viewer.scoring.scorer import Scorer
from her2viewer.scoring.stains import Stain
from her2viewer.scoring.what_if import CLOSE, FACTORS, Border, WhatIf, _composed, what_if

CLASSES = ("0", "1+", "2+", "3+")


class Darkness:
    """Says a class by how dark the IHC's half is on average: the borders are at known grey levels."""

    def __init__(self, levels: tuple[float, ...], classes: tuple[int, ...] = (0, 1, 2, 3)) -> None:
        self.levels, self.classes, self.passes = levels, classes, 0

    def probabilities(self, inputs: list[NetworkInput]) -> np.ndarray:
        self.passes += 1
        rows = np.full((len(inputs), 4), 0.1)
        for row, one in zip(rows, inputs, strict=True):
            row[self.classes[sum(255 - one[:, : one.shape[1] // 2].mean() > level for level in self.levels)]] = 0.7
        return rows


@pytest.fixture(scope="module")
def scored(package: ModelPackage) -> tuple[Scorer, FieldPixels, Evidence]:
    from tests.scoring.conftest import tissue

    scorer, field = Scorer.open(package, "cpu"), FieldPixels.whole(tissue(1), tissue(2, stain="ihc"))
    return scorer, field, scorer.score(field)


def darkness_at(field: FieldPixels, factor: float) -> float:
    ihc = field.pixels[Stain.IHC]
    vectors = usual_vectors(ihc, Dyes.HAEMATOXYLIN_DAB)
    pixels = dict(field.pixels) | {Stain.IHC: remixed(ihc, vectors, 1, factor)}
    composed = compose(pixels, InputLayout(mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25)))
    return float(255 - composed[:, : composed.shape[1] // 2].mean())


def test_as_it_is_the_field_says_what_its_score_said(scored: tuple[Scorer, FieldPixels, Evidence]) -> None:
    found = what_if(*scored)
    prediction = scored[2].prediction
    assert found.score == prediction.score
    assert found.probabilities_at(1.0) == pytest.approx(prediction.probabilities, abs=1e-5)
    assert set(FACTORS) <= set(found.factors.tolist())
    assert found.probabilities.sum(axis=1) == pytest.approx(1)
    assert not found.factors.flags.writeable and not found.probabilities.flags.writeable


def test_another_strength_is_scored_as_such_a_pair_would_be(scored: tuple[Scorer, FieldPixels, Evidence]) -> None:
    scorer, field, _ = scored
    found = what_if(*scored)
    ihc = remixed(field.pixels[Stain.IHC], found.vectors, 1, 1.6)
    prediction = scorer.score(FieldPixels.whole(field.pixels[Stain.HE], ihc)).prediction
    assert found.probabilities_at(1.6) == pytest.approx(prediction.probabilities, abs=1e-5)


def test_borders_are_found_to_a_hundredth(scored: tuple[Scorer, FieldPixels, Evidence]) -> None:
    _, field, evidence = scored
    at = (0.433, 1.317, 2.71)
    found = what_if(Darkness(tuple(darkness_at(field, factor) for factor in at)), field, evidence)
    assert [border.factor for border in found.borders] == pytest.approx(at, abs=CLOSE)
    assert [(border.below, border.above) for border in found.borders] == [("0", "1+"), ("1+", "2+"), ("2+", "3+")]
    assert [found.score_at(factor) for factor in (0, 0.5, 1, 1.4, 3)] == ["0", "1+", "1+", "2+", "3+"]
    assert found.reach == (found.borders[0], found.borders[1])
    assert found.words.startswith("The score stays 1+ from 0.4") and found.words.endswith(
        "with less it is 0, with more 2+."
    )


def test_two_borders_within_one_step_of_the_grid_are_both_found(scored: tuple[Scorer, FieldPixels, Evidence]) -> None:
    _, field, evidence = scored
    at = (1.45, 1.53)
    found = what_if(Darkness(tuple(darkness_at(field, factor) for factor in at), (1, 2, 3)), field, evidence)
    assert [border.factor for border in found.borders] == pytest.approx(at, abs=CLOSE)


def test_without_borders_nothing_is_searched(scored: tuple[Scorer, FieldPixels, Evidence]) -> None:
    _, field, evidence = scored
    never = Darkness((999.0,))
    found = what_if(never, field, evidence)
    assert found.borders == () and len(found.factors) == len(FACTORS) and never.passes == -(-len(FACTORS) // 4)
    assert found.words == "The score is 0 from no DAB at all to 3 times as much as this field has."
    assert found.score_at(2) == "0"


@pytest.mark.parametrize(
    ("borders", "words"),
    [
        ((Border(0.5, "1+", "2+"),), "from 0.50 to 3 times the DAB of this field; with less it is 1+."),
        ((Border(1.5, "2+", "3+"),), "up to 1.50 times the DAB of this field; with more it is 3+."),
    ],
)
def test_one_border_in_words(
    scored: tuple[Scorer, FieldPixels, Evidence], borders: tuple[Border, ...], words: str
) -> None:
    vectors = usual_vectors(scored[1].pixels[Stain.IHC], Dyes.HAEMATOXYLIN_DAB)
    found = WhatIf(CLASSES, "2+", np.array([0.0, 3.0]), np.full((2, 4), 0.25), borders, vectors)
    assert found.words.endswith(words)


def test_only_the_ihcs_cell_is_composed_anew(scored: tuple[Scorer, FieldPixels, Evidence]) -> None:
    _, field, evidence = scored
    other = np.ascontiguousarray(field.pixels[Stain.IHC][::-1])
    again = _composed(other, evidence.network_input, evidence.layout)
    assert np.array_equal(again, compose(dict(field.pixels) | {Stain.IHC: other}, evidence.layout))
    assert np.array_equal(_composed(field.pixels[Stain.IHC], again, evidence.layout), evidence.network_input)


def test_it_stops_between_passes_and_tells_how_far_it_is(scored: tuple[Scorer, FieldPixels, Evidence]) -> None:
    _, field, evidence = scored
    told: list[tuple[int, int]] = []
    scorer = Darkness((999.0,))
    with pytest.raises(Cancelled):
        what_if(scorer, field, evidence, cancelled=lambda: bool(told), progress=lambda *so_far: told.append(so_far))
    assert told == [(4, len(FACTORS))] and scorer.passes == 1


def test_what_cannot_be_asked(scored: tuple[Scorer, FieldPixels, Evidence]) -> None:
    scorer, field, evidence = scored
    alone = FieldPixels({Stain.HE: field.pixels[Stain.HE]}, field.fields)
    with pytest.raises(ImageError, match="does not rest on an IHC image; score a pair"):
        what_if(scorer, alone, evidence)
    with pytest.raises(ValueError, match="1 must be among them"):
        what_if(scorer, field, evidence, factors=(0, 2))
