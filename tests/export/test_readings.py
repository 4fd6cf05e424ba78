import csv
import hashlib
import io
from pathlib import Path

import pytest

from her2viewer.cases.library.library import Library
from her2viewer.errors import ExportError
from her2viewer.export.readings import readings_csv, write_readings
from tests.cases.library.conftest import library, pair, predict

__all__ = ["library"]


@pytest.fixture
def case(library: Library, tmp_path: Path) -> int:
    """A case read blind and again, with words that a spreadsheet would run and a path in its reason."""
    case = library.open_case(pair(tmp_path / "a", "=S1", "2+")).id
    library.set_tags(case, ["study A", "@home"])
    library.set_notes(case, "+49 30 1234, see /home/ada/slides/S1.svs")
    predict(library, case, "2+")
    library.read(case, "1+", '=HYPERLINK("x")', reader="-Ada", seconds=12.5)
    library.reveal(case, "a" * 64)
    library.read(case, "3+", "as in /home/ada/slides/S1.svs", reader="-Ada")
    return case


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_every_reading_is_a_row_and_nothing_runs_or_tells_a_place(library: Library, case: int) -> None:
    text, count = readings_csv(library)
    first, second = rows(text)
    assert count == 2 and "notes" not in first
    assert (first["case_id"], first["label"], first["reader"]) == ("'=S1", "2+", "'-Ada")
    assert (first["reader_score"], first["model_score"], first["kind"], first["seconds"]) == ("1+", "2+", "blind", "12.5")
    assert (first["last"], second["last"], second["kind"]) == ("0", "1", "override")
    assert first["reason"] == "'=HYPERLINK(\"x\")" and second["reason"] == "as in S1.svs"
    assert first["model_sha256"] == "a" * 64
    assert sorted(first["tags"].lstrip("'").split(" | ")) == ["@home", "study A"]


def test_notes_come_where_they_are_asked_for(library: Library, case: int) -> None:
    text, _ = readings_csv(library, notes=True)
    assert rows(text)[0]["notes"] == "'+49 30 1234, see S1.svs"


def test_a_tag_chooses(library: Library, case: int, tmp_path: Path) -> None:
    other = library.open_case(pair(tmp_path / "a", "S2")).id
    library.read(other, "0")
    assert readings_csv(library)[1] == 3 and readings_csv(library, "STUDY a")[1] == 2 and readings_csv(library, "none")[1] == 0


def test_the_export_is_in_the_log_by_its_hash(library: Library, case: int, tmp_path: Path) -> None:
    out = tmp_path / "readings.csv"
    assert write_readings(out, library) == 2
    assert out.read_bytes().startswith(b"\xef\xbb\xbf")
    last = list(library.log.entries())[-1]
    assert last.kind == "export"
    assert last.about == {"what": "table of readings", "sha256": hashlib.sha256(out.read_bytes()).hexdigest()}


def test_what_could_not_be_written_is_not_in_the_log(library: Library, case: int, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(ExportError, match="a folder has this name"):
        write_readings(tmp_path / "taken", library)
    assert all(entry.kind != "export" for entry in library.log.entries())
