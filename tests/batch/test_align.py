"""Pairs registered by the batch: the window's numbers, and in each row what was found."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from her2viewer.batch import row
from her2viewer.batch.options import BatchOptions
from her2viewer.batch.row import score_pair
from her2viewer.batch.run import run_batch
from her2viewer.cases.case import open_pair
from her2viewer.cases.field import read_whole
from her2viewer.export.results import ResultDocument, read_json
from her2viewer.export.table import csv_row, csv_text
from her2viewer.imaging.affine import Affine
from her2viewer.imaging.alignment import Alignment
from her2viewer.scoring.scorer import Scorer
from her2viewer.scoring.stains import Stain
from tests.batch.conftest import MODEL, FakeScorer, MakePairs

TURNED = Alignment(Affine.similarity(1.0, 5, (3, 2), about=(32, 24)), origin="automatic", error_px=1.5, error_um=0.75)


def options(folder: Path, **changes: object) -> BatchOptions:
    return BatchOptions(**({"out": folder, "overlay": False, "model": MODEL, "align": True} | changes))  # type: ignore[arg-type]


def found(monkeypatch: pytest.MonkeyPatch, alignment: Alignment) -> None:
    monkeypatch.setattr(row, "register", lambda he, ihc: alignment)


def test_a_registered_pair_has_the_numbers_of_the_window(
    make_pairs: MakePairs, random_scorer: Scorer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found(monkeypatch, TURNED)
    (pair,) = make_pairs(1)
    with open_pair(pair.he, pair.ihc) as images:
        window = random_scorer.score(read_whole(images, TURNED)).prediction
        plain = random_scorer.score(read_whole(images, None)).prediction
    result = score_pair(pair, random_scorer, options(tmp_path)).result
    assert result is not None
    told = list(result.probabilities.values())
    assert np.abs(np.subtract(told, window.probabilities)).max() <= 1e-6
    assert np.abs(np.subtract(told, plain.probabilities)).max() > 1e-4, "the alignment reached the pixels"
    assert result.field[Stain.HE].frame is not None
    assert result.alignment is not None and result.alignment.used
    assert (result.alignment.error_px, result.alignment.error_um) == (1.5, 0.75)


def test_a_pair_that_does_not_match_is_scored_as_it_is_and_says_so(
    make_pairs: MakePairs, fake: FakeScorer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found(monkeypatch, Alignment(Affine(tx=20), origin="automatic", poor=True))
    (pair,) = make_pairs(1)
    aligned = score_pair(pair, fake, options(tmp_path)).result
    plain = score_pair(pair, fake, options(tmp_path, align=False)).result
    assert aligned is not None and plain is not None
    assert aligned.probabilities == plain.probabilities and aligned.field == plain.field
    assert plain.alignment is None
    assert aligned.alignment is not None and not aligned.alignment.used
    assert "not found to match" in aligned.alignment.words


def test_files_and_table_carry_it_and_resume_does_not_mix(
    make_pairs: MakePairs, fake: FakeScorer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found(monkeypatch, TURNED)
    pairs = make_pairs(2)
    out = tmp_path / "out"
    run_batch(pairs, fake, options(out))
    document = read_json(out / f"{pairs[0].case_id}.json")
    assert document.alignment is not None and document.alignment.error_um == 0.75
    table = (out / "results.csv").read_text(encoding="utf-8-sig")
    assert "alignment" in table.splitlines()[0].split(",") and "Registered automatically" in table
    again = replace(options(out), resume=True)
    assert run_batch(pairs, fake, again).resumed == 2
    assert run_batch(pairs, fake, replace(again, align=False)).resumed == 0, "those were scored otherwise"
    plain = read_json(out / f"{pairs[0].case_id}.json")
    assert isinstance(plain, ResultDocument) and plain.alignment is None
    assert "alignment" not in csv_text([csv_row(plain)]).splitlines()[0]
