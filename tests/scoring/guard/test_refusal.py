import numpy as np
import pytest

from her2viewer.errors import ImageError
from her2viewer.scoring.evidence import FieldPixels
from her2viewer.scoring.guard.refusal import refuse_incomplete, refuse_unscorable
from her2viewer.scoring.prediction import FieldOfView
from her2viewer.scoring.preprocess import InputLayout
from her2viewer.scoring.stains import Stain


def test_an_image_of_less_than_a_cell_is_refused() -> None:
    small, enough = np.zeros((31, 400, 3), np.uint8), np.zeros((32, 32, 3), np.uint8)
    refuse_unscorable(FieldPixels.whole(enough, enough))
    with pytest.raises(ImageError, match="the IHC HER2 image is 400 x 31 pixels, too small"):
        refuse_unscorable(FieldPixels.whole(enough, small))


def test_a_stain_that_the_model_needs_is_asked_for() -> None:
    image = np.zeros((64, 64, 3), np.uint8)
    for stain in Stain:
        alone = FieldPixels({stain: image}, {stain: FieldOfView.whole((64, 64))})
        refuse_incomplete(alone, InputLayout(optional=(Stain.HE, Stain.IHC)))
        with pytest.raises(ImageError, match=f"needs the {stain.other.caption} image, and it is missing; give both"):
            refuse_incomplete(alone, InputLayout())
