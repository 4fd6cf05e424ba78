import numpy as np

from her2viewer.scoring.evidence import Attribution
from her2viewer.scoring.prediction import FieldOfView
from her2viewer.scoring.preprocess import InputLayout
from her2viewer.scoring.stains import Stain


def test_nothing_is_read_across_the_seam_of_parts_computed_apart() -> None:
    values = np.zeros((2, 4), np.float32)
    values[:, 2:] = 1  # the H&E's half
    fields = {stain: FieldOfView.whole((100, 100)) for stain in Stain}
    whole = FieldOfView.whole((100, 100))
    for separate, leaked in ((False, True), (True, False)):
        attribution = Attribution(values, "2+", "layer4", "Grad-CAM", InputLayout(), fields, separate)
        assert bool((attribution.render(Stain.IHC, whole, (100, 100)) > 0).any()) == leaked
        assert bool((attribution.render(Stain.HE, whole, (100, 100)) < 1).any()) == leaked
