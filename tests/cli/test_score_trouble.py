"""`her2viewer score` where the folder of results is the trouble: what is said, and that no row is lost."""

import csv
import errno
import os
import sqlite3
from pathlib import Path

import pytest

from her2viewer.batch.names import LIST, STORE, TABLE
from her2viewer.batch.store import RowStore
from her2viewer.cli import score as score_module
from her2viewer.export import files
from her2viewer.scoring.package import ModelPackage
from her2viewer.scoring.scorer import Scorer
from tests.cli.conftest import MakePairs, Outcome, Run

Score = list[object]


@pytest.fixture
def command(
    make_pairs: MakePairs,
    random_package: ModelPackage,
    random_scorer: Scorer,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Score:
    """Six pairs, and what scores them into `tmp_path / "out"`."""
    make_pairs(6)
    monkeypatch.setattr(score_module, "open_scorer", lambda *_: random_scorer)
    return ["score", tmp_path / "pairs", "--out", tmp_path / "out", "--model", random_package.folder, "--device", "cpu"]


def cases(out: Path) -> list[str]:
    with (out / TABLE).open(encoding="utf-8-sig", newline="") as file:
        return [row["case_id"] for row in csv.DictReader(file)]


def kept(out: Path) -> int:
    store = RowStore(out)
    try:
        return len(store)
    finally:
        store.close()


def one_sentence(outcome: Outcome) -> str:
    assert outcome.err.count("\n") == 1 and outcome.err.startswith("Error: "), outcome.err
    return outcome.err


def test_a_second_run_is_refused_while_the_first_writes(command: Score, her2viewer: Run, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    first = RowStore(tmp_path / "out")
    outcome = her2viewer(*command, "--resume")
    assert outcome.status == 2
    assert "another run of HER2 Viewer is writing results there; wait for it" in one_sentence(outcome)
    first.close()
    assert her2viewer(*command).status == 0


def test_a_table_that_is_open_in_another_program_costs_no_row(
    command: Score, her2viewer: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    real = Path.replace

    def held(self: Path, target: Path) -> Path:
        if Path(target).name == TABLE:
            raise PermissionError(errno.EACCES, "in use")  # as Windows says of a file that Excel has open
        return real(self, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", held)
        outcome = her2viewer(*command)
    out = tmp_path / "out"
    assert outcome.status == 1
    assert "results.csv: it cannot be written (no right to, or another program has it open); all rows are kept" in outcome.err
    assert (out / LIST).is_file() and not (out / TABLE).exists() and kept(out) == 6
    assert her2viewer("table", out).status == 0 and len(cases(out)) == 6


def test_a_full_disk_ends_the_run_in_a_sentence_and_it_goes_on(
    command: Score, her2viewer: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    real, done = files._to_disk, []

    def full(file: object) -> None:
        done.append(file)
        if len(done) > 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(file)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(files, "_to_disk", full)
        outcome = her2viewer(*command)
    assert outcome.status == 1 and "the disk is full" in outcome.err and "--resume goes on" in outcome.err
    assert outcome.err.count("Error: ") == 1
    before = kept(tmp_path / "out")
    assert 0 < before < 6
    again = her2viewer(*command, "--resume")
    assert again.status == 0 and f"Scored 6 of 6 pairs ({before} of them before)" in again.out
    assert len(cases(tmp_path / "out")) == 6


def test_a_disk_that_is_full_for_the_rows_themselves(
    command: Score, her2viewer: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """SQLite's own error: the file may not grow."""
    real = RowStore._open

    def small(self: RowStore) -> None:
        real(self)
        assert self._connection is not None
        pages = self._connection.execute("PRAGMA page_count").fetchone()[0]
        self._connection.execute(f"PRAGMA max_page_count = {pages + 2}")

    with monkeypatch.context() as patched:
        patched.setattr(RowStore, "_open", small)
        outcome = her2viewer(*command)
    assert outcome.status == 1 and "results.db: the disk is full; free some space" in outcome.err
    assert 0 <= kept(tmp_path / "out") < 6
    assert her2viewer(*command, "--resume").status == 0
    assert len(cases(tmp_path / "out")) == 6


@pytest.mark.parametrize("place", ["a file", "below a file", "no right"])
def test_a_folder_that_cannot_be_written_is_said_before_the_network_is_loaded(
    place: str, command: Score, her2viewer: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(score_module, "open_scorer", lambda *_: pytest.fail("loaded"))
    out = tmp_path / "out"
    if place == "no right":
        if not hasattr(os, "geteuid") or os.geteuid() == 0:
            pytest.skip("root may write everywhere")
        out.mkdir()
        out.chmod(0o500)
    else:
        out.write_text("a file of the user")
    if place == "below a file":
        command[3] = out / "below"
    outcome = her2viewer(*command)
    assert outcome.status == 2 and ("is a file, not a folder" in one_sentence(outcome) or "cannot be written" in outcome.err)
    if place != "no right":
        assert out.read_text() == "a file of the user"


@pytest.mark.parametrize("what", ["damaged", "foreign", "newer"])
def test_rows_that_cannot_be_read_are_left_as_they_are(what: str, command: Score, her2viewer: Run, tmp_path: Path) -> None:
    assert her2viewer(*command).status == 0
    path = tmp_path / "out" / STORE
    if what == "damaged":
        path.write_bytes(path.read_bytes()[:100] + b"\xff" * 20_000)
    else:
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA user_version = 99" if what == "newer" else "PRAGMA application_id = 7")
        connection.close()
    before = {file.name: file.read_bytes() for file in path.parent.iterdir()}
    outcome = her2viewer(*command, "--resume")
    assert outcome.status == 2
    words = {"newer": "written by a newer HER2 Viewer"}.get(what, "the rows in it cannot be read")
    assert f"results.db: {words}" in one_sentence(outcome).replace("it was ", "")
    assert {file.name: file.read_bytes() for file in path.parent.iterdir()} == before
    path.rename(path.with_name("aside.db"))  # as the sentence says
    assert her2viewer(*command, "--resume").status == 0 and len(cases(path.parent)) == 6
