import json
import os
import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from her2viewer.cases.library.database import BACKUP_SUFFIX
from her2viewer.cases.library.library import LOG_SUFFIX, Library
from her2viewer.cases.library.records import NOT_ASSESSABLE, ReadingKind
from her2viewer.cases.log import verify_log
from her2viewer.cases.pair import Pair, ihc_alone
from her2viewer.errors import LibraryError
from her2viewer.imaging.affine import Affine
from her2viewer.imaging.alignment import Alignment
from her2viewer.imaging.thin_plate import ThinPlate


def pair(folder: Path, name: str, label: str | None = None) -> Pair:
    """Two files that hold their own names; the library looks at no pixel."""
    folder.mkdir(exist_ok=True)
    files = []
    for stain in ("HE", "IHC"):
        path = folder / f"{name}_{stain}.png"
        path.write_text(f"{name} {stain}")
        files.append(path)
    return Pair(name, *files, label)


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "library.db")


def predict(library: Library, case: int, score: str, **changes: str) -> None:
    told = {"model": "m 1", "model_sha256": "a" * 64, "document": json.dumps({"score": score})} | changes
    library.keep_prediction(case, score=score, no_call=None, **told)


def test_a_case_is_known_by_what_its_files_hold(library: Library, tmp_path: Path) -> None:
    first = library.open_case(pair(tmp_path / "a", "S1", "2+"))
    other = library.open_case(pair(tmp_path / "a", "S2"))
    assert first.id != other.id and (first.title, first.label) == ("S1", "2+")
    library.set_notes(first.id, "a note")
    moved = tmp_path / "b"
    (tmp_path / "a").rename(moved)
    again = library.open_case(Pair("renamed", moved / "S1_HE.png", moved / "S1_IHC.png"))
    assert again.id == first.id and again.notes == "a note" and again.title == "S1"
    assert again.he is not None and again.he.path == (moved / "S1_HE.png").resolve() and again.ihc.is_there
    swapped = library.open_case(Pair("swapped", moved / "S1_IHC.png", moved / "S1_HE.png"))
    assert swapped.id == first.id and swapped.he == again.he
    alone = library.open_case(ihc_alone(moved / "S1_IHC.png"))
    assert alone.id != first.id and alone.he is None
    assert [case.id for case in library.recent()] == [alone.id, first.id, other.id]


def test_a_file_that_is_not_there_is_said(library: Library, tmp_path: Path) -> None:
    made = pair(tmp_path / "a", "S1")
    made.ihc.unlink()
    with pytest.raises(LibraryError, match=r"^S1_IHC\.png: it cannot be read"):
        library.open_case(made)
    assert library.recent() == ()


def test_relink_takes_the_very_file_alone(library: Library, tmp_path: Path) -> None:
    made, other = pair(tmp_path / "a", "S1"), pair(tmp_path / "a", "S2")
    case = library.open_case(made)
    place = tmp_path / "elsewhere.png"
    made.ihc.rename(place)
    assert not library.case(case.id).ihc.is_there
    with pytest.raises(LibraryError, match="its bytes are others"):
        library.relink(case.id, None, other.ihc)
    assert library.relink(case.id, None, place).ihc.is_there


def test_everything_comes_back_after_closing(library: Library, tmp_path: Path) -> None:
    case = library.open_case(pair(tmp_path / "a", "S1")).id
    bent = ThinPlate.through([(0, 0), (100, 0), (0, 100), (90, 80)], [(1, 2), (101, 1), (2, 103), (92, 84)])
    alignment = Alignment(Affine(1, 0.1, 5, -0.1, 1, 7), bent, "landmarks", 1.5, 0.4)
    library.set_tags(case, ["study A", "  urgent ", "Study A", ""])
    library.set_notes(case, "weak, patchy\nsecond line")
    library.keep_fields(case, '{"type": "FeatureCollection"}')
    library.keep_alignment(case, alignment)
    predict(library, case, "2+")
    library.read(case, "1+", "faint", reader="A. Reader", seconds=12.5)
    library.close()
    with Library(tmp_path / "library.db") as again:
        kept = again.case(case)
        assert kept.tags == ("study A", "urgent") and kept.notes == "weak, patchy\nsecond line"
        assert again.fields(case) == '{"type": "FeatureCollection"}'
        back = again.alignment(case)
        assert back is not None and (back.he_to_ihc, back.origin) == (alignment.he_to_ihc, "landmarks")
        points = np.array([(10.0, 20.0), (70.0, 66.0)])
        np.testing.assert_array_equal(back.to_ihc(points), alignment.to_ihc(points))
        reading, prediction = again.reading(case), again.prediction(case)
        assert reading is not None and (reading.score, reading.reason, reading.seconds) == ("1+", "faint", 12.5)
        assert prediction is not None and prediction.score == "2+"


def test_a_reading_is_blind_until_the_model_was_seen(library: Library, tmp_path: Path) -> None:
    cases = [library.open_case(pair(tmp_path / "a", f"S{n}")).id for n in range(4)]
    assert library.read(cases[0], "3+").kind is ReadingKind.BLIND  # no model yet
    for case in cases:
        predict(library, case, "2+")
    assert library.read(cases[1], "3+").kind is ReadingKind.BLIND
    for case in cases[2:]:
        library.reveal(case, "a" * 64)
    assert library.read(cases[2], "2+").kind is ReadingKind.AGREED
    assert library.read(cases[3], "3+").kind is ReadingKind.OVERRIDE
    # Another model's score is not seen with the first one's, but who has seen that is blind no more, and is set beside it.
    predict(library, cases[3], "1+", model_sha256="b" * 64)
    assert not library.is_revealed(cases[3], "b" * 64)
    reading = library.read(cases[3], NOT_ASSESSABLE)
    assert (reading.kind, reading.model_score, reading.model_sha256) == (ReadingKind.OVERRIDE, "2+", "a" * 64)
    library.reveal(cases[3], "b" * 64)
    assert library.read(cases[3], "1+").kind is ReadingKind.AGREED
    with pytest.raises(ValueError, match="score must be one of"):
        library.read(cases[0], "4+")


def test_undo_and_redo_outlive_the_session(library: Library, tmp_path: Path) -> None:
    case = library.open_case(pair(tmp_path / "a", "S1")).id
    library.set_notes(case, "one")
    library.set_tags(case, ["x"])
    library.read(case, "1+")
    library.read(case, "2+")
    library.close()
    library = Library(tmp_path / "library.db")
    assert library.undo_label == "Read as 2+"
    undone = library.undo()
    assert undone is not None and undone.case == case
    reading = library.reading(case)
    assert reading is not None and reading.score == "1+"
    assert [library.undo() is not None for _ in range(4)] == [True, True, True, False]
    assert library.reading(case) is None and library.case(case).notes == "" and library.case(case).tags == ()
    assert library.redo_label == "Change the notes"
    while library.redo():
        pass
    reading = library.reading(case)
    assert reading is not None and reading.score == "2+" and library.case(case).tags == ("x",)
    library.undo()
    library.set_notes(case, "another way")  # what was undone is given up
    assert library.redo_label is None
    library.remove(case)
    assert library.recent() == () and library.readings() == ()
    library.undo()
    assert len(library.recent()) == 1
    library.close()


def test_search_finds_every_word_wherever_it_stands(library: Library, tmp_path: Path) -> None:
    for name, label, notes, tags in (
        ("S1", "2+", "Ünklar, 100% sure", ["study A"]),
        ("S2", "3+", "clear", ["study A", "teaching"]),
        ("under_score", None, "", []),
    ):
        case = library.open_case(pair(tmp_path / "a", name, label)).id
        library.set_notes(case, notes)
        library.set_tags(case, tags)

    def found(words: str = "", *tags: str) -> list[str]:
        return sorted(one.case.title for one in library.search(words, tags))

    assert found() == ["S1", "S2", "under_score"]
    assert found("CLEAR") == found("teach") == ["S2"]
    assert found("100%") == found("study nklar") == ["S1"]
    assert found("r_s") == ["under_score"] and found("%") == ["S1"] and found("'; --") == []
    assert found("", "Study a") == ["S1", "S2"] and found("", "study A", "teaching") == ["S2"]
    assert library.tags() == (("study A", 2), ("teaching", 1))


def test_what_counts_is_in_the_log_without_a_place(library: Library, tmp_path: Path) -> None:
    case = library.open_case(pair(tmp_path / "a", "S1")).id
    predict(library, case, "2+")
    predict(library, case, "2+", document=json.dumps({"score": "2+", "utc": "later"}))  # the same again
    library.reveal(case, "a" * 64)
    library.read(case, "3+", "seen at 10x")
    library.undo()
    library.note_export(case, "overlay", "c" * 64)
    entries = list(library.log.entries())
    assert [entry.kind for entry in entries] == ["score", "override", "reading withdrawn", "export"]
    assert entries[1].about["model_score"] == "2+" and entries[1].about["title"] == "S1"
    assert verify_log(library.log.path).intact
    assert str(tmp_path) not in library.log.path.read_text(encoding="utf-8")


def test_an_entry_that_a_dying_process_left_is_appended_once(library: Library, tmp_path: Path) -> None:
    case = library.open_case(pair(tmp_path / "a", "S1")).id
    library.read(case, "1+")
    (entry,) = library.log.entries()
    library.close()
    # Died between the log and the commit that takes the entry off the outbox; and before another one came that far.
    raw = sqlite3.connect(tmp_path / "library.db")
    for key in (entry.id, "f" * 32):
        raw.execute("INSERT INTO outbox (id, kind, about, utc) VALUES (?, 'reading', '{}', '2026-01-01')", (key,))
    raw.commit()
    raw.close()
    with Library(tmp_path / "library.db") as again:
        assert [one.id for one in again.log.entries()] == [entry.id, "f" * 32]


def test_two_processes_may_have_it_open(library: Library, tmp_path: Path) -> None:
    case = library.open_case(pair(tmp_path / "a", "S1")).id
    with Library(tmp_path / "library.db") as other:
        other.set_notes(case, "from there")
        library.read(case, "1+")
        other.read(case, "2+")
        assert library.case(case).notes == "from there"
        found = verify_log(library.log.path)
        assert found.intact and found.entries == 2


def test_a_damaged_foreign_or_newer_file_is_said_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "library.db"
    path.write_text("my notes")
    with pytest.raises(LibraryError, match=r"^library\.db: the case library is damaged or no library"):
        Library(path)
    assert path.read_text() == "my notes"
    path.unlink()
    Library(path).close()
    raw = sqlite3.connect(path)
    raw.execute("PRAGMA user_version = 7")
    raw.close()
    with pytest.raises(LibraryError, match="newer HER2 Viewer"):
        Library(path)


def test_a_copy_is_made_once_a_day(library: Library, tmp_path: Path) -> None:
    copy = tmp_path / f"library.db{BACKUP_SUFFIX}"
    library.open_case(pair(tmp_path / "a", "S1"))
    library.close()
    Library(tmp_path / "library.db").close()
    raw = sqlite3.connect(copy)
    assert raw.execute("SELECT title FROM kept_case").fetchall() == [("S1",)]
    raw.close()
    os.utime(copy, (0, 0))
    Library(tmp_path / "library.db").close()
    assert copy.stat().st_mtime > 0


_SAVES = """
import sys
from pathlib import Path
from her2viewer.cases.library.library import Library
from tests.cases.library.test_library import pair
folder = Path(sys.argv[1])
with Library(folder / "library.db") as library:
    case = library.open_case(pair(folder / "a", "S1")).id
    for number in range(int(sys.argv[2]), 1_000_000):
        library.set_notes(case, f"note {number}")
        library.read(case, "1+", f"reading {number}")
        print(number, flush=True)
"""


def killed_while_saving(folder: Path, first: int, rounds: int) -> int:
    """Kills a process that saves without end after so many rounds; the last round that it told of."""
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(_SAVES), str(folder), str(first)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.stdout is not None
    told = [process.stdout.readline() for _ in range(rounds)]
    process.kill()
    told += process.stdout.read().splitlines()
    process.wait()
    process.stdout.close()
    return int(told[-1])


@pytest.mark.skipif(sys.platform == "win32", reason="processes are killed otherwise there")
def test_a_killed_process_loses_nothing_that_was_kept(tmp_path: Path) -> None:
    check_kills(tmp_path, 5)


def check_kills(folder: Path, kills: int) -> None:
    """So many kills; after each the library opens, holds what was told, and its log is whole."""
    first = 0
    for kill in range(kills):
        last = killed_while_saving(folder, first, rounds=1 + kill % 7)
        with Library(folder / "library.db") as library:
            (case,) = library.recent()
            reading = library.reading(case.id)
            assert reading is not None
            number = int(reading.reason.split()[1])
            assert number in (last, last + 1)
            assert case.notes in (f"note {number}", f"note {number + 1}")
            found = verify_log(folder / f"library.db{LOG_SUFFIX}")
            assert found.intact, found.changes
            logged = [entry.about["reason"] for entry in library.log.entries() if entry.kind == "reading"]
            assert logged[-1] == reading.reason and len(logged) == len(set(logged))
        first = number + 1
