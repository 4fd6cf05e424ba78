"""Which cases there are and what became of them: values."""

from pathlib import Path

from her2viewer.cases.pair import Pairing, pair_files
from her2viewer.gui.cases.cases import Cases, CaseStatus, Outcome, key_of

A, B, C = (pair_files(Path(f"HE/{name}.png"), Path(f"IHC/{name}.png")) for name in ("a_1+", "b_2+", "c_3+"))


def test_what_was_opened_is_listed_once_and_paging_stands_there() -> None:
    cases = Cases().with_opened(A.he, A.ihc).with_opened(B.he, B.ihc).with_opened(A.he, A.ihc)
    assert cases.pairs == (A, B)
    assert cases.at == key_of(A)
    assert cases.outcome(A).status is CaseStatus.SEEN


def test_swapped_stains_are_the_same_case() -> None:
    cases = Cases().with_opened(A.he, A.ihc)
    assert cases.of(A.ihc, A.he) == A
    assert cases.with_opened(A.ihc, A.he).pairs == (A,)


def test_a_folder_takes_the_place_of_another_and_what_was_opened_stays() -> None:
    cases = Cases().with_folder("first", Pairing("names", (A, B))).with_opened(A.he, A.ihc)
    cases = cases.with_folder(
        "second", Pairing("names", (C,), unpaired=(Path("x.png"),), refused=((Path("y.png"), "why"),))
    )
    assert cases.pairs == (A, C)
    assert cases.found.left_out == ("x.png: no partner", "y.png: why")


def test_opening_again_keeps_the_score_and_forgets_the_failure() -> None:
    scored = Outcome(CaseStatus.SCORED, "2+")
    cases = Cases().with_opened(A.he, A.ihc).with_outcome(A, scored).with_opened(B.he, B.ihc)
    assert cases.with_opened(A.he, A.ihc).outcome(A) == scored
    failed = cases.with_outcome(A, Outcome(CaseStatus.FAILED, why="it is empty"))
    assert failed.with_opened(A.he, A.ihc).outcome(A).status is CaseStatus.SEEN
