import sqlite3
from pathlib import Path

import pytest

from her2viewer.cases.library import database
from her2viewer.cases.library.library import Library
from her2viewer.cases.library.records import ReadingKind
from her2viewer.errors import DamagedLibrary, LibraryError
from tests.cases.library.conftest import pair

FIRST = (Path(__file__).parent / "version_1.sql").read_text(encoding="utf-8")


def make_first_version(path: Path) -> None:
    """As the first version left it: a case with all that it kept, read after the model's score was seen."""
    raw = sqlite3.connect(path)
    raw.executescript(f"{FIRST}; PRAGMA application_id = {0x48324C42}; PRAGMA user_version = 1;")
    raw.execute(
        "INSERT INTO kept_case VALUES (1, 'S1', '2+', '/a/he.png', 'h', '/a/ihc.png', 'i', 'Weak; patchy', '{}', NULL, "
        "'2026-01-01', '2026-01-02', NULL)"
    )
    raw.execute("INSERT INTO tag VALUES (1, 'study A')")
    raw.execute("INSERT INTO prediction VALUES (1, 1, '2+', 'blurred', 'm 1', ?, '{}', '2026-01-02')", ("a" * 64,))
    raw.execute("INSERT INTO revealed VALUES (1, ?, '2026-01-02')", ("a" * 64,))
    raw.execute("INSERT INTO reading VALUES (1, 1, '3+', 'strong', '', 9.5, '2+', 1, '2026-01-03', 0)")
    raw.commit()
    raw.close()


def test_the_first_version_is_brought_up_and_kept_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "library.db"
    make_first_version(path)
    with Library(path) as library:
        case = library.case(1)
        assert (case.title, case.case_id, case.notes, case.tags) == ("S1", "S1", "Weak; patchy", ("study A",))
        assert library.fields(1) == "{}" and library.alignment(1) is None
        assert [one.case.id for one in library.search("WEAK study s1")] == [1]
        reading = library.reading(1)
        assert reading is not None and reading.kind is ReadingKind.OVERRIDE
        assert (reading.model, reading.model_sha256, reading.model_no_call) == ("m 1", "a" * 64, "blurred")
        assert library.is_revealed(1, "a" * 64, "anybody")
        library.set_notes(1, "new")
    raw = sqlite3.connect(f"{path}.version-1")
    assert raw.execute("PRAGMA user_version").fetchone() == (1,)
    assert raw.execute("SELECT notes FROM kept_case").fetchall() == [("Weak; patchy",)]
    raw.close()
    fresh = tmp_path / "fresh.db"
    Library(fresh).close()
    assert columns(path) == columns(fresh)


def columns(path: Path) -> set[tuple[str, str]]:
    raw = sqlite3.connect(path)
    asked = "SELECT t.name, c.name FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = 'table'"
    found = set(raw.execute(asked).fetchall())
    raw.close()
    return found


def test_a_change_that_fails_half_way_leaves_the_old_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "library.db"
    make_first_version(path)
    step = database._STEPS[1]
    monkeypatch.setitem(database._STEPS, 1, f"{step}INSERT INTO nowhere VALUES (1);\n")
    with pytest.raises(LibraryError, match="nowhere"):
        Library(path)
    monkeypatch.setitem(database._STEPS, 1, step)
    with Library(path) as library:
        assert library.case(1).notes == "Weak; patchy"


def test_a_newer_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "library.db"
    Library(path).close()
    raw = sqlite3.connect(path)
    raw.execute("PRAGMA user_version = 7")
    raw.close()
    before = path.read_bytes()
    with pytest.raises(LibraryError, match="was written by a newer HER2 Viewer") as caught:
        Library(path)
    assert not isinstance(caught.value, DamagedLibrary)
    assert path.read_bytes() == before


@pytest.mark.parametrize("what", ["text", "database"])
def test_what_is_no_library_is_said_and_left_as_it_is(what: str, tmp_path: Path) -> None:
    path = tmp_path / "library.db"
    if what == "text":
        path.write_text("my notes")
    else:
        raw = sqlite3.connect(path)
        raw.execute("CREATE TABLE mine (a)")
        raw.commit()
        raw.close()
    before = path.read_bytes()
    with pytest.raises(DamagedLibrary, match=r"^library\.db: the case library is damaged or no library; .*restore"):
        Library(path)
    assert path.read_bytes() == before and [one.name for one in tmp_path.iterdir()] == ["library.db"]


def test_another_program_that_writes_is_waited_for_and_then_said(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = library.open_case(pair(tmp_path / "a", "S1")).id
    monkeypatch.setattr(database, "_BUSY_SECONDS", 0.05)
    other = Library(library.path)
    raw = sqlite3.connect(library.path)
    raw.execute("BEGIN IMMEDIATE")
    with pytest.raises(LibraryError, match="another program is writing to the case library"):
        other.set_notes(case, "mine")
    assert other.case(case).notes == ""  # reading goes on
    raw.rollback()
    raw.close()
    other.set_notes(case, "mine")
    other.close()
    assert library.case(case).notes == "mine"


def test_on_a_network_drive_one_process_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "on_network", lambda path: True)
    monkeypatch.setattr(database, "_BUSY_SECONDS", 0.05)
    path = tmp_path / "library.db"
    with Library(path) as library:
        library.open_case(pair(tmp_path / "a", "S1"))
        assert not path.with_name("library.db-shm").exists()
        with pytest.raises(LibraryError, match="another program"):
            Library(path)
    with Library(path) as again:
        assert len(again.recent()) == 1


def test_a_full_disk_is_said_and_what_was_kept_stays(library: Library, tmp_path: Path) -> None:
    case = library.open_case(pair(tmp_path / "a", "S1")).id
    library._connection.execute("PRAGMA max_page_count = 40")
    with pytest.raises(LibraryError, match="the disk is full"):
        library.set_notes(case, "x" * 500_000)
    assert library.case(case).notes == ""
    library._connection.execute("PRAGMA max_page_count = 100000")
    library.set_notes(case, "y")
    assert library.case(case).notes == "y"


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder that nobody can write to")
def test_a_folder_that_cannot_be_written_is_said() -> None:
    with pytest.raises(LibraryError, match=r"^library\.db: the case library cannot be (opened|written)"):
        Library(Path("/proc/library.db"))
    with pytest.raises(LibraryError, match=r"^library\.db: the case library cannot be (opened|written)"):
        Library(Path("/proc/new/library.db"))
