from pathlib import Path

from her2viewer.gui.dropping import assign
from her2viewer.scoring.stains import Stain


def test_two_files_are_told_apart_by_name() -> None:
    he, ihc = Path("x/S1_HE.png"), Path("x/S1_HER2.png")
    for files in ((he, ihc), (ihc, he)):
        assert assign(files, Stain.IHC).files == {Stain.HE: he, Stain.IHC: ihc}
    unsure = assign((Path("x/a.png"), Path("x/b.png")), Stain.HE)
    assert not unsure.sure
