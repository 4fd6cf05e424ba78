import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from her2viewer.errors import PairError
from her2viewer.scoring.stains import Stain
from training.__main__ import app
from training.data.index import CLASSES, Index, index_folder


def picture(path: Path, seed: int = 0, side: int = 24) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng([seed, len(path.parts), *path.name.encode()]).integers(0, 255, (side, side, 3))
    Image.fromarray(pixels.astype(np.uint8)).save(path)
    return path


def pair(folder: Path, name: str) -> None:
    for seed, stain in enumerate(("HE", "IHC")):
        picture(folder / f"{name}_{stain}.png", seed)


def told(index: Index) -> set[tuple[str, str | None, str | None]]:
    return {(p.case_id, p.label, p.split) for p in index.pairs}


def reasons(index: Index) -> dict[str, str]:
    return {refusal.path.name: refusal.reason for refusal in index.refused}


def test_folders_named_by_split_and_label_with_names_that_end_in_the_stain(tmp_path: Path) -> None:
    for split in ("train", "test"):
        for label in CLASSES:
            pair(tmp_path / split / label, f"S{label[0]}{split}")
    pair(tmp_path / "train" / "2+", "X_train_1+")
    pair(tmp_path / "slide 7", "Y")
    found = index_folder(tmp_path)
    assert told(found) == {(f"S{label[0]}{split}", label, split) for label in CLASSES for split in ("train", "test")}
    assert "disagree on the label: 1+ and 2+" in reasons(found)["X_train_1+_IHC.png"]
    assert "neither by a split nor by a label" in reasons(found)["slide 7"]


@pytest.mark.parametrize("layout", ["{stain}/{split}/{label}", "{split}/{stain}/{label}", "{label}/{split}/{stain}"])
def test_folders_named_by_stain_split_and_label_in_any_order(tmp_path: Path, layout: str) -> None:
    for split in ("train", "test"):
        for label in ("0", "3+"):
            for seed, stain in enumerate(("HE", "IHC")):
                folder = tmp_path / layout.format(stain=stain, split=split, label=label)
                picture(folder / f"Präparat {split} {label[0]}.png", seed)
    found = index_folder(tmp_path)
    assert {(label, split) for _, label, split in told(found)} == {
        (label, split) for label in ("0", "3+") for split in ("train", "test")
    }
    assert len(found.pairs) == 4 and found.refused == ()


def test_a_val_folder_counts_as_train_and_that_is_said(tmp_path: Path) -> None:
    pair(tmp_path / "val" / "1+", "A")
    pair(tmp_path / "train" / "1+", "B")
    found = index_folder(tmp_path)
    assert told(found) == {("A", "1+", "train"), ("B", "1+", "train")}
    assert any("1 pairs of the split 'val' count as train" in remark for remark in found.remarks)
    assert any("Empty classes in train: 0, 2+, 3+" in remark for remark in found.remarks)


def test_imbalance_is_said(tmp_path: Path) -> None:
    for label, count in (("0", 1), ("1+", 2), ("2+", 5), ("3+", 2)):
        for number in range(count):
            pair(tmp_path / "train" / label, f"{number}{label[0]}")
    assert "Imbalance in train: 2+ has 5.0 times as many pairs as 0 (5, 1)." in index_folder(tmp_path).remarks


def test_names_that_disagree_are_told_from_a_missing_half(tmp_path: Path) -> None:
    for stain in ("HE", "IHC"):
        picture(tmp_path / stain / "train/00001_train_1+.png", len(stain))
    picture(tmp_path / "HE/train/00005_train_1+.png")
    picture(tmp_path / "IHC/train/00005_train_3+.png")
    picture(tmp_path / "HE/train/00006_train_1+.png")
    found = reasons(index_folder(tmp_path))
    assert "names disagree" in found["00005_train_1+.png"] and "names disagree" in found["00005_train_3+.png"]
    assert found["00006_train_1+.png"] == "its other half is missing"


def test_deep_finds_what_headers_do_not_tell(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        for seed, stain in enumerate(("HE", "IHC")):
            picture(tmp_path / stain / f"train/0000{number}_train_1+.png", seed)
    cut = tmp_path / "IHC/train/00001_train_1+.png"
    cut.write_bytes(cut.read_bytes()[:900])
    (tmp_path / "IHC/train/00002_train_1+.png").write_bytes((tmp_path / "HE/train/00002_train_1+.png").read_bytes())
    assert len(index_folder(tmp_path).pairs) == 3
    found = index_folder(tmp_path, deep=True)
    assert [p.case_id for p in found.pairs] == ["00003_train_1+"]
    assert "cut short" in reasons(found)["00001_train_1+.png"]
    assert "same picture" in reasons(found)["00002_train_1+.png"]


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    for name in ("a1", "a2", "b1", "b2", "c1_train_1+", "c2_train_3+", "d_train_1+"):
        picture(tmp_path / f"{name}.png")
    return tmp_path


@pytest.mark.parametrize(("encoding", "comma"), [("utf-8-sig", ";"), ("utf-16", "\t"), ("utf-8", ","), ("cp1252", ";")])
def test_a_table_as_spreadsheets_write_it(pictures: Path, encoding: str, comma: str) -> None:
    rows = ["IHC,HE,Label,Split,Slide", "a2.png,a1.png,1+,train,Müller", "b2.png,b1.png,2,test,"]
    (pictures / "t.csv").write_bytes("\r\n".join(rows).replace(",", comma).encode(encoding))
    found = index_folder(pictures / "t.csv")
    assert told(found) == {("a1", "1+", "train"), ("b1", "2+", "test")}
    assert [p.group for p in found.pairs] == ["Müller", None]
    assert found.base == pictures


def test_rows_of_a_table_are_refused_one_by_one(pictures: Path) -> None:
    rows = [
        "he,ihc,label,split",
        "a1.png,a2.png,1+,",
        "gone.png,b2.png,2+,",
        ",b2.png,2+,",
        "b1.png,b2.png,7,",
        "b1.png,a2.png,,",
        "a1.png,b2.png,1+,holdout",
        "c1_train_1+.png,c2_train_3+.png,,",
        "c2_train_3+.png,c1_train_1+.png,2+,",
        "d_train_1+.png,d_train_1+.png,,",
    ]
    (pictures / "t.csv").write_text("\n".join(rows), encoding="utf-8")
    found = index_folder(pictures / "t.csv")
    assert told(found) == {("a1", "1+", "train"), ("c2_train_3+", "2+", "train")}
    assert [refusal.reason.partition(";")[0] for refusal in found.refused] == [
        "line 4 does not name both files",
        "the label '7' is none of 0, 1+, 2+, 3+",
        "its name carries no label of 0, 1+, 2+, 3+",
        "the split 'holdout' is neither train nor test",
        "the two names disagree on the label: 1+ and 3+",
        "there is no such file",
        "it is the same picture as the H&E",
    ]
    assert "1 pairs have another label in the table than in their names; the table's is used." in found.remarks


@pytest.mark.parametrize("text", ["he,label\na1.png,1+\n", "", "he,ihc\n"])
def test_a_table_without_pairs_is_refused(pictures: Path, text: str) -> None:
    (pictures / "t.csv").write_text(text, encoding="utf-8")
    with pytest.raises(PairError):
        index_folder(pictures / "t.csv")
    with pytest.raises(PairError, match="no such file"):
        index_folder(pictures / "none.csv")


def test_images_of_one_stain_alone(tmp_path: Path) -> None:
    picture(tmp_path / "flat/00006_test_3+.png")
    picture(tmp_path / "flat/00007_test_1+ (1).png")
    picture(tmp_path / "both/IHC/train/2+/x.png")
    picture(tmp_path / "both/HE/train/2+/x.png")
    (tmp_path / "t.csv").write_text("ihc,label,split\nflat/00006_test_3+.png,3+,test\n", encoding="utf-8")
    for place, expected in (
        ("flat", ("00006_test_3+", "3+", "test")),
        ("both", ("x", "2+", "train")),
        ("t.csv", ("00006_test_3+", "3+", "test")),
    ):
        found = index_folder(tmp_path / place, stain=Stain.IHC)
        assert told(found) == {expected}
        assert found.pairs[0].he is None and found.pairs[0].ihc.is_file()
    with pytest.raises(PairError, match="--stain"):
        index_folder(tmp_path / "flat")


def test_the_document_says_what_was_indexed_wherever_it_lies(tmp_path: Path) -> None:
    documents = []
    for place in ("one", "two"):
        pair(tmp_path / place / "train" / "1+", "A")
        pair(tmp_path / place / "train" / "5+", "B")
        run = CliRunner().invoke(
            app, ["index", str(tmp_path / place), "--out", str(tmp_path / f"{place}.json")], env={"COLUMNS": "200"}
        )
        assert run.exit_code == 0, run.output
        assert "refused train/5+: the folder is named neither" in run.output
        documents.append(json.loads((tmp_path / f"{place}.json").read_text(encoding="utf-8")))
    one, two = documents
    assert one["schema"] == "her2viewer.index/1"
    assert one["counts"] == {"train": {"1+": 1}}
    assert one["pairs"][0]["he"]["file"] == "train/1+/A_HE.png" and len(one["pairs"][0]["he"]["sha256"]) == 64
    assert one["refused"] == [{"file": "train/5+", "reason": "the folder is named neither by a split nor by a label"}]
    assert str(tmp_path) not in json.dumps(one)
    assert one["root"] != two["root"]
    assert one["sha256"] == two["sha256"] and one["pairs"] == two["pairs"]
