"""Shapes drawn at random, for tests of what they are and of what becomes of them in files."""

import numpy as np
from hypothesis import strategies as st

from her2viewer.cases.annotation import Annotation
from her2viewer.cases.field_score import FieldScore
from her2viewer.cases.shape import Shape
from her2viewer.scoring.prediction import FieldOfView, ModelIdentity

SIZE = (4000, 3000)
CLASSES = ("0", "1+", "2+", "3+")
MODEL = ModelIdentity("fake", "1", "a" * 64)


@st.composite
def frames(draw: st.DrawFn) -> tuple[float, float, float, float]:
    """x, y, width, height within the image."""
    x, y = draw(st.floats(0, SIZE[0] - 10)), draw(st.floats(0, SIZE[1] - 10))
    return x, y, draw(st.floats(5, SIZE[0] - x)), draw(st.floats(5, SIZE[1] - y))


@st.composite
def stars(draw: st.DrawFn, most: int = 80) -> np.ndarray:
    """(n, 2): a polygon that does not cross itself, as each of its points is seen from one inside."""
    count = draw(st.integers(3, most))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    angle = (np.arange(count) + rng.uniform(0, 0.9, count)) * (2 * np.pi / count)
    radius = rng.uniform(300, 1000, count)
    return np.stack([2000 + radius * np.cos(angle), 1500 + radius * np.sin(angle)], axis=1)


def shapes() -> st.SearchStrategy[Shape]:
    ring = [(1900, 1400), (2100, 1400), (2100, 1600)]
    return st.one_of(
        frames().map(lambda frame: Shape.rectangle(*frame)),
        frames().map(lambda frame: Shape.ellipse(*frame)),
        stars().map(Shape.polygon),
        stars(400).map(Shape.free_hand),
        st.just(Shape.polygon([(1000, 1000), (3000, 1000), (3000, 2000), (1000, 2000)], [ring])),
    )


def score_of(field: FieldOfView, score: str = "2+", **changes: object) -> FieldScore:
    probabilities = tuple(0.7 if name == score else 0.1 for name in CLASSES)
    values = {
        "field": field,
        "score": score,
        "classes": CLASSES,
        "probabilities": probabilities,
        "prediction_set": ("1+", "2+"),
        "no_call": None,
        "warnings": ("Look again.",),
        "model": MODEL,
        "caution": "Do not rely on it.",
    }
    return FieldScore(**(values | changes))  # type: ignore[arg-type]


@st.composite
def drawn(draw: st.DrawFn) -> Annotation:
    """An annotation of any kind, scored or not."""
    shape = draw(shapes())
    return Annotation(
        shape,
        draw(st.text(max_size=30)),
        f"#{draw(st.integers(0, 0xFFFFFF)):06x}",
        draw(st.booleans()),
        draw(st.sampled_from([None, score_of(shape.bounds), score_of(shape.bounds, "0", no_call="Too faint.")])),
        draw(st.sampled_from(["", "Tumor", "Immune cells: CD8"])),
    )
