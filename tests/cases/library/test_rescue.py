from pathlib import Path

import pytest

from her2viewer.cases.library.database import BACKUP_SUFFIX
from her2viewer.cases.library.library import Library
from her2viewer.cases.library.rescue import rescue
from her2viewer.cases.log import verify_log
from her2viewer.errors import DamagedLibrary, LibraryError
from tests.cases.library.conftest import pair


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Two cases, one of them in the copy; then the file's middle is overwritten."""
    path = tmp_path / "library.db"
    with Library(path) as library:
        library.read(library.open_case(pair(tmp_path / "a", "S1")).id, "1+")
    with Library(path) as library:  # makes the copy
        library.read(library.open_case(pair(tmp_path / "a", "S2")).id, "2+")
    data = bytearray(path.read_bytes())
    data[4096:20480] = b"\xff" * 16384
    path.write_bytes(data)
    return path


def test_a_damaged_library_is_kept_and_its_copy_takes_its_place(path: Path) -> None:
    damaged = path.read_bytes()
    with pytest.raises(DamagedLibrary, match="damaged"):
        Library(path)
    done = rescue(path)
    assert done.aside.read_bytes() == damaged and done.copied is not None
    assert "took its place" in done.sentence and str(path.parent) not in done.sentence
    with Library(path) as library:
        assert [case.title for case in library.recent()] == ["S1"]
        library.read(library.recent()[0].id, "3+")
        entries = list(library.log.entries())
    # What the copy does not know stands in the log, which goes on.
    assert [entry.kind for entry in entries] == ["reading", "reading", "library restored", "reading"]
    assert verify_log(path.with_name(f"{path.name}.log.jsonl")).intact
    with pytest.raises(LibraryError, match="the case library can be read"):
        rescue(path)


@pytest.mark.parametrize("copy", ["missing", "damaged"])
def test_without_a_copy_that_can_be_read_it_begins_anew(path: Path, copy: str) -> None:
    backup = path.with_name(path.name + BACKUP_SUFFIX)
    backup.write_bytes(path.read_bytes()) if copy == "damaged" else backup.unlink()
    done = rescue(path)
    assert done.copied is None and "no copy" in done.sentence and done.aside.is_file()
    with Library(path) as library:
        assert library.recent() == ()
    assert not list(path.parent.glob("*.tmp*"))
