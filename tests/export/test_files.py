import errno
import os
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from her2viewer.errors import ExportError
from her2viewer.export.files import safe_name, write_atomic


def write(path: Path, data: bytes = b"new") -> None:
    with write_atomic(path) as file:
        file.write(data)


def test_replaces_what_stood_there_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "Fall Ü.csv"
    write(path, b"one")
    write(path, b"two")
    assert path.read_bytes() == b"two"
    assert list(tmp_path.iterdir()) == [path]


def test_rights_are_those_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    write(tmp_path / "atomic")
    assert (tmp_path / "atomic").stat().st_mode == (tmp_path / "plain").stat().st_mode


def full(*args: object, **kwargs: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


class FullFile:
    """A file whose disk is full."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file

    def __enter__(self) -> "FullFile":
        return self

    def __exit__(self, *exc: object) -> None:
        self.file.close()

    write = full


def full_at_write(monkeypatch: pytest.MonkeyPatch) -> None:
    really = Path.open
    monkeypatch.setattr(Path, "open", lambda self, mode: FullFile(really(self, mode)))


@pytest.mark.parametrize("where", ["write", "fsync", "replace"])
def test_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    path = tmp_path / "result.json"
    path.write_bytes(b"old")
    with monkeypatch.context() as patch:
        match where:
            case "write":
                full_at_write(patch)
            case "fsync":
                patch.setattr(os, "fsync", full)
            case "replace":
                patch.setattr(Path, "replace", full)
        with pytest.raises(ExportError, match=r"^result\.json: the disk is full; free some space .*\.$"):
            write(path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_bug_inside_is_not_dressed_up_and_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    with pytest.raises(ZeroDivisionError), write_atomic(path) as file:
        file.write(b"half")
        raise ZeroDivisionError
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_share_without_fsync_still_takes_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(_: int) -> None:
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(os, "fsync", unknown)
    write(tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == b"new"


def test_what_a_user_can_get_wrong(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(ExportError, match="folder has this name"):
        write(tmp_path / "folder")
    with pytest.raises(ExportError, match="folder for it is not there"):
        write(tmp_path / "missing" / "a.csv")
    with pytest.raises(ExportError, match="folder for it is not there"):
        write(tmp_path / "file" / "a.csv")
    with pytest.raises(ExportError, match="no file can have this name"):
        write(tmp_path / ("x" * 300))
    with pytest.raises(ExportError, match="no file can have this name"):
        write(tmp_path / "a\0b")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


def test_no_right_to_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*args: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "replace", refused)  # root may write anywhere, so the folder's rights would not do
    with pytest.raises(ExportError, match="no right to, or another program has it open") as caught:
        write(tmp_path / "a")
    assert str(tmp_path) not in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["00000_train_1+", "Fall Ü 12 µm", "症例 7", "-5", "a.b"])
def test_a_plain_case_id_is_its_own_name(name: str) -> None:
    assert safe_name(name) == name


@pytest.mark.parametrize("name", ["a/b", "a:b", "NUL", "nul.x", "com1", "LPT¹", "", ".", "..", ".hidden", "end.", " a"])
def test_an_impossible_name_is_changed_and_keeps_apart(name: str) -> None:
    assert safe_name(name) != name
    assert safe_name("a/b") != safe_name("a:b")


@given(st.text(st.characters(exclude_categories=()), max_size=300))
def test_every_name_can_be_written(case_id: str) -> None:
    name = safe_name(case_id)
    assert name and name == safe_name(case_id)
    assert len(name.encode()) <= 120
    assert not set(name) & set('<>:"/\\|?*\0\n')
    assert name[-1] not in " ." and name[0] not in " ."
    assert safe_name(name) == name
