import getpass
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from her2viewer import __version__
from her2viewer.errors import ExportError
from her2viewer.export.places import file_within, is_placeless, without_places
from her2viewer.export.results import ResultDocument, json_text, read_json, result_document, write_json
from her2viewer.imaging.affine import Affine
from her2viewer.imaging.source import ImageSource
from her2viewer.scoring.prediction import FieldOfView
from her2viewer.scoring.stains import Stain
from tests.export.conftest import CHECK, prediction

NOON = datetime(2026, 11, 5, 12, 0, 0, 999, UTC)

GOLDEN = f"""{{
  "schema": "her2viewer.result/1",
  "case_id": "fall ü_1+",
  "label": "1+",
  "images": {{
    "he": {{
      "file": "HE/fall ü_1+.png",
      "width": 1024,
      "height": 512,
      "sha256": "{"ab" * 32}",
      "mpp": null,
      "mpp_origin": null
    }},
    "ihc": {{
      "file": "IHC/fall ü_1+.png",
      "width": 1024,
      "height": 512,
      "sha256": "{"ab" * 32}",
      "mpp": 0.5,
      "mpp_origin": "OME-XML"
    }}
  }},
  "model": {{
    "name": "resnet18-bci",
    "version": "1.2",
    "sha256": "{"0123456789abcdef" * 4}"
  }},
  "field": {{
    "he": {{
      "x": 0.0,
      "y": 0.0,
      "width": 1024.0,
      "height": 512.0
    }},
    "ihc": {{
      "x": 0.0,
      "y": 0.0,
      "width": 1024.0,
      "height": 512.0
    }}
  }},
  "score": "2+",
  "probabilities": {{
    "0": 0.015625,
    "1+": 0.0625,
    "2+": 0.796875,
    "3+": 0.125
  }},
  "prediction_set": [
    "2+",
    "3+"
  ],
  "no_call": null,
  "checks": [
    {{
      "name": "blur",
      "figure": 12.5,
      "threshold": 20.0,
      "message": "the IHC image looks out of focus; scan it again"
    }}
  ],
  "warnings": [
    "H&E: 16-bit, scaled to 8 bit",
    "the GPU ran out of memory; the CPU goes on"
  ],
  "device": "CPU",
  "precision": "fp32",
  "seconds": 0.0625,
  "app_version": "{__version__}",
  "utc": "2026-11-05T12:00:00Z"
}}
"""


def document(sources: dict[Stain, ImageSource], tmp_path: Path, **changes: object) -> ResultDocument:
    return result_document(
        "fall ü_1+",
        sources,
        prediction(checks=(CHECK,), **changes),
        label="1+",
        root=tmp_path / "study",
        notices=("the GPU ran out of memory; the CPU goes on",),
        utc=NOON,
    )


def test_golden(sources: dict[Stain, ImageSource], tmp_path: Path) -> None:
    assert json_text(document(sources, tmp_path)) == GOLDEN


def test_there_and_back(sources: dict[Stain, ImageSource], tmp_path: Path) -> None:
    made = document(sources, tmp_path)
    write_json(tmp_path / "a.json", made)
    assert read_json(tmp_path / "a.json") == made


def test_an_he_laid_on_its_ihc_says_how(sources: dict[Stain, ImageSource], tmp_path: Path) -> None:
    frame = Affine.similarity(0.5, 90, (300, 20))
    fields = {Stain.HE: FieldOfView(5, 6, 70, 80, frame), Stain.IHC: FieldOfView(5, 6, 70, 80)}
    made = result_document("a", sources, prediction(fields=fields))
    written = json.loads(json_text(made))["field"]
    assert written["he"] == {
        "x": 5.0, "y": 6.0, "width": 70.0, "height": 80.0, "frame": [0.0, -0.5, 300.0, 0.5, 0.0, 20.0]
    }  # fmt: skip
    assert "frame" not in written["ihc"]
    write_json(tmp_path / "a.json", made)
    assert read_json(tmp_path / "a.json") == made


def test_names_no_place_and_no_user(sources: dict[Stain, ImageSource], tmp_path: Path) -> None:
    secret = tmp_path / "Jane" / "a.png"
    made = result_document(
        "a",
        sources,
        prediction(no_call=f"see {secret}", device=r"C:\Users\Jane\cuda.dll"),
        notices=(f"{secret} is odd", r"'D:\Jane\b.png' too", r"\\server\Jane\c.png", "file:///home/Jane/d.png"),
    )
    text = json_text(made)
    assert str(tmp_path) not in text and "Jane" not in text
    assert "see a.png" in text and "a.png is odd" in text and "'b.png' too" in text
    assert made.images.he.file == "fall ü_1+.png"
    assert f'"{getpass.getuser()}"' not in text and str(Path.home()) + "/" not in text


@pytest.mark.parametrize(
    "text", ["1/2 of the cells", "0.25 um/pixel", "and/or", "a / b", "see https://a.org/b/c", "2+/3+"]
)
def test_words_with_a_slash_stay(text: str) -> None:
    assert without_places(text) == text


def test_a_folder_with_spaces_below_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "home", lambda: Path("/home/Jane Doe"))
    assert without_places("/home/Jane Doe/scans/a.png: broken") == "a.png: broken"


def test_file_within(tmp_path: Path) -> None:
    assert file_within(tmp_path / "HE" / "a.png", tmp_path) == "HE/a.png"
    assert file_within(tmp_path / "a.png", tmp_path / "other") == "a.png"
    assert file_within("HE/a.png", None) == "a.png"
    assert file_within("a\udcff.png", None) == "a?.png"
    for file in ("/a", "C:/a", "C:a", "//host/share/a", r"\a", "../a", ""):
        assert not is_placeless(file)


def test_what_is_no_result_file(sources: dict[Stain, ImageSource], tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    with pytest.raises(ExportError, match=r"^a\.json: the result file cannot be read"):
        read_json(path)
    good = json.loads(json_text(document(sources, tmp_path)))
    images = good["images"]
    for change in (
        {"schema": "her2viewer.result/2"},
        {"score": "4+"},
        {"prediction_set": ["9"]},
        {"images": images | {"he": images["he"] | {"file": "/home/Jane/a.png"}}},
        {"seconds": float("nan")},
        {"more": 1},
    ):
        path.write_text(json.dumps(good | change))
        with pytest.raises(ExportError, match=r"not a result file of the schema .*; score the pair again\.$"):
            read_json(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ExportError, match="not a result file"):
        read_json(path)
