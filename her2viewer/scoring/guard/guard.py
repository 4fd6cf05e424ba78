"""All checks on a field, in the order in which they are told."""

from collections.abc import Sequence

from her2viewer.scoring.evidence import FieldPixels
from her2viewer.scoring.guard.agreement import examine_agreement
from her2viewer.scoring.guard.detail import examine_detail
from her2viewer.scoring.guard.exposure import examine_exposure
from her2viewer.scoring.guard.geometry import examine_geometry
from her2viewer.scoring.guard.histology import examine_histology
from her2viewer.scoring.guard.report import Examined, GuardReport
from her2viewer.scoring.guard.sample import Sample
from her2viewer.scoring.guard.staining import examine_staining
from her2viewer.scoring.guard.tissue import examine_tissue
from her2viewer.scoring.prediction import Check
from her2viewer.scoring.preprocess import InputLayout
from her2viewer.scoring.stains import Stain


def guard_report(field: FieldPixels, layout: InputLayout, familiarity: Sequence[Examined] = ()) -> GuardReport:
    """Every check on a field, passed or not. A field without tissue gets no further ones: they would speak of nothing.

    familiarity: how far the field is from what the model was trained on (`guard.familiarity`), which takes its network.
    """
    samples = {stain: Sample(field.pixels[stain]) for stain in Stain if stain in field.pixels}
    tissue = tuple(examine_tissue(samples))
    parts: list[Sequence[Examined]] = [tuple(examine_geometry(field, layout)), tissue]
    if all(one.passed for one in tissue):
        looks = (examine_staining, examine_histology, examine_exposure, examine_detail, examine_agreement)
        parts += [tuple(look(samples)) for look in looks]
        parts.append(familiarity)
    return GuardReport.of(parts)


def check_field(field: FieldPixels, layout: InputLayout) -> tuple[Check, ...]:
    """The warnings on a field that need no network; empty where there is nothing to say."""
    return guard_report(field, layout).checks
