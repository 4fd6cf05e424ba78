import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

import training.data.cache
from her2viewer.errors import ImageError
from her2viewer.imaging.opening import open_image
from her2viewer.scoring.preprocess import InputLayout, compose
from her2viewer.scoring.stains import Stain
from tests.scoring.conftest import tissue
from tests.training.conftest import write_pair
from training.data.cache import cached_fields
from training.data.index import index_folder
from training.fit.trainer import composed


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


def test_a_kill_between_data_and_keys_loses_nothing_that_was_keyed(bci: Path, tmp_path: Path) -> None:
    pairs = index_folder(bci).of("test")
    whole = [cached_fields(pairs, tmp_path, 32)[i].copy() for i in range(len(pairs))]
    (keys,) = tmp_path.glob("*.json")
    known = json.loads(keys.read_text())
    keys.write_text(json.dumps(known[:3]))
    (store,) = tmp_path.glob("*.u8")
    store.write_bytes(store.read_bytes()[: -(2 * 32 * 32 * 3) // 2])
    again = cached_fields(pairs, tmp_path, 32)
    assert all(np.array_equal(again[i], whole[i]) for i in range(len(pairs)))


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
    assert np.abs(viewer - composed(squares, layout)).max() <= 1
