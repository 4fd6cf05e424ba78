import copy
import errno
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

import training.data.cache
from her2viewer.errors import ImageError, UserError
from her2viewer.imaging.opening import open_image
from her2viewer.scoring.preprocess import InputLayout, compose
from her2viewer.scoring.stains import Stain
from tests.scoring.conftest import tissue
from tests.training.conftest import write_pair
from training.data.cache import Fields, cached_fields
from training.data.index import index_folder

ROW = 2 * 32 * 32 * 3


def kept(fields: Fields) -> np.ndarray:
    return np.stack([fields[i] for i in range(len(fields))])


def test_fields_are_the_pairs_in_their_order(bci: Path, tmp_path: Path) -> None:
    pairs = index_folder(bci).pairs[::-3]
    fields = cached_fields(pairs, tmp_path, 32)
    assert len(fields) == len(pairs)
    for pair, field in zip(pairs, (fields[i] for i in range(len(pairs))), strict=True):
        for slot, path in enumerate((pair.he, pair.ihc)):
            with open_image(path) as image:
                expected = cv2.resize(image.read(0, 0, 0, 64, 64), (32, 32), interpolation=cv2.INTER_AREA)
            assert np.array_equal(field[slot], expected)


def test_nothing_is_decoded_twice_and_changed_content_is(
    bci: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(bci, tmp_path / "data")
    pairs = index_folder(tmp_path / "data").of("test")
    decoded: list[Path] = []

    def counting(path: Path):  # type: ignore[no-untyped-def]
        decoded.append(path)
        return open_image(path)

    monkeypatch.setattr(training.data.cache, "open_image", counting)
    first = cached_fields(pairs, tmp_path / "cache", 32)
    assert len(decoded) == 16
    again = cached_fields(pairs[::-1], tmp_path / "cache", 32)
    assert len(decoded) == 16
    assert all(np.array_equal(first[i], again[len(pairs) - 1 - i]) for i in range(len(pairs)))
    write_pair(tmp_path / "data", "test", 107, "3+", side=80)
    changed = cached_fields(pairs, tmp_path / "cache", 32)
    assert len(decoded) == 18
    assert not np.array_equal(changed[7], first[7])


def test_a_kill_between_a_row_and_its_line_loses_nothing_that_was_keyed(bci: Path, tmp_path: Path) -> None:
    pairs = index_folder(bci).of("test")
    whole = kept(cached_fields(pairs, tmp_path, 32))
    journal, store = tmp_path / "fields-32.jsonl", tmp_path / "fields-32.u8"
    journal.write_bytes(b"\n".join(journal.read_bytes().split(b"\n")[:4]) + b'\n[3, "a0')
    store.write_bytes(store.read_bytes()[: int(3.5 * ROW)])
    done: list[int] = []
    assert np.array_equal(kept(cached_fields(pairs, tmp_path, 32, done.append)), whole)
    assert done == [1, 2, 3, 4, 5]
    assert np.array_equal(kept(cached_fields(pairs, tmp_path, 32, done.append)), whole)
    assert len(done) == 5


@pytest.mark.parametrize("damage", ["truncated", "flipped"])
def test_rows_that_are_not_what_was_written_are_decoded_again(bci: Path, tmp_path: Path, damage: str) -> None:
    pairs = index_folder(bci).of("test")
    whole = kept(cached_fields(pairs, tmp_path, 32))
    store = tmp_path / "fields-32.u8"
    data = bytearray(store.read_bytes())
    data[6 * ROW + 5] ^= 1
    data[7 * ROW + 9] ^= 1
    store.write_bytes(data if damage == "flipped" else data[: 6 * ROW + 100])
    done: list[int] = []
    said: list[str] = []
    assert np.array_equal(kept(cached_fields(pairs, tmp_path, 32, done.append, say=said.append)), whole)
    assert done == [1, 2]
    assert said == ["The cache fields-32.u8 is damaged: 2 fields are decoded again."]
    assert store.stat().st_size == 8 * ROW


@pytest.mark.parametrize("header", [b"[]", b"\xff\x00", b'{"schema": "her2viewer.fields/1", "side": 32}'])
def test_a_cache_of_another_version_is_set_aside(bci: Path, tmp_path: Path, header: bytes) -> None:
    pairs = index_folder(bci).of("test")
    whole = kept(cached_fields(pairs, tmp_path, 32))
    journal = tmp_path / "fields-32.jsonl"
    journal.write_bytes(header + b"\n" + journal.read_bytes().partition(b"\n")[2])
    said: list[str] = []
    assert np.array_equal(kept(cached_fields(pairs, tmp_path, 32, say=said.append)), whole)
    assert len(said) == 1 and "set aside" in said[0]
    assert (tmp_path / "fields-32.u8.set-aside").stat().st_size == 8 * ROW


def test_two_processes_at_once_write_one_whole_cache(bci: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from training.data.cache import cached_fields\n"
        "from training.data.index import index_folder\n"
        "pairs = index_folder(Path(sys.argv[1])).of('train')[:: int(sys.argv[3])]\n"
        "cached_fields(pairs, Path(sys.argv[2]), 32)"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", code, str(bci), str(tmp_path), step], stdout=subprocess.PIPE)
        for step in ("1", "-1")
    ]
    assert [process.communicate()[1] or process.returncode for process in started] == [0, 0]
    assert (tmp_path / "fields-32.u8").stat().st_size == 40 * ROW
    done: list[int] = []
    pairs = index_folder(bci).of("train")
    fields = cached_fields(pairs, tmp_path, 32, done.append)
    assert done == []
    assert np.array_equal(kept(fields), kept(cached_fields(pairs, tmp_path / "alone", 32)))


def test_a_full_disk_is_one_sentence_and_keeps_what_was_decoded(
    bci: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs = index_folder(bci).of("test")
    with monkeypatch.context() as patch:
        patch.setattr(training.data.cache.shutil, "disk_usage", lambda folder: SimpleNamespace(free=ROW))
        with pytest.raises(UserError, match=r"disk is full: the cache needs 0\.0 MB more, and 0\.0 MB are free.*kept"):
            cached_fields(pairs, tmp_path, 32)
    append = training.data.cache._append

    def full_after_three(data, log, number, key, field):  # type: ignore[no-untyped-def]
        if number == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        append(data, log, number, key, field)

    with monkeypatch.context() as patch:
        patch.setattr(training.data.cache, "_append", full_after_three)
        with pytest.raises(UserError, match="disk is full"):
            cached_fields(pairs, tmp_path, 32)
    done: list[int] = []
    cached_fields(pairs, tmp_path, 32, done.append)
    assert done == [1, 2, 3, 4, 5]


def test_a_stain_that_is_not_there_is_zeros(bci: Path, tmp_path: Path) -> None:
    both = cached_fields(index_folder(bci).of("test"), tmp_path, 32)
    alone = cached_fields(index_folder(bci, stain=Stain.IHC).of("test"), tmp_path, 32)
    assert both.stains(0) == (Stain.HE, Stain.IHC)
    assert alone.stains(0) == (Stain.IHC,)
    assert not alone[0][0].any()
    assert np.array_equal(alone[0][1], both[0][1])


def test_a_worker_process_maps_the_file_anew(bci: Path, tmp_path: Path) -> None:
    fields = cached_fields(index_folder(bci).of("test"), tmp_path, 32)
    first = fields[0].copy()
    assert np.array_equal(copy.copy(fields)[0], first)
    assert fields.__getstate__()["_map"] is None


def test_an_unreadable_image_says_which(bci: Path, tmp_path: Path) -> None:
    shutil.copytree(bci, tmp_path / "data")
    pairs = index_folder(tmp_path / "data").of("test")
    pairs[2].he.write_text("no picture")
    with pytest.raises(ImageError, match=pairs[2].he.name.replace("+", r"\+")):
        cached_fields(pairs, tmp_path / "cache", 32)


def test_cached_input_is_the_viewers_input_to_one_level() -> None:
    he, ihc = tissue(1, (1024, 1024)), tissue(2, (1024, 1024), "ihc")
    layout = InputLayout()
    squares = np.stack([cv2.resize(image, (224, 224), interpolation=cv2.INTER_AREA) for image in (he, ihc)])
    viewer = compose({Stain.HE: he, Stain.IHC: ihc}, layout).astype(int)
    cached = compose({Stain.HE: squares[0], Stain.IHC: squares[1]}, layout)
    assert np.abs(viewer - cached).max() <= 1
