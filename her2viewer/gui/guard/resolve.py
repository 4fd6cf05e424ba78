"""From the state to the checks beneath the score. Pure."""

from dataclasses import dataclass

from her2viewer.gui.state import State
from her2viewer.scoring.guard.report import Examined, GuardReport


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One check: what was measured, its figure beside what passes, and where it failed what to do."""

    passed: bool
    title: str
    figures: str
    message: str


@dataclass(frozen=True, slots=True)
class ChecksShown:
    """The checks on the field that the score is of, those that failed first; no rows where none was made."""

    summary: str = ""
    rows: tuple[CheckRow, ...] = ()


def resolve_checks(state: State) -> ChecksShown:
    """What is shown of the checks."""
    evidence = state.scoring.evidence
    report = evidence.guard if evidence is not None else GuardReport()
    if not report.examined:
        return ChecksShown()
    return ChecksShown(summary(report), tuple(_row(one) for one in sorted(report.examined, key=lambda one: one.passed)))


def summary(report: GuardReport) -> str:
    """'All 14 checks passed', '2 of 14 checks failed'."""
    failed, made = len(report.failed), len(report.examined)
    checks = "check" if made == 1 else "checks"
    return f"{failed} of {made} {checks} failed" if failed else f"All {made} {checks} passed"


def _row(one: Examined) -> CheckRow:
    kind = "at least" if one.at_least else "at most"
    return CheckRow(
        one.passed,
        f"{one.title[:1].upper()}{one.title[1:]}",
        f"{_figure(one.figure)}, passes with {kind} {_figure(one.threshold)}",
        "" if one.passed else one.message,
    )


def _figure(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if abs(value) >= 0.1 or value == 0 else f"{value:.2g}"
