from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from her2viewer.errors import PairError
from tests.training.conftest import write_pair
from training.__main__ import app
from training.data.index import CLASSES, index_folder, stratified_split


def test_counts_come_from_each_images_own_name(bci: Path) -> None:
    found = index_folder(bci)
    assert {split: dict(c) for split, c in found.counts().items()} == {
        "train": dict.fromkeys(CLASSES, 10),
        "test": dict.fromkeys(CLASSES, 2),
    }
    assert found.refused == ()
    for pair in found.pairs:
        assert pair.he.name == pair.ihc.name
        assert pair.he.stem.split("_")[1:] == [pair.split, pair.label]


def test_everything_refused_is_listed_with_its_reason(tmp_path: Path) -> None:
    write_pair(tmp_path, "train", 1, "2+")
    write_pair(tmp_path, "train", 2, "5+")
    write_pair(tmp_path, "train", 3, "1+")
    (tmp_path / "HE/train/00003_train_1+.png").unlink()
    write_pair(tmp_path, "train", 4, "0")
    Image.new("RGB", (32, 64)).save(tmp_path / "HE/train/00004_train_0.png")
    write_pair(tmp_path, "train", 5, "3+")
    (tmp_path / "IHC/train/00005_train_3+.png").write_text("no picture")
    write_pair(tmp_path, "train", 6, "3+")
    for stain in ("HE", "IHC"):
        copy = tmp_path / stain / "train" / "00006_train_3+ (1).png"
        copy.write_bytes((tmp_path / stain / "train" / "00006_train_3+.png").read_bytes())
    found = index_folder(tmp_path)
    assert [pair.he.name for pair in found.pairs] == ["00001_train_2+.png", "00006_train_3+.png"]
    reasons = {(refusal.path.name, refusal.reason.split(":")[0]) for refusal in found.refused}
    names = {name for name, _ in reasons}
    assert {
        "00002_train_5+.png",
        "00003_train_1+.png",
        "00004_train_0.png",
        "00005_train_3+.png",
        "00006_train_3+ (1).png",
    } <= names
    assert ("00004_train_0.png", "the sizes differ") in reasons
    assert ("00003_train_1+.png", "its other half is missing") in reasons


def test_a_folder_without_pairs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PairError):
        index_folder(tmp_path)


def test_the_command_prints_the_counts(bci: Path) -> None:
    result = CliRunner().invoke(app, ["index", str(bci)])
    assert result.exit_code == 0
    assert "train" in result.output and "40" in result.output


def test_the_split_is_stratified_disjoint_and_whole() -> None:
    labels = ["0"] * 20 + ["1+"] * 90 + ["2+"] * 170 + ["3+"] * 3
    split = stratified_split(labels, seed=3)
    parts = [split.train, split.validation, split.calibration]
    assert sorted(i for part in parts for i in part) == list(range(len(labels)))
    assert [[sum(labels[i] == c for i in part) for c in CLASSES] for part in parts[1:]] == [[2, 9, 17, 0]] * 2
    assert stratified_split(labels, seed=3) == split != stratified_split(labels, seed=4)
