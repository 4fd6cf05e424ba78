"""A prediction, a map and two sources that nobody computed: what an export needs and no more."""

from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from her2viewer.imaging.source import ImageSource, Level, PixelSize, RGBImage
from her2viewer.scoring.attribution.attribution import Attribution
from her2viewer.scoring.prediction import Check, FieldOfView, ModelIdentity, Prediction
from her2viewer.scoring.preprocess import InputLayout
from her2viewer.scoring.stains import Stain

MODEL = ModelIdentity("resnet18-bci", "1.2", "0123456789abcdef" * 4)


@dataclass
class Source:
    """An image source that has no pixels."""

    path: Path
    size: tuple[int, int] = (1024, 512)
    mpp: PixelSize | None = None
    notes: tuple[str, ...] = ()
    format: str = "JPEG"
    sha256: str = "ab" * 32
    levels: tuple[Level, ...] = ()

    def read(self, level: int, x: int, y: int, w: int, h: int) -> RGBImage:
        raise AssertionError("no export reads pixels from a source")

    def close(self) -> None: ...

    def __enter__(self) -> "Source":
        return self

    def __exit__(self, *exc: object) -> None: ...


def prediction(he: tuple[int, int] = (1024, 512), ihc: tuple[int, int] = (1024, 512), **changes: object) -> Prediction:
    base = Prediction(
        score="2+",
        classes=("0", "1+", "2+", "3+"),
        probabilities=(0.015625, 0.0625, 0.796875, 0.125),
        prediction_set=("2+", "3+"),
        no_call=None,
        checks=(),
        model=MODEL,
        device="CPU",
        precision="fp32",
        seconds=0.0625,
        fields={Stain.HE: FieldOfView.whole(he), Stain.IHC: FieldOfView.whole(ihc)},
    )
    return replace(base, **changes)


def attribution(fields: dict[Stain, tuple[int, int]], *, sign: int = 1, seed: int = 3) -> Attribution:
    """7 x 7 cells, some below 0; with `sign` -1 none above."""
    values = np.random.default_rng(seed).normal(0.1, 0.3, (7, 7)).astype(np.float32)
    values = values if sign > 0 else -np.abs(values)
    views = {stain: FieldOfView.whole(size) for stain, size in fields.items()}
    return Attribution(values, "2+", "layer4", "Grad-CAM", InputLayout(), views)


def tissue(size: tuple[int, int], stain: Stain, seed: int = 1) -> RGBImage:
    """(h, w, 3) uint8: blobs of the stain's colour on near white."""
    width, height = size
    rng = np.random.default_rng(seed)
    amount = cv2.resize(rng.random((8, 8)), (width, height), interpolation=cv2.INTER_CUBIC)[..., None]
    density = {Stain.HE: (0.3, 0.6, 0.3), Stain.IHC: (0.25, 0.35, 0.5)}[stain]
    image = 240 * 10 ** (-np.clip(amount, 0, 1) * np.array(density)) + rng.normal(0, 2, (height, width, 3))
    return np.clip(image, 0, 255).astype(np.uint8)


@pytest.fixture
def sources(tmp_path: Path) -> dict[Stain, ImageSource]:
    return {
        Stain.HE: Source(tmp_path / "study" / "HE" / "fall ü_1+.png", notes=("16-bit, scaled to 8 bit",)),
        Stain.IHC: Source(tmp_path / "study" / "IHC" / "fall ü_1+.png", mpp=PixelSize(0.5, "OME-XML")),
    }


CHECK = Check("blur", 12.5, 20.0, "the IHC image looks out of focus; scan it again")
