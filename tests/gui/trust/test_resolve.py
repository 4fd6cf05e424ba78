"""What the section says of a report, and which map stands in the panes."""

from dataclasses import replace

import numpy as np
import pytest

from her2viewer.gui.resolve import overlay_visible, resolve_doing, resolve_legend, resolve_overlay
from her2viewer.gui.state import DrawnMap, ScorePhase, Scoring, State
from her2viewer.gui.trust.resolve import TEACHES, UNTRAINED, resolve_trust, untrained_map
from her2viewer.gui.trust.state import TrustState
from her2viewer.scoring.evidence import Attribution, FieldPixels
from her2viewer.scoring.stains import Stain
from her2viewer.scoring.trust.findings import LIMIT, TrustReport, Verdict

from ..conftest import FakeScorer, fake_report, tissue, user_error

FIELD = FieldPixels.whole(tissue(1), tissue(2, stain=Stain.IHC))


@pytest.fixture
def attribution() -> Attribution:
    return FakeScorer().score(FIELD).attribution("2+")


@pytest.fixture
def report(attribution: Attribution) -> TrustReport:
    return fake_report(attribution, FIELD)


def shown_map(attribution: Attribution, trust: TrustState) -> State:
    evidence = FakeScorer().score(FIELD)
    return State(scoring=Scoring(ScorePhase.SCORED, evidence), drawn=DrawnMap(attribution), trust=trust)


def test_what_has_not_been_asked_teaches_and_what_failed_says_why(attribution: Attribution) -> None:
    shown = resolve_trust(State())
    assert (shown.words, shown.can, shown.headline) == (TEACHES, False, "")
    failed = resolve_trust(shown_map(attribution, TrustState(error=user_error("the file is gone"))))
    assert failed.headline == "Not measured" and "the file is gone" in failed.words.lower()
    asking = shown_map(attribution, TrustState(asking=True))
    assert resolve_trust(asking).asking and "Esc" in resolve_trust(asking).words
    assert resolve_doing(asking).text == "Questioning the map" and resolve_doing(asking).can_cancel


def test_the_verdict_stands_first_and_every_row_has_figures_and_a_meaning(report: TrustReport) -> None:
    shown = resolve_trust(shown_map(report.attribution, TrustState(report)))
    assert shown.headline == report.headline == "This map tells more than chance."
    assert shown.words == report.because and shown.more.startswith(report.reasons[0]) and shown.limit == LIMIT
    rows = {row.name: row.figures for row in shown.rows}
    assert rows["On stained membrane"] == "map 41%, random 23%, area 21%"
    assert rows["Flips and turns"] == "0.87 alike, keeps its place"
    assert rows["Without learning"].startswith("6% of the map")
    assert all(len(row.meaning) > 60 for row in shown.rows)


def test_a_blank_map_is_said_in_words_and_has_no_curves(report: TrustReport) -> None:
    blank = replace(report, verdict=Verdict.BLANK, headline="This map is blank.", reasons=("Nothing speaks for 0.",))
    shown = resolve_trust(shown_map(report.attribution, TrustState(blank)))
    assert (shown.report, shown.rows, shown.can_show_untrained) == (None, (), False)
    assert shown.headline == "This map is blank." and shown.words == "Nothing speaks for 0."


def test_without_an_ihc_there_is_no_row_on_membranes_and_coarse_pixels_say_so(report: TrustReport) -> None:
    bare = replace(report, membrane=None)
    assert len(resolve_trust(shown_map(report.attribution, TrustState(bare))).rows) == 2
    assert report.membrane is not None
    coarse = replace(report, membrane=replace(report.membrane, fine=False))
    row = resolve_trust(shown_map(report.attribution, TrustState(coarse))).rows[0]
    assert row.name == "On DAB" and "too coarse" in row.meaning


def test_the_untrained_networks_map_stands_in_the_panes_in_the_sign_more_like_the_map(report: TrustReport) -> None:
    own = report.attribution
    hidden = shown_map(own, TrustState(report))
    assert untrained_map(hidden) is None
    overlay = resolve_overlay(hidden, Stain.IHC)
    assert overlay is not None and overlay.attribution is own
    state = replace(shown_map(own, TrustState(report, untrained=True)), overlay_on=False)
    assert overlay_visible(state), "it is looked at although the map is off"
    overlay = resolve_overlay(state, Stain.IHC)
    assert overlay is not None
    # The fake one is the map's negative, and less than nothing alike: turned round it is the map.
    assert np.array_equal(overlay.attribution.values, own.values - own.values.min())
    assert overlay.full_scale == overlay.attribution.peak > 0
    assert resolve_legend(state).note.startswith(UNTRAINED)
