from pathlib import Path

import numpy as np
import pytest

from her2viewer.scoring.evidence import FieldPixels
from her2viewer.scoring.package import ModelPackage, write_package
from her2viewer.scoring.preprocess import InputLayout, compose
from her2viewer.scoring.scorer import Scorer
from her2viewer.scoring.stain_effect import StainEffect, inputs_without
from her2viewer.scoring.stains import Stain
from tests.scoring.conftest import manifest, random_network

LAYOUT = InputLayout(width=128, height=64, mean=(0.5, 0.4, 0.6), std=(0.25, 0.25, 0.25), optional=(Stain.HE,))


@pytest.mark.parametrize("colour", ["rgb", "grayscale"])
def test_a_missing_stain_is_what_composing_without_it_gives(field: FieldPixels, colour: str) -> None:
    layout = LAYOUT.model_copy(update={"colour": colour})
    changed = {
        (stain, change): picture for stain, change, picture in inputs_without(compose(field.pixels, layout), layout)
    }
    assert set(changed) == {(Stain.HE, "missing"), (Stain.HE, "blank"), (Stain.IHC, "blank")}
    alone = compose({Stain.IHC: field.pixels[Stain.IHC]}, layout)
    assert np.array_equal(changed[Stain.HE, "missing"], alone)


@pytest.mark.parametrize(("white", "glass"), [("as-is", 255), ("background", 245)])
def test_a_blank_is_what_composing_an_empty_slide_gives(field: FieldPixels, white: str, glass: int) -> None:
    layout = LAYOUT.model_copy(update={"white": white})
    empty = np.full((80, 90, 3), glass, np.uint8)
    for stain, change, picture in inputs_without(compose(field.pixels, layout), layout):
        if change == "blank":
            assert np.array_equal(picture, compose({**field.pixels, stain: empty}, layout))


def test_the_scorer_says_what_it_would_have_said_without_the_stain(field: FieldPixels, tmp_path: Path) -> None:
    arrays = {k: v.numpy() for k, v in random_network().state_dict().items() if v.is_floating_point()}
    package: ModelPackage = write_package(tmp_path / "model", manifest(input=LAYOUT), arrays, "# Random\n")
    scorer = Scorer.open(package, "cpu")
    evidence = scorer.score(field)
    missing = next(effect for effect in scorer.stain_effects(evidence) if effect.change == "missing")
    ihc = Stain.IHC
    alone = scorer.score(FieldPixels({ihc: field.pixels[ihc]}, {ihc: field.fields[ihc]})).prediction
    assert (missing.stain, missing.classes) == (Stain.HE, evidence.prediction.classes)
    assert missing.before == evidence.prediction.probabilities
    assert missing.after == pytest.approx(alone.probabilities, abs=1e-5)
    assert missing.before != pytest.approx(missing.after, abs=1e-4), "the H&E counts for something"


def test_an_effect_in_figures_and_words() -> None:
    effect = StainEffect(Stain.HE, "missing", ("1+", "2+"), (0.3, 0.7), (0.36, 0.64))
    assert effect.moved == pytest.approx((0.06, -0.06))
    assert effect.share_moved == pytest.approx(0.06)
    assert effect.words == "Without the H&E image the score stays 2+ (probability of 2+ from 70% to 64%)."
    turned = StainEffect(Stain.IHC, "blank", ("1+", "2+"), (0.3, 0.7), (0.9, 0.1))
    assert turned.words.startswith("With empty glass for the IHC HER2 image the score turns from 2+ to 1+ (")
