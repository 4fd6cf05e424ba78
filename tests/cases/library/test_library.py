import json
import os
import sqlite3
import sys
from pathlib import Path

import numpy as np
import pytest

from her2viewer.cases.library.database import BACKUP_SUFFIX
from her2viewer.cases.library.library import Library
from her2viewer.cases.library.records import NOT_ASSESSABLE, ReadingKind
from her2viewer.cases.log import verify_log
from her2viewer.cases.pair import Pair, ihc_alone
from her2viewer.errors import LibraryError
from her2viewer.imaging.affine import Affine
from her2viewer.imaging.alignment import Alignment
from her2viewer.imaging.thin_plate import ThinPlate
from tests.cases.library.conftest import pair, predict


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


def test_each_reader_is_blind_until_the_score_was_seen_by_that_one(library: Library, tmp_path: Path) -> None:
    case = library.open_case(pair(tmp_path / "a", "S1")).id
    predict(library, case, "2+")
    library.reveal(case, "a" * 64, "Ada")
    assert library.is_revealed(case, "a" * 64, "Ada") and not library.is_revealed(case, "a" * 64, "Bo")
    assert library.read(case, "1+", reader="Bo").kind is ReadingKind.BLIND
    assert library.read(case, "1+", reader="Ada").kind is ReadingKind.OVERRIDE
    # Nobody in particular may be Ada, and what nobody in particular saw, Bo may have seen.
    assert library.read(case, "1+").kind is ReadingKind.OVERRIDE
    library.reveal(case, "a" * 64)
    assert library.is_revealed(case, "a" * 64, "Bo") and library.read(case, "2+", reader="Bo").kind is ReadingKind.AGREED


def test_a_score_that_comes_after_the_reading_is_set_beside_it(library: Library, tmp_path: Path) -> None:
    case = library.open_case(pair(tmp_path / "a", "S1")).id
    library.read(case, "1+")
    library.keep_prediction(case, score="2+", no_call="too blurred", model="m 1", model_sha256="a" * 64, document="{}")
    predict(library, case, "3+", model_sha256="b" * 64)  # too late to be the one beside it
    reading = library.reading(case)
    assert reading is not None and reading.kind is ReadingKind.BLIND
    assert (reading.model_score, reading.model, reading.model_no_call) == ("2+", "m 1", "too blurred")
    assert library.models() == (("m 1", "b" * 64), ("m 1", "a" * 64))
    assert library.study().agreement.counts[1, 2] == 1
    assert library.study(model_sha256="b" * 64).agreement.counts[1, 3] == 1
    assert library.study(model_sha256="c" * 64).without_model == 1


def test_other_words_for_a_reason_are_no_new_reading(library: Library, tmp_path: Path) -> None:
    case = library.open_case(pair(tmp_path / "a", "S1")).id
    with pytest.raises(LibraryError, match="nothing was read of this case yet"):
        library.set_reason(case, "faint")
    predict(library, case, "2+")
    library.read(case, "1+", "faint")
    library.reveal(case, "a" * 64)
    changed = library.set_reason(case, "faint, patchy ")
    assert (changed.reason, changed.kind) == ("faint, patchy", ReadingKind.BLIND)
    assert library.set_reason(case, "faint, patchy") == changed
    library.undo()
    reading = library.reading(case)
    assert reading is not None and reading.reason == "faint" and len(library.readings(every=True)) == 1
    assert [entry.kind for entry in library.log.entries()] == ["score", "reading", "reading reason", "reading reason"]


def test_what_is_done_together_is_kept_together_or_not_at_all(library: Library, tmp_path: Path) -> None:
    case = library.open_case(pair(tmp_path / "a", "S1")).id
    with pytest.raises(RuntimeError), library.together():
        library.set_notes(case, "lost")
        library.read(case, "1+")
        raise RuntimeError
    assert library.case(case).notes == "" and library.reading(case) is None and not library.log.path.exists()
    with library.together():
        library.set_notes(case, "kept")
        with pytest.raises(LibraryError, match="no case 99"):
            library.set_notes(99, "nowhere")
        library.read(case, "1+")
        assert not library.log.path.exists()
    assert library.case(case).notes == "kept" and [entry.kind for entry in library.log.entries()] == ["reading"]


def test_many_that_wait_are_each_logged_once(library: Library, tmp_path: Path) -> None:
    case = library.open_case(pair(tmp_path / "a", "S1")).id
    with library.together():
        for number in range(250):
            library.read(case, "1+", str(number))
    told = [entry.about["reason"] for entry in library.log.entries()]
    assert told == [str(number) for number in range(250)]


def test_a_log_that_cannot_be_written_costs_no_reading(library: Library, tmp_path: Path) -> None:
    case = library.open_case(pair(tmp_path / "a", "S1")).id
    library.read(case, "1+")
    whole = library.log.path.read_bytes()
    library.log.path.write_bytes(b"spoilt\n")
    library.read(case, "2+")
    reading = library.reading(case)
    assert reading is not None and reading.score == "2+"
    assert library.log_trouble is not None and "damaged" in str(library.log_trouble)
    library.log.path.write_bytes(whole)
    library.read(case, "3+")
    assert library.log_trouble is None
    assert [entry.about["score"] for entry in library.log.entries()] == ["1+", "2+", "3+"]
    assert verify_log(library.log.path).intact


def test_a_case_that_is_only_added_is_not_among_the_recent(library: Library, tmp_path: Path) -> None:
    made = [pair(tmp_path / "a", f"S{n}") for n in range(2)]
    opened, added = library.open_case(made[0]), library.add_case(made[1])
    assert [one.id for one in library.recent()] == [opened.id] and added.opened == ""
    assert {one.case.id for one in library.search()} == {opened.id, added.id}
    assert library.add_case(made[0]) == opened
    assert library.open_case(made[1]).opened > opened.opened


def test_a_case_that_there_is_not_is_said(library: Library) -> None:
    for call in (
        lambda: library.read(7, "1+"),
        lambda: library.reveal(7, "a" * 64),
        lambda: predict(library, 7, "1+"),
        lambda: library.keep_fields(7, "{}"),
        lambda: library.set_tags(7, ["x"]),
    ):
        with pytest.raises(LibraryError, match="no case 7"):
            call()


def test_search_knows_no_case_in_any_alphabet_and_keeps_the_name_of_the_files(library: Library, tmp_path: Path) -> None:
    case = library.open_case(pair(tmp_path / "a", "S1")).id
    library.set_title(case, "ÜBERSICHT Σ")
    library.set_tags(case, ["ﬁne"])
    for words in ("übersicht", "s1 σ", "FINE"):
        assert [one.case.id for one in library.search(words)] == [case], words
    library.set_tags(case, [])
    assert library.search("fine") == () and library.case(case).case_id == "S1"
    library.undo()
    assert len(library.search("fine")) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="file names are Unicode elsewhere")
def test_a_file_name_that_is_no_unicode_comes_back_the_same(library: Library, tmp_path: Path) -> None:
    place = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff_IHC.png"))
    place.write_bytes(b"IHC")
    case = library.open_case(ihc_alone(place))
    assert library.case(case.id).ihc.path == place.resolve() and case.ihc.is_there
