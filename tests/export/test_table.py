import csv
import io
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from her2viewer.errors import ImageError
from her2viewer.export.results import result_document
from her2viewer.export.table import CSV_COLUMNS, csv_row, csv_text, failed_row, neutralised, write_csv
from her2viewer.imaging.source import ImageSource
from her2viewer.scoring.stains import Stain
from tests.export.conftest import CHECK, prediction


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_row_for_every_pair(sources: dict[Stain, ImageSource], tmp_path: Path) -> None:
    made = result_document("fall ü", sources, prediction(checks=(CHECK,)), label="1+", root=tmp_path / "study")
    error = ImageError("the file is empty", path=tmp_path / "b.png", remedy="copy it again")
    write_csv(tmp_path / "a.csv", [csv_row(made), failed_row("-5", tmp_path / "b.png", None, error)])
    raw = (tmp_path / "a.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbfcase_id,label,score,p_0,p_1+,p_2+,p_3+,prediction_set,")
    assert str(tmp_path).encode() not in raw
    scored, failed = table(raw.decode("utf-8-sig"))
    assert scored["case_id"] == "fall ü" and scored["score"] == "2+" and scored["label"] == "1+"
    assert [float(scored[f"p_{name}"]) for name in made.probabilities] == list(made.probabilities.values())
    assert scored["prediction_set"] == "2+ 3+" and scored["error"] == "" and scored["ihc_mpp"] == "0.5"
    assert scored["checks"] == f"blur: {CHECK.message}" and scored["he_file"] == "HE/fall ü_1+.png"
    assert scored["ihc_field_width"] == "1024.0" and scored["utc"].endswith("Z")
    assert failed["case_id"] == "'-5" and failed["score"] == "" and failed["he_file"] == "b.png"
    assert failed["error"] == "b.png: the file is empty; copy it again."


def test_columns_are_fixed_and_a_model_may_have_other_classes(sources: dict[Stain, ImageSource]) -> None:
    assert len(set(CSV_COLUMNS)) == len(CSV_COLUMNS)
    assert csv_text([]) == ",".join(CSV_COLUMNS) + "\r\n"
    two = prediction(score="low", classes=("low", "high"), probabilities=(0.75, 0.25), prediction_set=())
    row = csv_row(result_document("a", sources, two))
    (read,) = table(csv_text([row]))
    assert read["p_low"] == "0.75" and read["p_0"] == ""
    assert list(read)[6:10] == ["p_3+", "p_low", "p_high", "prediction_set"]
    with pytest.raises(ValueError, match="no such column: grade"):
        csv_text([{"grade": 1}])


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("=1+1", "'=1+1"),
        ("-5", "'-5"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t'=1"),
        ("\ra", "'\ra"),
        ("  +1", "'  +1"),
        ("＝1", "'＝1"),
        ("a;=1", "a;'=1"),
        ("1+", "1+"),
        ("2+ 3+", "2+ 3+"),
        ("00000_train_1+", "00000_train_1+"),
        ("blur; scan again", "blur; scan again"),
    ],
)
def test_neutralised(text: str, safe: str) -> None:
    assert neutralised(text) == safe


@given(st.text(st.sampled_from("=+-@ ;,\t\r\n\"'a1＝"), max_size=12))
def test_no_program_sees_a_formula(case_id: str) -> None:
    text = csv_text([{"case_id": case_id, "no_call": case_id, "p_0": 0.5}])
    (row,) = table(text)
    assert row["case_id"] == neutralised(case_id) == row["no_call"]
    assert not re.match(r"[=+\-@\t\r＝]", row["case_id"])
    body = text.split("\r\n", 1)[1]
    for piece in re.split(r"[;\t]", body):  # another list separator, quotes not understood
        assert not re.match(r"[\s\"]*[=+\-@＝]", piece)


def test_rows_of_names_that_are_no_unicode(tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", [failed_row("a\udcff", Path("a\udcff.png"), None, "broken \udcff")])
    assert b"a?" in (tmp_path / "a.csv").read_bytes()
