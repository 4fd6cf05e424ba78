"""The report of one case: one or two pages that say what was scored, what speaks against it, and where the network looked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray
from reportlab.platypus import CondPageBreak, Flowable, KeepTogether, PageBreak

from her2viewer import RESEARCH_USE, __version__
from her2viewer.export.explanation import ExaminedRecord, ExplanationDocument, WhatIfRecord
from her2viewer.export.legend_record import LegendRecord
from her2viewer.export.membrane_record import MembraneRecord
from her2viewer.export.places import without_places
from her2viewer.export.report.model_in_short import model_in_short
from her2viewer.export.report.naming import Naming
from her2viewer.export.report.page import NOT_A_CASE, Paper, Subject, write_report
from her2viewer.export.report.parts import (
    BODY,
    BODY_QUIET,
    GAP,
    LABEL,
    LARGE,
    LARGE_QUIET,
    MIDDLE,
    MIDDLE_QUIET,
    SMALL,
    SMALL_QUIET,
    SMALL_STRONG,
    columns,
    facts,
    fitted,
    heading,
    listed,
    note,
    picture,
    say,
    space,
    title,
)
from her2viewer.export.report.plots import legend_ramp, probability_bars, scale_bar, share_bars
from her2viewer.export.results import FieldRecord, ImageRecord, ResultDocument
from her2viewer.export.score_band import set_words
from her2viewer.export.trust_record import TrustRecord
from her2viewer.scoring.package import ModelManifest
from her2viewer.scoring.stains import Stain

RGB = NDArray[np.uint8]
"""(h, w, 3) uint8 RGB."""

_TOLD_AT_ONCE: Final = 4
"""Checks beside the score; more are counted there and told in their own section."""
_TALLEST: Final = 208.0
"""Points of a picture, so that two rows stand on one page beside the score."""
_GRADES: Final = {
    "none": "no staining",
    "faint_incomplete": "faint, incomplete",
    "weak_to_moderate": "weak to moderate",
    "intense_complete": "intense, complete",
}


@dataclass(frozen=True, slots=True)
class ReadersScore:
    """What a person scored: `reason` where it is not the model's score, `notes` of any length; `blind`: before the model's was
    shown, None where that is not known.
    """

    score: str
    reason: str = ""
    notes: str = ""
    blind: bool | None = None
    utc: datetime | None = None


@dataclass(frozen=True, eq=False, slots=True)
class CasePictures:
    """What a report shows of the tissue, of any size, per stain (h, w, 3) uint8 RGB.

    plain: as it is; overlaid: with the map that `legend` describes; um: micrometres per pixel of these pictures, where known.
    whole: an annotated picture that carries its own legend, where it cannot be taken apart; then there is nothing else.
    """

    plain: Mapping[Stain, RGB] = field(default_factory=lambda: MappingProxyType({}))
    overlaid: Mapping[Stain, RGB] = field(default_factory=lambda: MappingProxyType({}))
    um: Mapping[Stain, float | None] = field(default_factory=lambda: MappingProxyType({}))
    legend: LegendRecord | None = None
    whole: RGB | None = None


@dataclass(frozen=True, eq=False, slots=True)
class CaseContents:
    """Everything a case's report is made of. What is None or empty was not asked, and is left out or said to be missing.

    coverage: the level of the prediction sets, where known; examined: every check that was made; reader: a person's own score.
    """

    result: ResultDocument
    pictures: CasePictures = field(default_factory=CasePictures)
    examined: tuple[ExaminedRecord, ...] = ()
    trust: TrustRecord | None = None
    membranes: MembraneRecord | None = None
    what_if: WhatIfRecord | None = None
    stains_alone: tuple[str, ...] = ()
    reader: ReadersScore | None = None
    model: ModelManifest | None = None

    def explained_by(self, document: ExplanationDocument) -> Self:
        """The same with what an explanation file says of this result."""
        return replace(
            self,
            examined=document.checks,
            trust=document.trust,
            membranes=document.membranes,
            what_if=document.what_if,
            stains_alone=tuple(effect.words for effect in document.without),
        )

    @property
    def coverage(self) -> float | None:
        conformal = None if self.model is None else self.model.calibration.conformal
        return None if conformal is None else conformal.level


def write_case_report(
    path: Path | str,
    contents: CaseContents | Sequence[CaseContents],
    *,
    paper: Paper = Paper.A4,
    names: bool = True,
    made: datetime | None = None,
) -> None:
    """Writes the report of a case, or of several one after the other. Raises ExportError.

    names: whether case ids and file names are shown; otherwise a case is named by its picture's hash. made: now unless given.
    """
    cases = [contents] if isinstance(contents, CaseContents) else list(contents)
    made = (made or datetime.now(UTC)).astimezone(UTC)
    naming = Naming(names)
    story: list[Flowable] = []
    for one in cases:
        if story:
            story.append(PageBreak())
        story += case_story(one, paper, naming, made)
    of = f"case {naming.of(cases[0].result)}" if len(cases) == 1 else f"{len(cases)} cases"
    write_report(path, story, title=f"HER2 field report, {of}", paper=paper, made=made)


def case_story(contents: CaseContents, paper: Paper, naming: Naming, made: datetime) -> list[Flowable]:
    """The report of one case as what is laid out on pages."""
    result, width = contents.result, paper.width
    name = naming.of(result)
    story: list[Flowable] = [
        Subject(f"Case {name} · {result.model.name} {result.model.version}"),
        _head(f"Case {name}", made, width),
        say(f"HER2 field report. {NOT_A_CASE}", BODY_QUIET),
        space(1.5),
        _scores(contents, width),
    ]
    against = _against(result, naming)
    if against:
        story += [space(1.5), note(against, width)]
    story += [space(1.5), *_pictures(contents.pictures, result, naming, width)]
    story += _checks(contents, naming, width)
    story += _readings(contents, width)
    story += _map_trust(contents, width)
    story += _provenance(contents, naming, width)
    story += [CondPageBreak(140), *model_in_short([result.model], contents.model, width)]
    story += [space(), say(RESEARCH_USE, SMALL_STRONG)]
    return story


def _head(words: str, made: datetime, width: float) -> Flowable:
    return columns([title(words), say(f"Report made\n{made:%Y-%m-%d %H:%M} UTC", SMALL_QUIET)], [width - 106, 90])


def _scores(contents: CaseContents, width: float) -> Flowable:
    """The score in large type, its probabilities, and beside them who else has read the field."""
    result = contents.result
    model = [
        say("Model's score of this field", LABEL),
        say(result.score, LARGE_QUIET if result.no_call else LARGE),
        space(),
        say(
            "No call: see below" if result.no_call else "Field-level prediction",
            SMALL_STRONG if result.no_call else SMALL,
        ),
        say(set_words(result.prediction_set, contents.coverage), SMALL_QUIET),
    ]
    others: list[Flowable] = []
    reader, membranes = contents.reader, contents.membranes
    if reader is not None:
        when = {None: "", True: "before the model's score was shown", False: "with the model's score in view"}
        others += [
            say("Reader's score", LABEL),
            say(reader.score, MIDDLE),
            space(0.75),
            say(when[reader.blind], SMALL_QUIET) if reader.blind is not None else space(0),
            space(),
        ]
    if membranes is not None:
        others += [
            say("Membranes, without the network", LABEL),
            say(membranes.score or "none", MIDDLE if membranes.score else MIDDLE_QUIET),
            space(0.75),
        ]
    side = 132.0
    bars = width - 2 * side - 4 * GAP if others else width - side - 2 * GAP
    bars = min(bars, 250)
    middle = [
        say("Probability", LABEL),
        space(0.5),
        probability_bars(dict(list(result.probabilities.items())[:16]), result.score, bars),
    ]
    return columns([model, middle, others or ""], [side, bars, width - side - bars - 4 * GAP])


def _against(result: ResultDocument, naming: Naming) -> list[str]:
    """What speaks against the score, in the order in which it matters."""
    told = [f"No call: {naming.words(result.no_call)}"] if result.no_call else []
    checks = [check for check in result.checks if check.message not in (result.no_call or "")]
    told += [f"Check: {naming.words(check.message)}" for check in checks[:_TOLD_AT_ONCE]]
    if len(checks) > _TOLD_AT_ONCE:
        told.append(f"{len(checks) - _TOLD_AT_ONCE} more checks did not pass; all stand under Checks.")
    return told


def _pictures(pictures: CasePictures, result: ResultDocument, naming: Naming, width: float) -> list[Flowable]:
    if pictures.whole is not None:
        return [picture(pictures.whole, width, 420)]
    stains = [stain for stain in Stain if stain in pictures.plain or stain in pictures.overlaid]
    if not stains:
        return [say("No picture of the field was at hand when this report was made.", BODY_QUIET)]
    parts: list[Flowable] = []
    each = (width - 2 * GAP) / 2
    rows = [row for row in (pictures.plain, pictures.overlaid) if row]
    tall = _TALLEST if len(rows) > 1 else 1.3 * _TALLEST
    for number, row in enumerate(rows):
        cells: list[list[Flowable]] = []
        for stain in stains:
            if stain not in row:
                cells.append([])
                continue
            shown = [_caption(stain, result, naming)] if number == 0 else []
            shown += [space(0.5), picture(row[stain], each, tall)]
            um = pictures.um.get(stain)
            if um is not None:
                pixels = row[stain].shape[1], row[stain].shape[0]
                across = fitted(pixels, each, tall)[0]
                shown += [space(0.5), scale_bar(um * pixels[0] / across, across)]
            cells.append(shown)
        parts.append(columns(cells, [each] * len(cells)))
        parts.append(space(0.5))
    block: list[Flowable] = [KeepTogether(parts)]
    if pictures.legend is not None and pictures.overlaid:
        block += [space(0.5), KeepTogether(_legend(pictures.legend, width))]
    return block


def _caption(stain: Stain, result: ResultDocument, naming: Naming) -> Flowable:
    image: ImageRecord | None = getattr(result.images, stain)
    words = f"{stain.caption}"
    if image is not None and naming.file(image.file):
        words += f"  {naming.file(image.file).rsplit('/', 1)[-1]}"
    told = [say(words, SMALL_STRONG)]
    if image is not None:
        told.append(say(_size(image, result.field.get(stain)), SMALL_QUIET))
    return columns([told], [240.0])


def _size(image: ImageRecord, scored: FieldRecord | None) -> str:
    scale = f", {image.mpp:.3g} µm/px" if image.mpp is not None else ", scale not known"
    whole = f"{image.width:,} × {image.height:,} px{scale}"
    if scored is None or (round(scored.width), round(scored.height)) == (image.width, image.height):
        return f"whole image, {whole}"
    place = f"{round(scored.width):,} × {round(scored.height):,} px at ({round(scored.x):,}, {round(scored.y):,})"
    return f"{place} of {whole}"


def _legend(legend: LegendRecord, width: float) -> list[Flowable]:
    told = [say(f"Evidence for class {legend.question}", SMALL_STRONG)]
    half = (width - 2 * GAP) / 2
    left: list[Flowable] = [*told]
    if legend.full > 0:
        left += [space(0.5), legend_ramp(legend, half)]
    if legend.remark:
        left.append(say(legend.remark, SMALL))
    return [columns([left, facts(legend.facts, half, 62)], [half, half])]


def _checks(contents: CaseContents, naming: Naming, width: float) -> list[Flowable]:
    """How many passed, and the figures of those that did not."""
    share = width / 100
    if contents.examined:
        failed = [one for one in contents.examined if not one.passed]
        passed = len(contents.examined) - len(failed)
        parts: list[Flowable] = [heading("Checks"), say(f"{passed} of {len(contents.examined)} checks passed.", BODY)]
        if not failed:
            return parts
        rows = [
            (
                one.title,
                f"{one.figure:.4g}",
                f"{'at least' if one.at_least else 'at most'} {one.threshold:.4g}",
                naming.words(one.message),
            )
            for one in failed
        ]
        widths = [31 * share, 10 * share, 15 * share, 44 * share]
        table = listed(("Did not pass", "Figure", "Asked", "What it means"), rows, widths, right=(1,))
        return [*parts, space(0.5), table]
    if not contents.result.checks:
        return [heading("Checks"), say("All checks passed.", BODY)]
    if len(contents.result.checks) <= _TOLD_AT_ONCE:
        return []
    rows_ = [
        (check.name.replace("_", " "), f"{check.figure:.4g}", f"{check.threshold:.4g}", naming.words(check.message))
        for check in contents.result.checks
    ]
    widths = [18 * share, 10 * share, 10 * share, 62 * share]
    table = listed(("Check", "Figure", "Threshold", "What it found"), rows_, widths, right=(1, 2))
    return [heading("Checks that did not pass"), table]


def _readings(contents: CaseContents, width: float) -> list[Flowable]:
    """The reader's reason and notes, and what was measured of the membranes."""
    parts: list[Flowable] = []
    reader, membranes = contents.reader, contents.membranes
    if reader is not None:
        parts.append(heading("Reader"))
        utc = "" if reader.utc is None else f"{reader.utc.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        parts.append(facts([("Score", reader.score), ("Scored", utc), ("Reason", reader.reason)], width))
        if reader.notes:
            # Not in a table, which cannot break a long text over pages.
            parts += [say("Notes", SMALL_QUIET), say(without_places(reader.notes), SMALL)]
    if membranes is not None:
        parts += [heading("Membranes, read without the network")]
        sentence = membranes.agreement.sentence if membranes.agreement is not None else membranes.reason
        told = [say(words, BODY) for words in (sentence, membranes.borderline) if words]
        counted = sum(membranes.counts.values())
        if membranes.shares is not None:
            rows = [
                (_GRADES.get(name, name.replace("_", " ")), membranes.counts[name], share)
                for name, share in membranes.shares.items()
            ]
            bars: Flowable | str = share_bars(rows, 250, 92)
        else:
            bars = ""
        scale = f"{membranes.mpp:.3g} µm/px" + (", assumed" if membranes.mpp_assumed else "")
        told.append(say(f"{counted:,} cells counted, {membranes.passed_over:,} passed over; {scale}.", SMALL_QUIET))
        told += [say(f"–  {limit}", SMALL_QUIET) for limit in membranes.limits]
        parts.append(columns([told, bars], [width - 250 - 2 * GAP, 250]))
    return parts


def _map_trust(contents: CaseContents, width: float) -> list[Flowable]:
    """What the map is worth, what each stain adds, and where the score would change."""
    parts: list[Flowable] = []
    trust, varied = contents.trust, contents.what_if
    if trust is not None:
        against = "" if trust.against is None else f" and not {trust.against}"
        parts += [
            heading("What the map is worth"),
            say(f"{trust.headline} ({trust.method}, evidence for class {trust.target}{against})", BODY),
            *(say(f"–  {reason}", SMALL) for reason in trust.reasons),
            say(trust.limit, SMALL_QUIET),
        ]
    rest = [*contents.stains_alone, *([varied.words] if varied is not None else [])]
    if rest:
        parts += [heading("What if"), *(say(f"–  {words}", SMALL) for words in rest)]
    return parts


def _provenance(contents: CaseContents, naming: Naming, width: float) -> list[Flowable]:
    result = contents.result
    images: list[tuple[str, str]] = []
    for stain in Stain:
        image: ImageRecord | None = getattr(result.images, stain)
        if image is not None:
            origin = f" ({image.mpp_origin})" if image.mpp_origin and image.mpp is not None else ""
            file = f"{naming.file(image.file)}, " if naming.file(image.file) else ""
            images.append((stain.caption, f"{file}{_size(image, result.field.get(stain))}{origin}"))
            images.append(("  SHA-256", image.sha256))
    alignment = result.alignment
    lies = "as the two images were given, not registered" if result.images.he is not None else ""
    if alignment is not None:
        lies = alignment.words + ("" if alignment.used else " (not used: the pair was scored as it is)")
    rows = [
        (
            "Field",
            "the whole image" if result.field_name is None else naming.file(result.field_name) or "a drawn field",
        ),
        *images,
        ("Alignment", lies),
        ("Label of the pair", result.label or ""),
        ("Remarks", " ".join(naming.words(words) for words in result.warnings)),
        (
            "Scored",
            f"{result.utc:%Y-%m-%d %H:%M:%S} UTC on {result.device}, {result.precision}, {result.seconds:.2g} s",
        ),
        ("App", f"HER2 Viewer {result.app_version}" + _report_by(result.app_version)),
    ]
    return [heading("What was scored"), facts(rows, width)]


def _report_by(version: str) -> str:
    return "" if version == __version__ else f"; this report by {__version__}"
