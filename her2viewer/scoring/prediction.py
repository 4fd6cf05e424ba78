"""What the network said about one field of a pair: immutable, plain data that knows neither torch nor Qt."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from her2viewer.imaging.affine import IDENTITY, Affine
from her2viewer.scoring.stains import Stain


@dataclass(frozen=True, slots=True)
class FieldOfView:
    """A rectangle, continuous: it spans `[x, x + width) x [y, y + height)` of the plane that `frame` leads to.

    `frame`: from level-0 px of the image to that plane; the identity, unless the image is laid on another: the H&E of a
    registered pair is scored where the IHC's rectangle lies on it.
    """

    x: float
    y: float
    width: float
    height: float
    frame: Affine = IDENTITY

    def __post_init__(self) -> None:
        if not (self.width > 0 and self.height > 0):
            raise ValueError(f"a field needs an area, got {self.width} x {self.height}")

    @classmethod
    def whole(cls, size: tuple[int, int]) -> "FieldOfView":
        """The whole of an image of `size` (width, height)."""
        return cls(0.0, 0.0, float(size[0]), float(size[1]))


@dataclass(frozen=True, slots=True)
class Check:
    """One look at the input before its score counts. `message` is for the user, with what to do; it stands also in files."""

    name: str
    figure: float
    threshold: float
    message: str


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """Which model spoke. `sha256` is of the weights file, lower-case hex."""

    name: str
    version: str
    sha256: str

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


@dataclass(frozen=True, slots=True)
class Prediction:
    """A field-level prediction, never a case status.

    `probabilities` are calibrated (temperature-scaled), in the order of `classes`, and sum to 1. `prediction_set` is the
    split-conformal set at the package's level, in the order of `classes`; empty where the package has no quantile.
    `no_call` is a reason, in words, why the score should not be used, or None. `seconds` is the scorer's own time for this
    field (a share of the batch where it ran in one), without decoding. `caution` is the model's own sentence on why not to
    rely on its scores, or empty; it stands wherever the score does.
    """

    score: str
    classes: tuple[str, ...]
    probabilities: tuple[float, ...]
    prediction_set: tuple[str, ...]
    no_call: str | None
    checks: tuple[Check, ...]
    model: ModelIdentity
    device: str
    precision: str
    seconds: float
    fields: Mapping[Stain, FieldOfView] = field(default_factory=lambda: MappingProxyType({}))
    caution: str = ""

    def probability(self, name: str) -> float:
        """The probability of a class by its name, for example '2+'."""
        return self.probabilities[self.classes.index(name)]
