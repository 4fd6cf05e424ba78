"""An annotation: a shape on the tissue with its name, colour and, once scored, its score."""

import re
import unicodedata
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final, Self

from her2viewer.cases.field_score import FieldScore
from her2viewer.cases.shape import Shape
from her2viewer.errors import AnnotationError

COLOUR: Final = "#00a4b4"
"""Of a new annotation: cyan, which neither haematoxylin, eosin nor DAB has."""
LONGEST_NAME: Final = 200

_COLOUR: Final = re.compile(r"#[0-9a-f]{6}")


def new_id() -> str:
    """A version-4 UUID, as QuPath's objects have."""
    return str(uuid.uuid4())


def clean_name(text: str) -> str:
    """A name in one line: control characters and bidirectional overrides become spaces, 200 characters at most."""
    plain = "".join(
        " " if unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp") else letter for letter in text
    )
    return " ".join(plain.split())[:LONGEST_NAME].rstrip()


@dataclass(frozen=True, slots=True)
class Annotation:
    """`classification`: another program's class ('Tumor'), kept as it came. `score` is of the shape as it stands.

    `colour`: '#rrggbb', lower case. A locked one is neither moved nor reshaped.
    """

    shape: Shape
    name: str = ""
    colour: str = COLOUR
    locked: bool = False
    score: FieldScore | None = None
    classification: str = ""
    id: str = field(default_factory=new_id)

    def __post_init__(self) -> None:
        if not _COLOUR.fullmatch(self.colour):
            raise ValueError(f"expected a colour like '#00a4b4', got {self.colour!r}")
        object.__setattr__(self, "name", clean_name(self.name))
        object.__setattr__(self, "classification", clean_name(self.classification))

    @property
    def title(self) -> str:
        """Its name, or what it is where it has none."""
        return self.name or str(self.shape.kind).capitalize()

    def with_shape(self, shape: Shape) -> Self:
        """With another shape, and without its score, which was of other tissue. Raises AnnotationError where it is locked."""
        if shape == self.shape:
            return self
        if self.locked:
            raise AnnotationError(f"{self.title} is locked", remedy="unlock it to change its shape")
        return replace(self, shape=shape, score=None)

    def moved(self, dx: float, dy: float, within: tuple[int, int] | None = None) -> Self:
        """As `Shape.moved`, and `with_shape`."""
        return self.with_shape(self.shape.moved(dx, dy, within))

    def reshaped(self, handle: int, to: tuple[float, float], within: tuple[int, int] | None = None) -> Self:
        """As `Shape.reshaped`, and `with_shape`."""
        return self.with_shape(self.shape.reshaped(handle, to, within))

    def named(self, name: str) -> Self:
        return replace(self, name=name)


def next_name(taken: Iterable[str], word: str = "Field") -> str:
    """'Field 1', 'Field 2' and so on: one more than the highest number that is taken."""
    numbers = (re.fullmatch(rf"{re.escape(word)} (\d{{1,6}})", name) for name in taken)
    return f"{word} {max((int(found[1]) for found in numbers if found), default=0) + 1}"
