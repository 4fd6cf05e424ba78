import os
import tempfile
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from her2viewer.cases.names import same
from her2viewer.cases.pairing import Pair, pair_files, pair_folder, pair_folders, pairs_from, with_unique_ids
from her2viewer.errors import PairError
from tests.cases.conftest import Touch


def test_bci_with_train_and_test_below(touch: Touch, tmp_path: Path) -> None:
    touch("HE/train/00000_train_1+.png", "IHC/train/00000_train_1+.png", "HE/test/00345_test_0.png")
    touch(
        "IHC/test/00345_test_0.png", "README.md", "HE/train/.DS_Store", "HE/train/.00000_train_1+.png", "HE/notes.txt"
    )
    pairing = pair_folder(tmp_path)
    assert pairing.pairs == (
        Pair(
            "00345_test_0",
            tmp_path / "HE/test/00345_test_0.png",
            tmp_path / "IHC/test/00345_test_0.png",
            "0",
            "test",
        ),
        Pair(
            "00000_train_1+",
            tmp_path / "HE/train/00000_train_1+.png",
            tmp_path / "IHC/train/00000_train_1+.png",
            "1+",
            "train",
        ),
    )
    assert pairing.unpaired == () and pairing.refused == ()


def test_bci_without_folders_below_and_lower_case_names(touch: Touch, tmp_path: Path) -> None:
    touch("he/a.png", "ihc/A.tif", "he/b.png", "ihc/c.png")
    pairing = pair_folder(tmp_path)
    assert [(pair.he.name, pair.ihc.name) for pair in pairing.pairs] == [("a.png", "A.tif")]
    assert [path.name for path in pairing.unpaired] == ["b.png", "c.png"]


def test_a_label_that_differs_between_the_two_names_makes_no_pair(touch: Touch, tmp_path: Path) -> None:
    touch("HE/00000_train_1+.png", "IHC/00000_train_2+.png", "HE/00001_train_1+.png", "IHC/00001_train_1+.png")
    pairing = pair_folder(tmp_path)
    assert [pair.case_id for pair in pairing.pairs] == ["00001_train_1+"]
    assert len(pairing.unpaired) == 2


def test_an_image_is_never_paired_across_splits(touch: Touch, tmp_path: Path) -> None:
    touch("HE/train/a.png", "IHC/test/a.png")
    with pytest.raises(PairError, match="no file name in HE is also in IHC"):
        pair_folder(tmp_path)


def test_copies_are_dropped_with_the_reason(touch: Touch, tmp_path: Path) -> None:
    touch("HE/a_train_1+.png", "IHC/a_train_1+.png", "HE/a_train_1+ (1).png", "IHC/a_train_1+ (1).png")
    pairing = pair_folder(tmp_path)
    assert len(pairing.pairs) == 1 and pairing.unpaired == ()
    assert [path.name for path, _ in pairing.refused] == ["a_train_1+ (1).png"] * 2
    assert all("copy" in reason for _, reason in pairing.refused)


def test_two_files_of_one_name_are_never_chosen_between(touch: Touch, tmp_path: Path) -> None:
    touch("HE/a.png", "HE/a.tif", "IHC/a.png", "HE/b.png", "IHC/b.png")
    pairing = pair_folder(tmp_path)
    assert [pair.case_id for pair in pairing.pairs] == ["b"]
    assert {path.name for path, _ in pairing.refused} == {"a.png", "a.tif"}
    assert [path.parent.name for path in pairing.unpaired] == ["IHC"]


def test_name_endings_in_one_folder(touch: Touch, tmp_path: Path) -> None:
    touch("S10_HE.png", "S10_IHC.png", "S2-he.tif", "S2-HER2.tif", "S3_HE.png", "overview.png", "notes.txt")
    pairing = pair_folder(tmp_path)
    assert [pair.case_id for pair in pairing.pairs] == ["S2", "S10"]
    assert [path.name for path in pairing.unpaired] == ["overview.png", "S3_HE.png"]


@pytest.mark.parametrize(
    ("he", "ihc", "case_id"),
    [
        ("S12_HE.png", "S12_HER2.png", "S12"),
        ("S12_HE.png", "S12b.png", "S12"),
        ("S12.png", "S12.png", "S12"),
        ("a_HE.png", "a_HE.png", "a_HE"),
        ("00000_train_1+.png", "00000_train_1+.png", "00000_train_1+"),
    ],
)
def test_two_files_are_named_by_their_case(he: str, ihc: str, case_id: str) -> None:
    assert pair_files(Path("HE", he), Path("IHC", ihc)).case_id == case_id


def test_ids_stay_unique_where_folders_hold_equal_names(touch: Touch, tmp_path: Path) -> None:
    touch("HE/x/a.png", "IHC/x/a.png", "HE/y/A.png", "IHC/y/A.png")
    assert [pair.case_id for pair in pair_folder(tmp_path).pairs] == ["a", "A (2)"]


def test_an_accent_composed_in_one_name_and_not_in_the_other(tmp_path: Path) -> None:
    for folder, form in (("HE", "NFC"), ("IHC", "NFD")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / (unicodedata.normalize(form, "Gewebé") + ".png")).touch()
    assert len(pair_folder(tmp_path).pairs) == 1


def test_two_folders_of_equal_names(touch: Touch, tmp_path: Path) -> None:
    touch("eosin/S1_HE.png", "dab/S1_HE.png", "eosin/2.png", "dab/2.jpg")
    pairing = pair_folders(tmp_path / "eosin", tmp_path / "dab")
    assert [pair.case_id for pair in pairing.pairs] == ["2", "S1_HE"]
    with pytest.raises(PairError, match="the same folder was given"):
        pair_folders(tmp_path / "eosin", tmp_path / "dab" / ".." / "eosin")


@pytest.mark.parametrize(
    ("names", "says"),
    [
        ([], "there are no images in it"),
        (["notes.txt"], "there are no images in it"),
        (["a.png", "b.png"], "no two images in it make a pair"),
        (["S1_HE.png", "S2_IHC.png"], "no two images in it make a pair"),
        (["HE/a.png", "IHC/b.png"], "no file name in HE is also in IHC"),
        (["HE/a.png", "H&E/a.png", "IHC/a.png"], "there are two folders of H&E images"),
    ],
)
def test_a_folder_without_pairs_says_what_was_looked_for(
    touch: Touch, tmp_path: Path, names: list[str], says: str
) -> None:
    touch(*names)
    with pytest.raises(PairError, match=says) as caught:
        pair_folder(tmp_path)
    assert str(tmp_path) not in str(caught.value)
    assert tmp_path.name in str(caught.value)


def test_what_is_not_a_folder_is_said(touch: Touch, tmp_path: Path) -> None:
    (text,) = touch("notes.md")
    (image,) = touch("a.png")
    for path, says in (
        (tmp_path / "gone", "there is no such folder"),
        (text, "is neither a folder nor a CSV"),
        (image, "is one image and not a pair"),
        (tmp_path / "gone.csv", "there is no such file"),
    ):
        with pytest.raises(PairError, match=says):
            pairs_from(path)
    with pytest.raises(PairError, match="is a file, not a folder"):
        pair_folder(text)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_folder_without_read_right(tmp_path: Path) -> None:
    tmp_path.chmod(0)
    try:
        with pytest.raises(PairError, match="no right to read"):
            pair_folder(tmp_path)
    finally:
        tmp_path.chmod(0o700)


def test_a_link_that_leads_back_up_is_not_followed(touch: Touch, tmp_path: Path) -> None:
    touch("HE/a.png", "IHC/a.png")
    try:
        (tmp_path / "HE" / "loop").symlink_to(tmp_path / "HE", target_is_directory=True)
    except OSError:
        pytest.skip("this system gives no right to make links")
    assert len(pair_folder(tmp_path).pairs) == 1


NAMES = st.text(alphabet="aAbéE01_+ ().-ß", min_size=1, max_size=8).map(str.strip).filter(lambda n: n.strip(". ") == n)


@settings(deadline=None, max_examples=50)
@given(he=st.sets(NAMES.filter(bool), max_size=8), ihc=st.sets(NAMES.filter(bool), max_size=8))
def test_every_image_is_paired_unpaired_or_refused_and_only_once(he: set[str], ihc: set[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for stain, names in (("HE", he), ("IHC", ihc)):
            (root / stain).mkdir()
            for name in names:
                (root / stain / f"{name}.png").touch()
        files = sorted(path for path in root.rglob("*") if path.is_file())
        try:
            pairing = pair_folder(root)
        except PairError:
            clean = [{same(n) for n in names} for names in (he, ihc)]
            common = clean[0] & clean[1]
            alone = [n for n in common if all(sum(same(m) == n for m in names) == 1 for names in (he, ihc))]
            assert all(n.endswith(")") for n in alone)
            return
        used = [file for pair in pairing.pairs for file in (pair.he, pair.ihc)]
        assert sorted([*used, *pairing.unpaired, *(path for path, _ in pairing.refused)]) == files
        for pair in pairing.pairs:
            assert same(pair.he.stem) == same(pair.ihc.stem)
            assert (pair.he.parent.name, pair.ihc.parent.name) == ("HE", "IHC")
        ids = [same(pair.case_id) for pair in pairing.pairs]
        assert len(set(ids)) == len(ids)


@settings(deadline=None)
@given(st.lists(st.sampled_from(["a", "A", "a (2)", "b", "A (2)"])))
def test_ids_become_unique_and_the_rest_is_kept(ids: list[str]) -> None:
    pairs = [Pair(case_id, Path(f"{i}_HE"), Path(f"{i}_IHC")) for i, case_id in enumerate(ids)]
    unique = with_unique_ids(pairs)
    assert [pair.he for pair in unique] == [pair.he for pair in pairs]
    assert len({same(pair.case_id) for pair in unique}) == len(ids)


def test_the_real_pairs(shared_data: Path) -> None:
    pairing = pair_folder(shared_data / "bci")
    assert len(pairing.pairs) == 12 and not pairing.unpaired and not pairing.refused
    for pair in pairing.pairs:
        assert pair.he.name == pair.ihc.name == f"{pair.case_id}.png"
        assert pair.case_id.endswith(f"_{pair.split}_{pair.label}") and pair.he.parent.name == pair.split
