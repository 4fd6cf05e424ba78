"""Reports by the command, read back as text."""

from pathlib import Path

import pytest
from pypdf import PdfReader

from her2viewer import RESEARCH_USE
from tests.cli.conftest import MakePairs, Run


def text_of(path: Path) -> list[str]:
    """Page by page, white space made one."""
    return [" ".join(page.extract_text().split()) for page in PdfReader(path).pages]


@pytest.fixture
def results(her2viewer: Run, make_pairs: MakePairs, random_package, tmp_path: Path) -> Path:  # type: ignore[no-untyped-def]
    pairs = make_pairs(5, (96, 96))
    pairs[2].ihc.write_bytes(b"broken")
    out = tmp_path / "results"
    asked = ("score", tmp_path / "pairs", "--out", out, "--overlay", "--report")
    assert her2viewer(*asked, "--model", random_package.folder, "--device", "cpu").status == 1
    return out


def test_a_study_and_its_cases_from_a_folder(
    her2viewer: Run, results: Path, random_package, tmp_path: Path  # type: ignore[no-untyped-def]
) -> None:
    assert (results / "report.pdf").is_file()
    study, case, sheet = (tmp_path / f"{name}.pdf" for name in ("study", "case", "sheet"))
    model = ("--model", random_package.folder)
    outcome = her2viewer("report", results, "--out", study, "--contact-sheet", sheet, *model)
    assert outcome.status == 0, outcome.err
    pages = text_of(study)
    words = " ".join(pages)
    assert "Study of 5 pairs" in pages[0] and "Agreement with the labels" in words
    assert "00002_test_2+" in words or "00002_train_2+" in words  # the failed one is named
    assert all(RESEARCH_USE in page for page in pages)
    assert str(tmp_path) not in words and not (PdfReader(study).metadata or {}).get("/Author")
    assert "00001_train_1+" in " ".join(text_of(sheet))
    assert her2viewer("report", results, "--case", "00001_train_1+", "--out", case, *model).status == 0
    words = " ".join(text_of(case))
    assert "Case 00001_train_1+" in words and "Probability" in words and "random-for-tests" in words
    again = her2viewer("report", results, "--out", study, *model)
    assert again.status == 2 and "--replace" in again.err


def test_names_stay_away_where_they_are_to(
    her2viewer: Run, results: Path, random_package, tmp_path: Path  # type: ignore[no-untyped-def]
) -> None:
    out = tmp_path / "study.pdf"
    assert her2viewer("report", results, "--out", out, "--no-names", "--model", random_package.folder).status == 0
    assert "_train_" not in " ".join(text_of(out))


def test_rows_as_parquet(her2viewer: Run, results: Path, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "rows.parquet"
    assert her2viewer("report", results, "--parquet", path).status == 0
    table = parquet.read_table(path).to_pylist()
    assert [bool(row["error"]) for row in table] == [False, False, True, False, False]
    assert isinstance(table[0]["p_2+"], float) and table[0]["case_id"] == "00000_train_0"


def test_what_is_no_folder_of_results_is_said(her2viewer: Run, tmp_path: Path) -> None:
    outcome = her2viewer("report", tmp_path, "--out", tmp_path / "a.pdf")
    assert outcome.status == 2 and outcome.err.startswith("Error: ") and outcome.err.count("\n") == 1
    assert her2viewer("report", tmp_path).status == 2
