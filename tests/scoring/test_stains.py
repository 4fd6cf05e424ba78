from her2viewer.imaging.stain_vectors import Dyes
from her2viewer.scoring.stains import Stain


def test_each_stain_has_its_dyes() -> None:
    assert Stain.HE.dyes is Dyes.HAEMATOXYLIN_EOSIN and Stain.IHC.dyes is Dyes.HAEMATOXYLIN_DAB
