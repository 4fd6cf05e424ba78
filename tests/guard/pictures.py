"""Pictures that are no tissue: photographs of installed packages, pages, charts and windows drawn here."""

from functools import lru_cache
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import skimage.data
import sklearn.datasets
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
"""(h, w, 3) uint8 RGB."""

PHOTOGRAPHS: Final = (
    ("astronaut.png", "coffee.png", "camera.png", "gravel.png", "moon.png", "brick.png", "motorcycle_left.png"),
    ("chelsea.png", "rocket.jpg", "china.jpg", "flower.jpg", "grass.png", "coins.png", "retina.jpg", "hubble_deep_field.jpg"),
)  # fmt: skip
"""Of scikit-image and scikit-learn: those that thresholds were set on, and those that they are measured on."""

_LINES: Final = (
    "The specimen was fixed in formalin and embedded in paraffin.",
    "Sections of four micrometres were cut and mounted.",
    "Invasive carcinoma of no special type, grade 2.",
    "Margins are free; twelve lymph nodes without tumour.",
    "Oestrogen receptor positive in 90 per cent of nuclei.",
    "Please send the slides back to the address below.",
)


@lru_cache
def photograph(name: str) -> Picture:
    folders = Path(skimage.data.__file__).parent, Path(sklearn.datasets.__file__).parent / "images"
    path = next(folder / name for folder in folders if (folder / name).is_file())
    return np.asarray(cv2.imread(str(path), cv2.IMREAD_COLOR_RGB), np.uint8)


def cut(picture: Picture, rng: np.random.Generator, side: int = 1024) -> Picture:
    """A square of a picture, at least half of its shorter side, at a usual size."""
    height, width = picture.shape[:2]
    own = int(min(height, width) * rng.uniform(0.5, 1))
    y, x = int(rng.integers(0, height - own + 1)), int(rng.integers(0, width - own + 1))
    return sized(picture[y : y + own, x : x + own], side)


def sized(picture: Picture, side: int) -> Picture:
    how = cv2.INTER_AREA if picture.shape[0] > side else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, (side, side), interpolation=how), np.uint8)


def page(rng: np.random.Generator, side: int = 1024) -> Picture:
    """Lines of text on paper."""
    paper = rng.uniform(225, 255) - rng.uniform(0, 12, 3)
    picture = np.full((side, side, 3), paper).astype(np.uint8)
    size, step = rng.uniform(0.5, 1.1), int(rng.integers(30, 60))
    ink = tuple(int(value) for value in rng.integers(0, 80, 3))
    for y in range(step, side - step, step):
        if rng.random() < 0.9:
            cv2.putText(picture, str(rng.choice(_LINES)), (40, y), cv2.FONT_HERSHEY_SIMPLEX, size, ink, 1, cv2.LINE_AA)
    return picture


def chart(rng: np.random.Generator, side: int = 1024) -> Picture:
    """Bars, curves and boxes with arrows, in colours."""
    picture = np.full((side, side, 3), 255, np.uint8)

    def colour() -> tuple[int, ...]:
        return tuple(int(value) for value in rng.integers(20, 230, 3))

    cv2.line(picture, (80, side - 80), (side - 40, side - 80), (0, 0, 0), 2)
    cv2.line(picture, (80, 40), (80, side - 80), (0, 0, 0), 2)
    for k in range(int(rng.integers(4, 9))):
        left = 120 + 100 * k
        cv2.rectangle(picture, (left, int(rng.integers(100, side - 150))), (left + 60, side - 82), colour(), -1)
    for _ in range(int(rng.integers(1, 4))):
        y = np.cumsum(rng.normal(0, 20, 40)) + side / 2
        points = np.stack([np.linspace(80, side - 60, 40), y], axis=1).astype(np.int32)
        cv2.polylines(picture, [points], False, colour(), 3, cv2.LINE_AA)
    for _ in range(int(rng.integers(1, 4))):
        x, y = (int(value) for value in rng.integers(100, side - 300, 2))
        cv2.rectangle(picture, (x, y), (x + 220, y + 90), colour(), 3)
        cv2.putText(picture, "network", (x + 20, y + 55), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (0, 0, 0), 2, cv2.LINE_AA)
        cv2.arrowedLine(picture, (x + 220, y + 45), (x + 300, y + 45), (0, 0, 0), 2)
    return picture


def window(rng: np.random.Generator, side: int = 1024) -> Picture:
    """A window of a program: title, buttons, a list, a table."""
    ground = int(rng.choice([32, 45, 240, 250]))
    ink = (230, 230, 230) if ground < 128 else (30, 30, 30)
    picture = np.full((side, side, 3), ground, np.uint8)
    accent = tuple(int(value) for value in rng.integers(40, 220, 3))
    cv2.rectangle(picture, (0, 0), (side, 40), accent, -1)
    cv2.putText(
        picture, "report.docx - Editor", (20, 28), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (255, 255, 255), 1, cv2.LINE_AA
    )
    for k in range(8):
        cv2.rectangle(picture, (20 + 90 * k, 55), (95 + 90 * k, 90), accent if k == 2 else ink, 1 + (k == 2))
    cv2.rectangle(picture, (0, 110), (240, side), tuple(abs(value - 12) for value in (ground,) * 3), -1)
    for y in range(150, side - 20, 34):
        cv2.putText(picture, f"case {y * 7 % 991}", (20, y), cv2.FONT_HERSHEY_SIMPLEX, 0.6, ink, 1, cv2.LINE_AA)
        cv2.line(picture, (250, y + 10), (side - 20, y + 10), ink, 1)
        cv2.putText(picture, str(rng.choice(_LINES))[:44], (260, y), cv2.FONT_HERSHEY_SIMPLEX, 0.6, ink, 1, cv2.LINE_AA)
    return picture


def noise(rng: np.random.Generator, side: int = 1024) -> Picture:
    """Of every pixel, or smooth at a random width; in colours or grey."""
    sigma = float(rng.choice([0, 0, 2, 6, 20]))
    values = rng.normal(0, 1, (side, side, 1 if rng.random() < 0.3 else 3)).astype(np.float32)
    if sigma:
        values = cv2.GaussianBlur(values, (0, 0), sigma).reshape(side, side, -1)
    values = values / values.std() * rng.uniform(20, 60) + rng.uniform(90, 200)
    return np.repeat(np.clip(values, 0, 255).astype(np.uint8), 3 // values.shape[2], axis=2)


def blank(rng: np.random.Generator, side: int = 1024) -> Picture:
    """Empty glass with a scanner's noise and a slow fall of light."""
    tint = rng.uniform(215, 252) - rng.uniform(0, 10, 3)
    fall = cv2.resize(rng.normal(0, 2, (4, 4)).astype(np.float32), (side, side), interpolation=cv2.INTER_CUBIC)
    picture = tint + fall[..., None] + rng.normal(0, rng.uniform(0.3, 2.5), (side, side, 3))
    return np.clip(picture, 0, 255).astype(np.uint8)
