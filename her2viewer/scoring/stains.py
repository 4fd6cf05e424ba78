"""The two stains of a pair and their names on screen."""

from enum import StrEnum

from her2viewer.imaging.stain_vectors import Dyes


class Stain(StrEnum):
    """Which stain an image carries. The value is the word used in files and on the command line."""

    HE = "he"
    IHC = "ihc"

    @property
    def caption(self) -> str:
        return {Stain.HE: "H&E", Stain.IHC: "IHC HER2"}[self]

    @property
    def dyes(self) -> Dyes:
        return {Stain.HE: Dyes.HAEMATOXYLIN_EOSIN, Stain.IHC: Dyes.HAEMATOXYLIN_DAB}[self]

    @property
    def other(self) -> "Stain":
        return Stain.IHC if self is Stain.HE else Stain.HE
