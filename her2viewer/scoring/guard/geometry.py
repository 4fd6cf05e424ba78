"""Whether the field is there on both images, in one size, with enough pixels."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from her2viewer.scoring.evidence import FieldPixels
from her2viewer.scoring.guard.report import Examined
from her2viewer.scoring.preprocess import InputLayout
from her2viewer.scoring.stains import Stain

ASPECT_TOLERANCE: Final = 0.02

LEAST_COVERED: Final = 0.95
"""Share of a field on each image: corners that turning the H&E leaves empty are passed over, as glass would be."""


def examine_geometry(field: FieldPixels, layout: InputLayout) -> Iterator[Examined]:
    """Presence, place, size and resolution; no pixel is looked at."""
    yield from _presence(field, layout)
    yield from _place(field)
    yield from _size(field)
    yield from _resolution(field, layout)


def _presence(field: FieldPixels, layout: InputLayout) -> Iterator[Examined]:
    for stain in layout.order:
        yield Examined(
            "stain_missing",
            stain,
            f"{stain.caption} image given",
            float(stain in field.pixels),
            1.0,
            at_least=True,
            message=f"There is no {stain.caption} image: the score rests on the {stain.other.caption} alone, as this model was "
            "trained to do where it must.",
        )


def _place(field: FieldPixels) -> Iterator[Examined]:
    for stain in sorted(field.pixels):
        share = field.covered.get(stain, 1.0)
        yield Examined(
            "outside_image",
            stain,
            f"share of the field on the {stain.caption} image",
            share,
            LEAST_COVERED,
            at_least=True,
            message=f"Only {share:.0%} of the field lies on the {stain.caption} image, and the rest was taken for white: choose "
            "a field that both images show.",
        )


def _size(field: FieldPixels) -> Iterator[Examined]:
    if len(field.fields) < 2:
        return
    he, ihc = field.fields[Stain.HE], field.fields[Stain.IHC]
    proportions = abs(np.log((he.width / he.height) / (ihc.width / ihc.height)))
    sides = abs(np.log(he.width / ihc.width)), abs(np.log(he.height / ihc.height))
    # Fields of one shape and another size were not scanned alike: that counts as much as another shape.
    unlike = float(max(proportions, *(ASPECT_TOLERANCE + side if side > 0 else 0.0 for side in sides)))
    yield Examined(
        "unlike_sizes",
        None,
        "difference of the two images' sizes",
        unlike,
        ASPECT_TOLERANCE,
        at_least=False,
        message=f"The images differ in size (H&E {he.width:.0f} x {he.height:.0f}, IHC {ihc.width:.0f} x {ihc.height:.0f} "
        "pixels) and may not show the same field: check that they belong together.",
    )


def _resolution(field: FieldPixels, layout: InputLayout) -> Iterator[Examined]:
    for stain in (stain for stain in layout.order if stain in field.pixels):
        cell = layout.cell(stain)
        height, width = field.pixels[stain].shape[:2]
        yield Examined(
            "low_resolution",
            stain,
            f"pixels of the {stain.caption} image for one that the model looks at",
            min(width / cell.width, height / cell.height),
            1.0,
            at_least=True,
            message=f"The {stain.caption} image has fewer pixels than the model looks at ({width} x {height} for "
            f"{cell.width} x {cell.height}): use the original image.",
        )
