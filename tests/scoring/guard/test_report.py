from dataclasses import replace

from her2viewer.scoring.guard.report import Examined, GuardReport
from her2viewer.scoring.prediction import Check
from her2viewer.scoring.stains import Stain

SHARP = Examined(
    "blurred", Stain.HE, "sharpness", 1.2, 0.8, at_least=True, message="It is out of focus: scan it again."
)


def test_a_check_passes_on_its_side_of_the_threshold() -> None:
    assert SHARP.passed and not replace(SHARP, figure=0.79).passed
    assert replace(SHARP, figure=0.8).passed
    blocks = replace(SHARP, at_least=False)
    assert not blocks.passed and replace(blocks, figure=0.8).passed


def test_a_report_tells_all_and_a_prediction_what_failed() -> None:
    soft = replace(SHARP, figure=0.4, stain=Stain.IHC)
    report = GuardReport((SHARP, soft))
    assert report.failed == (soft,)
    assert report.checks == (Check("blurred", 0.4, 0.8, SHARP.message),)
    assert report.summary == "1 of 2 checks passed"
    assert GuardReport.of([(SHARP,), (), (soft,)]) == report


def test_some_failures_leave_the_score_without_meaning() -> None:
    assert not SHARP.stops_the_score
    assert replace(SHARP, name="stains_swapped").stops_the_score
