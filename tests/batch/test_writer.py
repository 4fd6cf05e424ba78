import csv
import errno
import json
from dataclasses import replace
from pathlib import Path

import cv2
import pytest

from her2viewer.batch import encode as encode_module
from her2viewer.batch.encode import encode
from her2viewer.batch.names import LIST, STORE, TABLE, file_stem
from her2viewer.batch.options import BatchOptions
from her2viewer.batch.row import BatchRow, Drawing, score_pair
from her2viewer.batch.writer import BatchWriter
from her2viewer.cases.pairing import Pair
from her2viewer.errors import ExportError
from her2viewer.export.results import read_json
from her2viewer.scoring.scorer import Scorer
from tests.batch.conftest import MODEL, FakeScorer, MakePairs


def options(folder: Path, **changes: object) -> BatchOptions:
    values: dict[str, object] = {"out": folder / "out", "overlay": False, "model": MODEL, "root": folder}
    return BatchOptions(**(values | changes))  # type: ignore[arg-type]


def cells(folder: Path) -> list[dict[str, str]]:
    with (folder / "out" / TABLE).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def objects(folder: Path) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads((folder / "out" / LIST).read_text(encoding="utf-8"))
    return found


def test_each_pair_is_on_disk_as_soon_as_it_is_added(make_pairs: MakePairs, fake: FakeScorer, tmp_path: Path) -> None:
    wanted = options(tmp_path, overlay=True)
    writer = BatchWriter(wanted)
    for pair in make_pairs(2):
        row = writer.add(encode(score_pair(pair, fake, wanted), wanted))
        assert [path.name for path in row.files] == [f"{pair.case_id}_overlay.png", f"{pair.case_id}.json"]
        assert row.drawing is None
        assert read_json(row.files[1]) == row.result
        picture = cv2.imread(str(row.files[0]))
        assert picture is not None and picture.shape[1] >= 2 * 64
    assert not (tmp_path / "out" / TABLE).exists()
    assert [path.name for path in writer.close()] == [TABLE, LIST]
    assert [row["case_id"] for row in cells(tmp_path)] == ["00000_train_0", "00001_train_1+"]
    assert cells(tmp_path)[0]["he_file"] == "pairs/HE/00000_train_0.png"
    assert not [path for path in (tmp_path / "out").iterdir() if path.name.startswith(".")]


def test_failed_pairs_stand_in_both_tables_without_a_place(
    make_pairs: MakePairs, fake: FakeScorer, tmp_path: Path
) -> None:
    first, second = make_pairs(2)
    first.he.unlink()
    writer = BatchWriter(options(tmp_path))
    for pair in (first, second):
        writer.add(encode(score_pair(pair, fake, options(tmp_path)), options(tmp_path)))
    writer.close()
    failed, scored = cells(tmp_path)
    assert failed["score"] == "" and "there is no such file" in failed["error"] and scored["error"] == ""
    assert failed["he_file"] == "pairs/HE/00000_train_0.png"
    assert [("error" in entry, entry["case_id"]) for entry in objects(tmp_path)] == [
        (True, first.case_id),
        (False, second.case_id),
    ]
    for path in (tmp_path / "out").iterdir():
        assert str(tmp_path).encode() not in path.read_bytes()


def test_a_folder_with_results_is_refused_before_any_work(
    make_pairs: MakePairs, fake: FakeScorer, tmp_path: Path
) -> None:
    killed = BatchWriter(options(tmp_path))
    killed.add(encode(score_pair(make_pairs(1)[0], fake, options(tmp_path)), options(tmp_path)))
    killed.release()
    # As after a killed run: a result, and no table.
    sentence = r"^out: there are results in this folder already; .*\(on the command line: --resume\)\.$"
    with pytest.raises(ExportError, match=sentence):
        BatchWriter(options(tmp_path))


def test_a_folder_with_other_files_is_taken_and_nothing_in_it_is_lost(
    make_pairs: MakePairs, fake: FakeScorer, tmp_path: Path
) -> None:
    (pair,) = make_pairs(1)
    mine = tmp_path / "out" / f"{pair.case_id}.json"
    mine.parent.mkdir()
    mine.write_text('{"notes": "mine"}')
    writer = BatchWriter(options(tmp_path))
    with pytest.raises(ExportError, match="a file of this name is there already"):
        writer.add(encode(score_pair(pair, fake, options(tmp_path)), options(tmp_path)))
    assert mine.read_text() == '{"notes": "mine"}'


def test_resume_takes_what_was_made_of_the_same_bytes_by_the_same_model(
    make_pairs: MakePairs, fake: FakeScorer, tmp_path: Path
) -> None:
    pairs = make_pairs(4)
    killed = BatchWriter(options(tmp_path))
    done = [killed.add(encode(score_pair(pair, fake, options(tmp_path)), options(tmp_path))) for pair in pairs[:3]]
    killed.release()
    pairs[1].ihc.write_bytes(cv2.imencode(".png", cv2.imread(str(pairs[1].ihc)) // 2)[1].tobytes())
    (tmp_path / "out" / f"{pairs[2].case_id}.json").write_text('{"schema": "her2viewer.result/1", "cut')

    again = BatchWriter(options(tmp_path, resume=True))
    found = [again.finished(pair) for pair in pairs]
    assert [row is not None for row in found] == [True, False, False, False]
    assert found[0] is not None and found[0].resumed and found[0].result == done[0].result
    for pair, row in zip(pairs, found, strict=True):
        again.add(encode(row or score_pair(pair, fake, options(tmp_path)), options(tmp_path)))
    again.close()
    assert [row["case_id"] for row in cells(tmp_path)] == [pair.case_id for pair in pairs]

    other = replace(MODEL, sha256="b" * 64)
    for changes in ({"model": other}, {"overlay": True}, {"align": True}, {"explain": True}):
        third = BatchWriter(options(tmp_path, resume=True, **changes))
        assert third.finished(pairs[0]) is None
        third.release()


def test_resume_with_other_pairs_keeps_the_earlier_ones_in_the_table(
    make_pairs: MakePairs, fake: FakeScorer, tmp_path: Path
) -> None:
    first, second = make_pairs(2)
    for pair, resume in ((first, False), (second, True)):
        writer = BatchWriter(options(tmp_path, resume=resume))
        writer.add(encode(score_pair(pair, fake, options(tmp_path)), options(tmp_path)))
        writer.close()
    assert [row["case_id"] for row in cells(tmp_path)] == [first.case_id, second.case_id]
    assert len(objects(tmp_path)) == 2


def test_a_label_that_was_corrected_is_taken_over(make_pairs: MakePairs, fake: FakeScorer, tmp_path: Path) -> None:
    (pair,) = make_pairs(1)
    writer = BatchWriter(options(tmp_path))
    writer.add(encode(score_pair(pair, fake, options(tmp_path)), options(tmp_path)))
    writer.close()
    again = BatchWriter(options(tmp_path, resume=True))
    row = again.finished(replace(pair, label="3+"))
    assert row is not None and row.result is not None and row.result.label == "3+"
    again.add(encode(row, options(tmp_path)))
    again.close()
    assert read_json(row.files[0]).label == cells(tmp_path)[0]["label"] == "3+"
    third = BatchWriter(options(tmp_path, resume=True))
    assert third.finished(replace(pair, label="3+")) is not None
    third.release()


def test_a_full_disk_leaves_nothing_half_written(make_pairs: MakePairs, fake: FakeScorer, tmp_path: Path) -> None:
    pairs = make_pairs(2)
    writer = BatchWriter(options(tmp_path))
    writer.add(encode(score_pair(pairs[0], fake, options(tmp_path)), options(tmp_path)))
    def there() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir() if STORE not in path.name}

    before = there()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    patch = pytest.MonkeyPatch()
    patch.setattr("her2viewer.export.files._to_disk", full)
    with pytest.raises(ExportError, match=rf"^{pairs[1].case_id}\.json: the disk is full".replace("+", r"\+")):
        writer.add(encode(score_pair(pairs[1], fake, options(tmp_path)), options(tmp_path)))
    assert there() == before
    patch.undo()  # the user made room
    assert [path.name for path in writer.close()] == [TABLE, LIST] and len(cells(tmp_path)) == 1


def test_a_bug_while_drawing_costs_its_pair_only(
    make_pairs: MakePairs, fake: FakeScorer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = options(tmp_path, overlay=True)
    pairs = make_pairs(2)
    writer = BatchWriter(wanted)
    real = encode_module.encoded_drawing

    def broken(drawing: Drawing, case_id: str, *rest: object) -> bytes:
        if case_id == pairs[0].case_id:
            raise ZeroDivisionError
        return real(drawing, case_id, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(encode_module, "encoded_drawing", broken)
    rows = [writer.add(encode(score_pair(pair, fake, wanted), wanted)) for pair in pairs]
    assert rows[0].error is not None and "ZeroDivisionError" in rows[0].error and rows[0].drawing is None
    assert rows[1].error is None and len(rows[1].files) == 2


@pytest.mark.parametrize("case_id", ["results", "Results", "a/b", "../up", "CON", "é" * 300, ".hidden", "x\ny"])
def test_every_case_id_has_a_file_of_its_own_in_the_folder(
    case_id: str, make_pairs: MakePairs, fake: FakeScorer, tmp_path: Path
) -> None:
    pair = replace(make_pairs(1)[0], case_id=case_id)
    writer = BatchWriter(options(tmp_path))
    (path,) = writer.add(encode(score_pair(pair, fake, options(tmp_path)), options(tmp_path))).files
    writer.close()
    assert path.parent == tmp_path / "out" and path.name.lower() not in (TABLE, LIST, STORE)
    assert read_json(path).case_id == case_id
    assert len(list((tmp_path / "out").iterdir())) == 6  # with the log and its head
    again = BatchWriter(options(tmp_path, resume=True))
    assert again.finished(pair) is not None
    again.release()


def test_two_case_ids_never_share_a_file() -> None:
    ids = ["a/b", "a_b", "a:b", "results", "results_case", "Results"]
    assert len({file_stem(case_id) for case_id in ids}) == len(ids)


def test_a_folder_that_cannot_be_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(ExportError, match=r"^out: is a file, not a folder"):
        BatchWriter(options(tmp_path))
    with pytest.raises(ExportError, match=r"^below: is a file, not a folder|^below: results cannot be written"):
        BatchWriter(options(tmp_path, out=tmp_path / "out" / "below"))


def test_nothing_done_writes_no_table(tmp_path: Path) -> None:
    assert BatchWriter(options(tmp_path)).close() == ()
    assert list((tmp_path / "out").iterdir()) == []


def test_a_row_without_any_words_is_still_a_failed_row(tmp_path: Path) -> None:
    writer = BatchWriter(options(tmp_path))
    writer.add(encode(BatchRow(Pair("a", Path("a.png"), Path("b.png")), None, None, 0.0), options(tmp_path)))
    writer.close()
    assert cells(tmp_path)[0]["error"] == "not scored"


def test_an_explanation_stands_beside_the_result_and_is_made_again_where_it_is_not(
    make_pairs: MakePairs, random_scorer: Scorer, tmp_path: Path
) -> None:
    (pair,) = make_pairs(1, (96, 96))
    wanted = options(tmp_path, explain=True, model=random_scorer.package.manifest.identity)
    writer = BatchWriter(wanted)
    row = writer.add(encode(score_pair(pair, random_scorer, wanted), wanted))
    stem = pair.case_id
    assert [path.name for path in row.files] == [f"{stem}_maps.npz", f"{stem}_explanation.json", f"{stem}.json"]
    assert row.explanation is None and all(path.is_file() for path in row.files)
    writer.close()
    again = BatchWriter(replace(wanted, resume=True))
    assert again.finished(pair) is not None
    row.files[1].unlink()
    assert again.finished(pair) is None
