import json
import threading
import time
import tracemalloc
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from her2viewer.batch import run
from her2viewer.batch.options import BatchOptions
from her2viewer.batch.row import BatchRow, score_pair
from her2viewer.batch.run import run_batch
from her2viewer.cases.pairing import Pair, pair_folder
from her2viewer.errors import ExportError
from her2viewer.scoring.evidence import Evidence, FieldPixels
from her2viewer.scoring.scorer import Scorer
from her2viewer.scoring.trust.findings import TrustReport
from tests.batch.conftest import MODEL, FakeScorer, MakePairs


def plain(folder: Path, **changes: object) -> BatchOptions:
    return BatchOptions(**({"out": folder / "out", "overlay": False, "model": MODEL} | changes))  # type: ignore[arg-type]


def test_the_same_numbers_as_single(make_pairs: MakePairs, random_scorer: Scorer, tmp_path: Path) -> None:
    pairs = make_pairs(5)
    rows: list[BatchRow] = []
    summary = run_batch(pairs, random_scorer, plain(tmp_path), rows.append)
    assert (summary.scored, summary.failed) == (5, 0)
    for pair, row in zip(pairs, rows, strict=True):
        alone = score_pair(pair, random_scorer, plain(tmp_path)).result
        assert alone is not None and row.result is not None and row.result.score == alone.score
        difference = np.abs(np.subtract(list(row.result.probabilities.values()), list(alone.probabilities.values())))
        assert difference.max() <= 1e-5


def test_a_thousand_pairs_with_bad_ones_end_well(make_pairs: MakePairs, fake: FakeScorer, tmp_path: Path) -> None:
    good = make_pairs(20, (40, 40))
    empty, small = tmp_path / "empty.png", make_pairs(1, (8, 8))[0]
    empty.touch()
    bad = [
        Pair("missing", tmp_path / "gone.png", good[1].ihc),
        Pair("empty", empty, good[1].ihc),
        Pair("small", small.he, small.ihc),
        Pair("twice", good[1].he, good[1].he),
    ]
    pairs = [bad[i // 20 % 4] if i % 20 == 7 else good[1 + i % 19] for i in range(1000)]
    pairs = [replace(pair, case_id=f"{i:04d} {pair.case_id}") for i, pair in enumerate(pairs)]
    rows: list[BatchRow] = []
    summary = run_batch(pairs, fake, plain(tmp_path), rows.append)
    assert (summary.scored, summary.failed, summary.cancelled) == (950, 50, False)
    assert [row.pair for row in rows] == pairs
    listed = json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8"))
    assert [entry["case_id"] for entry in listed] == [pair.case_id for pair in pairs]
    assert sum("error" in entry for entry in listed) == 50
    assert len(list((tmp_path / "out").glob("*.json"))) == 950 + 1


def test_one_bad_pair_of_a_batch_fails_alone(make_pairs: MakePairs, fake: FakeScorer, tmp_path: Path) -> None:
    pairs = make_pairs(6)
    small = Pair("small", *(tmp_path / name for name in ("s_HE.png", "s_IHC.png")))
    for path, source in ((small.he, pairs[0].he), (small.ihc, pairs[0].ihc)):
        import cv2

        cv2.imwrite(str(path), cv2.imread(str(source))[:16, :16])
    rows: list[BatchRow] = []
    run_batch([*pairs[:3], small, *pairs[3:]], fake, plain(tmp_path), rows.append)
    assert [row.error is None for row in rows] == [True] * 3 + [False] + [True] * 3


def test_a_bug_in_one_pair_costs_that_pair(make_pairs: MakePairs, tmp_path: Path) -> None:
    class Buggy(FakeScorer):
        def score_batch(self, fields: Sequence[FieldPixels]) -> list[Evidence]:
            if any(field.fields and next(iter(field.pixels.values())).shape[1] == 50 for field in fields):
                raise KeyError("a bug")
            return super().score_batch(fields)

    pairs = make_pairs(4)
    odd = replace(make_pairs(1, (50, 48))[0], case_id="odd")
    rows: list[BatchRow] = []
    run_batch([*pairs[1:3], odd, pairs[3]], Buggy(), plain(tmp_path), rows.append)
    assert [row.error and row.error[:22] for row in rows] == [None, None, "a fault in HER2 Viewer", None]


def test_a_run_that_was_cut_off_goes_on(make_pairs: MakePairs, fake: FakeScorer, tmp_path: Path) -> None:
    pairs = make_pairs(30)
    rows: list[BatchRow] = []
    first = run_batch(pairs, fake, plain(tmp_path), rows.append, lambda: len(rows) >= 5)
    assert first.cancelled and 5 <= first.scored < 30 and first.scored == len(rows)
    scored_before = sum(fake.batches)
    second = run_batch(pairs, fake, plain(tmp_path, resume=True))
    assert (second.scored, second.resumed, second.cancelled) == (30, first.scored, False)
    assert sum(fake.batches) - scored_before == 30 - first.scored


def test_cancelling_is_quick_and_leaves_whole_files(make_pairs: MakePairs, tmp_path: Path) -> None:
    class Slow(FakeScorer):
        def score_batch(self, fields: Sequence[FieldPixels]) -> list[Evidence]:
            time.sleep(0.05)
            return super().score_batch(fields)

    stop = threading.Event()
    asked: list[float] = []

    def on_row(row: BatchRow) -> None:
        if not asked:
            asked.append(time.perf_counter())
            stop.set()

    summary = run_batch(make_pairs(60), Slow(), plain(tmp_path), on_row, stop.is_set)
    assert summary.cancelled and summary.scored < 60
    # One batch and what was on its way to the disk; the bound is generous for a busy machine.
    assert time.perf_counter() - asked[0] < 5
    assert len(json.loads((tmp_path / "out" / "results.json").read_text())) == summary.scored
    assert not list((tmp_path / "out").glob(".*"))


def test_a_full_disk_ends_the_run_and_keeps_what_is_written(
    make_pairs: MakePairs, fake: FakeScorer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno

    from her2viewer.export import files

    real, written = files._to_disk, []

    def fills_up(file: object) -> None:
        written.append(file)
        if len(written) > 4:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(file)  # type: ignore[arg-type]

    monkeypatch.setattr(files, "_to_disk", fills_up)
    with pytest.raises(ExportError, match="the disk is full"):
        run_batch(make_pairs(200, (40, 40)), fake, plain(tmp_path))
    assert len(list((tmp_path / "out").glob("*.json"))) == 4
    assert sum(fake.batches) < 200
    monkeypatch.undo()
    assert run_batch(make_pairs(200, (40, 40)), fake, plain(tmp_path, resume=True)).resumed == 4


def test_memory_stays_flat(
    make_pairs: MakePairs, fake: FakeScorer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs = make_pairs(4, (300, 300))
    monkeypatch.setattr(run, "most_pixels", lambda: 4 * 300 * 300)
    many = [replace(pairs[i % 4], case_id=str(i)) for i in range(60)]
    run_batch(many[:4], fake, plain(tmp_path, out=tmp_path / "warm"))
    tracemalloc.start()
    try:
        run_batch(many, fake, plain(tmp_path))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # 60 pairs hold 32 MB of pixels; two at a time, twice each while they are read, are 2 MB.
    assert peak < 4.5e6


def test_a_pair_larger_than_the_room_is_worked_on_alone(
    make_pairs: MakePairs, fake: FakeScorer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "most_pixels", lambda: 10)
    assert run_batch(make_pairs(5), fake, plain(tmp_path)).scored == 5
    assert fake.batches == [1] * 5


def test_each_core_has_pairs_of_its_own_and_rows_are_told_in_order_in_the_callers_thread(
    make_pairs: MakePairs, tmp_path: Path
) -> None:
    threads: dict[str, set[str]] = {"score": set(), "row": set()}
    together = threading.Barrier(3, timeout=30)

    class Watched(FakeScorer):
        def twin(self) -> "Watched":
            other = Watched()
            other.batches = self.batches
            return other

        def score_batch(self, fields: Sequence[FieldPixels]) -> list[Evidence]:
            threads["score"].add(threading.current_thread().name)
            if len(self.batches) < 3:
                together.wait()  # three at a time, or this never ends
            return super().score_batch(fields)

    watched, pairs, told = Watched(), make_pairs(24), []

    def on_row(row: BatchRow) -> None:
        threads["row"].add(threading.current_thread().name)
        told.append(row.pair)

    run_batch(pairs, watched, plain(tmp_path), on_row, cores=3)
    assert told == pairs and threads["row"] == {threading.current_thread().name}
    assert len(threads["score"]) == 3 and threads["row"].isdisjoint(threads["score"])
    assert max(watched.batches) > 1, "several go through the network together"


def test_a_scorer_that_there_is_once_is_used_by_one_thread_at_a_time(make_pairs: MakePairs, tmp_path: Path) -> None:
    busy = threading.Lock()

    class Alone(FakeScorer):
        def score_batch(self, fields: Sequence[FieldPixels]) -> list[Evidence]:
            assert busy.acquire(blocking=False)
            time.sleep(0.005)
            busy.release()
            return super().score_batch(fields)

    assert run_batch(make_pairs(16), Alone(), plain(tmp_path), cores=4).scored == 16


def test_cores_are_given_back(make_pairs: MakePairs, fake: FakeScorer, tmp_path: Path) -> None:
    import cv2
    import torch

    before, seen = (torch.get_num_threads(), cv2.getNumThreads()), set()

    class Watched(FakeScorer):
        def score_batch(self, fields: Sequence[FieldPixels]) -> list[Evidence]:
            seen.add((torch.get_num_threads(), cv2.getNumThreads()))
            return super().score_batch(fields)

    run_batch(make_pairs(8), Watched(), plain(tmp_path), cores=4)
    assert seen == {(1, 1)}
    run_batch(make_pairs(1), Watched(), plain(tmp_path, out=tmp_path / "one"), cores=4)
    assert seen == {(1, 1), (4, 4)}, "a pair alone has all of them"
    assert (torch.get_num_threads(), cv2.getNumThreads()) == before


def test_no_pairs_is_no_work(fake: FakeScorer, tmp_path: Path) -> None:
    summary = run_batch([], fake, plain(tmp_path))
    assert (summary.scored, summary.failed, summary.files) == (0, 0, ())


def test_the_real_pairs(shared_data: Path, random_scorer: Scorer, tmp_path: Path) -> None:
    pairs = pair_folder(shared_data / "bci").pairs[:2]
    summary = run_batch(pairs, random_scorer, plain(tmp_path, overlay=True, stage="layer3", root=shared_data))
    assert (summary.scored, summary.failed) == (2, 0)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "results.csv",
        "results.json",
        "results.db",
        "results.log.jsonl",
        "results.log.jsonl.head",
        *(f"{pair.case_id}{ending}" for pair in pairs for ending in (".json", "_overlay.png")),
    }


def test_cancelled_while_a_pair_is_explained_keeps_those_before_it(
    make_pairs: MakePairs, random_scorer: Scorer, tmp_path: Path
) -> None:
    pairs, rows = make_pairs(3, (96, 96)), []
    begun = threading.Event()

    class Watched(Scorer):
        def trust(self, *args: object, **kwargs: object) -> TrustReport:
            report = Scorer.trust(random_scorer, *args, **kwargs)  # type: ignore[arg-type]
            begun.set()
            return report

    scorer = Watched.open(random_scorer.package, "cpu")
    summary = run_batch(pairs, scorer, plain(tmp_path, explain=True), rows.append, begun.is_set)
    assert summary.cancelled and summary.failed == 0 and summary.scored == len(rows) < 3
    assert not list((tmp_path / "out").glob(".*"))
