"""Whether there is tissue in the field."""

from collections.abc import Iterator, Mapping
from typing import Final

from her2viewer.scoring.evidence import FieldPixels
from her2viewer.scoring.guard.report import Examined
from her2viewer.scoring.guard.sample import Sample
from her2viewer.scoring.prediction import Check
from her2viewer.scoring.stains import Stain

TISSUE_SHARE: Final = 0.02
"""The emptiest of the H&E fields measured holds 12% tissue."""


def examine_tissue(samples: Mapping[Stain, Sample]) -> Iterator[Examined]:
    """By the H&E alone: a faint IHC shows as little as an empty slide, so without an H&E nothing is said."""
    if Stain.HE in samples:
        share = samples[Stain.HE].tissue_share
        yield Examined(
            "no_tissue",
            Stain.HE,
            "share of tissue in the H&E image",
            share,
            TISSUE_SHARE,
            at_least=True,
            message=f"The H&E image holds hardly any tissue ({share:.1%} of it): choose another field.",
        )


def check_tissue(field: FieldPixels) -> Check | None:
    """The check that a field without tissue would not pass, before any network looks at it; None where there is tissue."""
    found = examine_tissue({stain: Sample(image) for stain, image in field.pixels.items() if stain is Stain.HE})
    return next((one.check for one in found if not one.passed), None)
