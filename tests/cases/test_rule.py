from pathlib import Path

import pytest

from her2viewer.cases.manifest import manifest_text, read_manifest
from her2viewer.cases.rule import Rule, pairs_by
from her2viewer.errors import PairError


def make(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())


def test_a_pattern_pairs_names_that_no_rule_knows(tmp_path: Path) -> None:
    make(tmp_path, "P7 [HE] scan 1.png", "P7 [HER2] scan 2.png", "a/P8 [he] x.tif", "a/P8 [ihc] y.png", "notes.png")
    found = pairs_by(Rule.PATTERN, tmp_path, pattern="{case} [{stain}]*")
    assert [(pair.case_id, pair.he.name if pair.he else "", pair.ihc.name) for pair in found.pairs] == [
        ("P7", "P7 [HE] scan 1.png", "P7 [HER2] scan 2.png"),
        ("P8", "P8 [he] x.tif", "P8 [ihc] y.png"),
    ]
    assert [path.name for path in found.unpaired] == ["notes.png"] and "pattern" in found.rule


def test_two_files_for_one_place_are_used_for_none(tmp_path: Path) -> None:
    make(tmp_path, "S1-HE-a.png", "S1-HE-b.png", "S1-IHC-a.png", "S2-HE-a.png", "S2-IHC-c.png")
    found = pairs_by(Rule.PATTERN, tmp_path, pattern="{case}-{stain}-*")
    assert [pair.case_id for pair in found.pairs] == ["S2"]
    assert sorted(path.name for path, _ in found.refused) == ["S1-HE-a.png", "S1-HE-b.png"]


@pytest.mark.parametrize("pattern", ["", "{case}", "{stain}_{stain}_{case}", "(.*)", "{Case}_{stain}"])
def test_a_pattern_must_name_case_and_stain_once(pattern: str, tmp_path: Path) -> None:
    make(tmp_path, "S1_HE.png", "S1_IHC.png")
    with pytest.raises(PairError, match=r"does not name \{case\} and \{stain\} once each"):
        pairs_by(Rule.PATTERN, tmp_path, pattern=pattern)


def test_a_rule_that_is_named_is_the_one_that_is_used(tmp_path: Path) -> None:
    make(tmp_path, "HE/a.png", "IHC/a.png", "S1_HE.png", "S1_IHC.png")
    assert [pair.case_id for pair in pairs_by(Rule.AUTO, tmp_path).pairs] == ["a"]
    assert [pair.case_id for pair in pairs_by(Rule.FOLDERS, tmp_path).pairs] == ["a"]
    assert [pair.case_id for pair in pairs_by(Rule.ENDINGS, tmp_path).pairs] == ["S1"]
    with pytest.raises(PairError, match="no folders HE and IHC"):
        pairs_by(Rule.FOLDERS, tmp_path / "HE")


def test_what_was_looked_over_is_saved_and_opens_again(tmp_path: Path) -> None:
    make(tmp_path, "x/S1_HE.png", "x/S1_IHC.png", 'x/ü, "=2_HE.png', 'x/ü, "=2_IHC.png')
    pairs = pairs_by(Rule.ENDINGS, tmp_path / "x").pairs
    table = tmp_path / "pairs.csv"
    table.write_text(manifest_text(pairs, tmp_path), encoding="utf-8-sig", newline="")
    assert "x/S1_HE.png" in table.read_text(encoding="utf-8-sig") and str(tmp_path) not in table.read_text("utf-8-sig")
    again = read_manifest(table).pairs
    assert [(pair.case_id, pair.both) for pair in again] == [(pair.case_id, pair.both) for pair in pairs]
