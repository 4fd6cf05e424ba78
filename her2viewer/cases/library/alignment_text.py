"""An alignment as the text that the library keeps, and back."""

import json
from dataclasses import astuple

import numpy as np

from her2viewer.imaging.affine import Affine
from her2viewer.imaging.alignment import Alignment
from her2viewer.imaging.thin_plate import ThinPlate


def alignment_text(alignment: Alignment) -> str:
    """As JSON."""
    warp = alignment.warp
    bent = None
    if warp is not None:
        bent = {
            "centres": warp.centres.tolist(),
            "weights": warp.weights.tolist(),
            "middle": warp.middle,
            "extent": warp.extent,
        }
    return json.dumps(
        {
            "affine": astuple(alignment.he_to_ihc),
            "warp": bent,
            "origin": alignment.origin,
            "error_px": alignment.error_px,
            "error_um": alignment.error_um,
            "poor": alignment.poor,
        }
    )


def read_alignment(text: str) -> Alignment:
    """Raises ValueError for a text that is none of `alignment_text`'s."""
    try:
        told = json.loads(text)
        warp, bent = None, told["warp"]
        if bent is not None:
            centres, weights = np.array(bent["centres"], np.float64), np.array(bent["weights"], np.float64)
            x, y = bent["middle"]
            warp = ThinPlate(centres, weights, (x, y), bent["extent"])
        return Alignment(
            Affine(*told["affine"]), warp, told["origin"], told["error_px"], told["error_um"], told["poor"]
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"no alignment: {error}") from error
