from types import MappingProxyType

import pytest

from her2viewer.cases.annotation import LONGEST_NAME, Annotation, clean_name, next_name
from her2viewer.cases.field_score import field_score
from her2viewer.cases.shape import Shape
from her2viewer.errors import AnnotationError
from her2viewer.scoring.prediction import Check, FieldOfView, Prediction
from her2viewer.scoring.stains import Stain
from tests.cases.shapes import CLASSES, MODEL, score_of

SQUARE = Shape.rectangle(10, 10, 100, 100)


def test_a_moved_field_loses_the_score_of_where_it_was() -> None:
    scored = Annotation(SQUARE, "A", score=score_of(SQUARE.bounds))
    assert scored.moved(5, 5).score is None and scored.reshaped(0, (0, 0)).score is None
    assert scored.moved(0, 0) is scored
    assert (scored.moved(5, 5).id, scored.moved(5, 5).name) == (scored.id, "A")


def test_a_locked_one_stays() -> None:
    locked = Annotation(SQUARE, "Edge", locked=True)
    with pytest.raises(AnnotationError, match="Edge is locked; unlock it"):
        locked.moved(1, 1)
    assert locked.moved(0, 0) is locked


def test_names_are_one_line() -> None:
    assert clean_name(" a\n b\t\u202ec\x00 ") == "a b c"
    assert len(clean_name("x" * 1000)) == LONGEST_NAME
    assert Annotation(SQUARE, "  a\nb ").name == "a b"
    assert (Annotation(SQUARE).title, Annotation(SQUARE, "B").title) == ("Rectangle", "B")
    assert next_name([]) == "Field 1"
    assert next_name(["Field 2", "Field 9", "field 30", "Field x", "Field 1"]) == "Field 10"


def test_a_colour_is_one() -> None:
    for colour in ("red", "#FFFFFF", "#12345", "#1234567"):
        with pytest.raises(ValueError, match="colour"):
            Annotation(SQUARE, colour=colour)


def test_what_is_kept_of_a_prediction() -> None:
    fields = {Stain.IHC: FieldOfView(1, 2, 3, 4), Stain.HE: FieldOfView(5, 6, 7, 8)}
    prediction = Prediction(
        "2+", CLASSES, (0.1, 0.1, 0.7, 0.1), ("1+", "2+"), None, (Check("c", 1, 2, "Look."),), MODEL, "CPU", "fp32", 0.1,
        MappingProxyType(fields), "Careful.",
    )  # fmt: skip
    kept = field_score(prediction)
    assert kept == score_of(FieldOfView(1, 2, 3, 4), warnings=("Look.",), caution="Careful.")
    assert kept.probability == 0.7
    assert field_score(prediction, FieldOfView(0, 0, 9, 9)).field == FieldOfView(0, 0, 9, 9)
