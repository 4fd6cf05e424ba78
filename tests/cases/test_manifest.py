from pathlib import Path

import pytest

from her2viewer.cases.pairing import Pair, pairs_from, read_manifest
from her2viewer.errors import PairError


def table(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "pairs.csv"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_table_as_any_program_writes_it(tmp_path: Path, encoding: str, delimiter: str, ending: str) -> None:
    rows = [
        ["IHC ", "He", "Case_ID", "label", "note"],
        ["b/é.png", "a/é.png", "S1", "2+", "x"],
        ["d.png", "c.png", "", ""],
    ]
    path = table(tmp_path, ending.join(delimiter.join(row) for row in rows) + ending, encoding)
    assert pairs_from(path).pairs == (
        Pair("S1", tmp_path / "a/é.png", tmp_path / "b/é.png", "2+"),
        Pair("c", tmp_path / "c.png", tmp_path / "d.png"),
    )


def test_paths_are_relative_to_the_table_and_absolute_ones_stand(tmp_path: Path) -> None:
    path = table(tmp_path, f"he,ihc\n../a.png,{tmp_path / 'b.png'}\n")
    (pair,) = read_manifest(path).pairs
    assert (pair.he.resolve(), pair.ihc) == ((tmp_path / ".." / "a.png").resolve(), tmp_path / "b.png")


def test_a_path_written_on_windows(tmp_path: Path) -> None:
    (pair,) = read_manifest(table(tmp_path, "he,ihc\nHE\\a.png,IHC\\a.png\n")).pairs
    assert (pair.he, pair.ihc) == (tmp_path / "HE" / "a.png", tmp_path / "IHC" / "a.png")


def test_the_label_comes_from_the_name_where_the_table_has_none(tmp_path: Path) -> None:
    (pair,) = read_manifest(table(tmp_path, "he,ihc\n00000_train_1+.png,x.png\n")).pairs
    assert (pair.label, pair.split) == ("1+", "train")


def test_rows_that_are_no_pair_are_listed_with_their_line(tmp_path: Path) -> None:
    path = table(tmp_path, "he,ihc,case_id\na.png,b.png,S\n,,\nc.png,,S\na.png,b.png,T\n,,\ne.png,f.png,s\ng.png\n")
    pairing = read_manifest(path)
    assert [pair.case_id for pair in pairing.pairs] == ["S", "s (2)"]
    assert [reason for _, reason in pairing.refused] == [
        "line 4 does not name both files",
        "line 5 names a pair that stands in it already",
        "line 8 does not name both files",
    ]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "the table is empty"),
        (b" \n\n", "the table is empty"),
        (b"he,label\na.png,1+\n", "has no column 'ihc'"),
        (b"a.png,b.png\n", "has no column 'he'"),
        (b"he,ihc\n", "no row names two files"),
        (b"he,ihc\n,b.png\n", "no row names two files"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "holds no text"),
        (b"he,ihc\n" + b"a" * 200_000 + b",b.png\n", "is not a table"),
    ],
)
def test_what_is_no_list_of_pairs_is_said_in_one_sentence(tmp_path: Path, data: bytes, says: str) -> None:
    path = tmp_path / "pairs.csv"
    path.write_bytes(data)
    with pytest.raises(PairError, match=says) as caught:
        read_manifest(path)
    text = str(caught.value)
    assert text.startswith("pairs.csv: ") and text.endswith(".") and "\n" not in text and str(tmp_path) not in text


def test_a_folder_named_like_a_table_is_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "cases.csv"
    folder.mkdir()
    (folder / "a_HE.png").touch()
    (folder / "a_IHC.png").touch()
    assert len(pairs_from(folder).pairs) == 1
