from dataclasses import replace

from her2viewer.gui.guard.resolve import ChecksShown, resolve_checks
from her2viewer.gui.resolve.score import resolve_score
from her2viewer.gui.state import ScorePhase, Scoring, State
from her2viewer.scoring.evidence import FieldPixels
from her2viewer.scoring.guard.report import Examined, GuardReport
from her2viewer.scoring.stains import Stain

from ..conftest import FakeScorer, tissue

SHARP = Examined("blurred", Stain.HE, "sharpness of the H&E image", 0.5, 0.2, at_least=True, message="It is blurred.")
BLURRED = replace(SHARP, figure=0.05)
ALIKE = Examined("unlike_sizes", None, "difference of sizes", 0.0123, 0.02, at_least=False, message="They differ.")
SWAPPED = Examined("stains_swapped", None, "how far from swapped", -0.1, 0.0, at_least=True, message="Swap them.")


def examined(*checks: Examined) -> State:
    evidence = FakeScorer().score(FieldPixels.whole(tissue(1), tissue(2, stain=Stain.IHC)))
    report = GuardReport(checks)
    no_call = next((one.message for one in report.failed if one.stops_the_score), None)
    prediction = replace(evidence.prediction, checks=report.checks, no_call=no_call)
    return State(scoring=Scoring(ScorePhase.SCORED, replace(evidence, guard=report, prediction=prediction)))


def test_before_a_score_and_where_nothing_was_checked_there_is_nothing_to_show() -> None:
    assert resolve_checks(State()) == resolve_checks(examined()) == ChecksShown()


def test_all_passed_is_said_in_one_line() -> None:
    shown = resolve_checks(examined(SHARP, ALIKE))
    assert shown.summary == "All 2 checks passed" and all(row.passed and not row.message for row in shown.rows)
    assert resolve_checks(examined(SHARP)).summary == "All 1 check passed"


def test_what_failed_stands_first_with_its_figure_its_threshold_and_what_to_do() -> None:
    shown = resolve_checks(examined(ALIKE, BLURRED))
    assert shown.summary == "1 of 2 checks failed"
    failed, passed = shown.rows
    assert (failed.passed, failed.title) == (False, "Sharpness of the H&E image")
    assert failed.figures == "0.05, passes with at least 0.2" and failed.message == "It is blurred."
    assert passed.figures == "0.012, passes with at most 0.02"


def test_a_reason_not_to_call_stands_before_every_other_warning_and_the_swap_is_offered() -> None:
    shown = resolve_score(examined(BLURRED, SWAPPED))
    assert shown.against == ("Swap them.", "It is blurred.") and shown.answer == "No call" and shown.offers_swap
