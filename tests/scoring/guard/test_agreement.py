from pathlib import Path

import numpy as np

from her2viewer.scoring.guard.agreement import LEAST_AGREEING, agreement, examine_agreement
from her2viewer.scoring.guard.sample import Sample
from her2viewer.scoring.stains import Stain
from tests.guard.good import folder_pairs
from tests.scoring.guard.conftest import Picture


def test_a_pair_agrees_also_when_it_lies_a_little_off(pair: tuple[Picture, Picture]) -> None:
    he, ihc = pair
    assert agreement(Sample(he), Sample(ihc)) > 0.9
    assert agreement(Sample(np.roll(he, (30, -24), (0, 1))), Sample(ihc)) > 0.6


def test_empty_glass_and_other_tissue_agree_no_more_than_by_chance(pair: tuple[Picture, Picture]) -> None:
    he, ihc = pair
    noise = np.random.default_rng(0).normal(235, 1.5, ihc.shape).clip(0, 255).astype(np.uint8)
    assert agreement(Sample(he), Sample(np.full_like(ihc, 240))) < LEAST_AGREEING
    for other in (noise, np.rot90(ihc), np.rot90(ihc, 2), ihc[::-1]):
        assert agreement(Sample(he), Sample(np.ascontiguousarray(other))) < 0.5


def test_one_image_is_not_compared(samples: dict[Stain, Sample]) -> None:
    assert list(examine_agreement({Stain.HE: samples[Stain.HE]})) == []


def test_serial_sections_agree(shared_data: Path) -> None:
    fields = [good.read().pixels for good in folder_pairs("BCI pairs", shared_data / "bci")]
    shares = [agreement(Sample(pixels[Stain.HE]), Sample(pixels[Stain.IHC])) for pixels in fields]
    assert sum(share >= LEAST_AGREEING for share in shares) >= 0.9 * len(shares)
