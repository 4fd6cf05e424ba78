"""The settings of a training and the words of its card: what a recipe file holds. Plain data; nothing here trains."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from her2viewer.scoring.architecture import Architecture
from her2viewer.scoring.preprocess import InputLayout

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

Sampling = Literal["all", "oversampling", "undersampling"]
Share = Annotated[float, Field(ge=0, le=1)]
Extent = Annotated[float, Field(ge=0)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Augmentation(_Section):
    """How far each thing varies from draw to draw; 0 or False leaves it as it is. `NONE` leaves a field as it is.

    Geometry is one for both stains but for `shift` (serial sections are cut a little beside); colour is each stain's own.
    """

    orientation: bool = True
    """Flips and right angles."""
    zoom: Extent = 0.2
    """Largest magnification either way, as a natural logarithm."""
    shift: Share = 0.03
    """Between the stains, in shares of a side."""
    he_strength: Extent = 0.35
    """Of stain, in optical density, as a natural logarithm. The IHC's is small, since its strength is the label."""
    ihc_strength: Extent = 0.12
    counterstain: Extent = 0.0
    """Strength of the IHC's haematoxylin alone, as a natural logarithm: laboratories differ most in it, and it is no HER2."""
    vectors: Extent = 0.0
    """Deviation of each component of the IHC's unit stain vectors."""
    hue: Extent = 0.08
    """Of each channel's density, as a natural logarithm."""
    tint: Share = 0.25
    """How far the background moves to a grey of 170 to 255: it goes with the slide, and who learns it learns the slide."""
    blur: Extent = 1.0
    """Largest sigma in pixels of the training side."""
    noise: Extent = 4.0
    """Largest sigma in grey levels."""
    jpeg: Share = 0.0
    """How often a stain is recompressed, at a quality of 40 to 95."""
    he_dropout: Share = 0.25
    """How often the H&E is another field's, so that the network does not lean on it: HER2 is not read off an H&E."""
    stain_dropout: Share = 0.0
    """How often one of the two stains is left out altogether, so that the network also serves a stain alone."""


NONE = Augmentation(
    orientation=False, zoom=0, shift=0, he_strength=0, ihc_strength=0, hue=0, tint=0, blur=0, noise=0, he_dropout=0
)  # fmt: skip


class Recipe(_Section):
    """The settings of a training. The defaults are this project's; `recipes/thesis/` holds the thesis's."""

    epochs: Annotated[int, Field(ge=1)] = 12
    patience: Annotated[int, Field(ge=0)] = 0
    """Epochs without a better validation loss after which training stops; 0 never stops early."""
    batch: Annotated[int, Field(ge=2)] = 32
    optimizer: Literal["adam", "adamw"] = "adamw"
    learning_rate: Annotated[float, Field(gt=0)] = 3e-4
    schedule: Literal["constant", "cosine"] = "cosine"
    """`cosine` warms up over one epoch first."""
    weight_decay: Extent = 0.02
    """Decoupled with adamw, an L2 penalty with adam (as in torch)."""
    loss: Literal["cross-entropy", "ordinal"] = "cross-entropy"
    """`ordinal`: cross-entropy against soft labels that fall off with the square of the distance in grades (Diaz and
    Marathe 2019, "Soft labels for ordinal regression")."""
    label_smoothing: Share = 0.05
    class_weights: bool = False
    """Weighs each class's loss by the inverse of its share."""
    sampling: Sampling = "oversampling"
    """`oversampling` draws every class equally often, `undersampling` cuts each to the smallest class, anew each epoch."""
    average: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Decay per step of an exponential moving average of the weights, which is then what is validated and packaged; 0: none."""
    precision: Literal["32", "bf16", "16"] = "32"
    """`bf16` and `16` are mixed precision; `16` is for CUDA alone."""
    seed: Annotated[int, Field(ge=0)] = 0
    start: str = "imagenet"
    network: Architecture = "resnet18"
    layout: InputLayout = InputLayout(mean=IMAGENET_MEAN, std=IMAGENET_STD)
    augmentation: Augmentation = Augmentation()

    def settings(self) -> dict[str, str | int | float | bool]:
        """Flat, for `model.json` and the card."""
        plain = self.model_dump(exclude={"layout", "augmentation"}) | {"start": placeless_start(self.start)}
        return plain | {f"augmentation_{name}": value for name, value in self.augmentation.model_dump().items()}


def placeless_start(start: str) -> str:
    """A `start` that names a file or folder, without the place where it lies."""
    kind, colon, place = start.partition(":")
    return f"{kind}:{Path(place).name}" if colon else start


class Experiment(_Section):
    """What `compare` makes of a recipe: the `[experiment]` section."""

    title: str
    group: str
    """Recipes of one group stand together in the table."""
    seeds: Annotated[int, Field(ge=1, le=100)] = 1
    """Trained once per seed, from the recipe's own upwards; several are reported one by one and as an ensemble."""
    distil: bool = False
    """Whether one more network is taught by the ensemble."""
    flips: bool = False
    """Whether the eight orientations of a field are averaged when it is scored."""


class Description(_Section):
    """The words of a package that no measurement gives: the `[card]` section."""

    name: str
    version: str
    summary: str
    data: str
    caution: str = ""
    limits: tuple[str, ...] = ()
    not_tested_on: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
