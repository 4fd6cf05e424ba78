"""All checks on a field, in the order in which they are told."""

from collections.abc import Callable, Sequence

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
    return Looking(field, layout).report(familiarity)


class Looking:
    """The checks on a field, in two halves of about the same work that two threads may do at the same time."""

    def __init__(self, field: FieldPixels, layout: InputLayout) -> None:
        self._field, self._layout = field, layout
        self._samples = {stain: Sample(field.pixels[stain]) for stain in Stain if stain in field.pixels}
        self._one_by_one: tuple[tuple[Examined, ...], ...] | None = None
        self._together: tuple[Examined, ...] | None = None

    @property
    def halves(self) -> tuple[Callable[[], None], Callable[[], None]]:
        """Each may be called from a thread of its own; what is not done before the report is done with it."""
        return self._look_one_by_one, self._look_together

    def report(self, familiarity: Sequence[Examined] = ()) -> GuardReport:
        """See `guard_report`."""
        parts: list[Sequence[Examined]] = [tuple(examine_geometry(self._field, self._layout)), self._tissue()]
        if self._holds_tissue():
            if self._one_by_one is None:
                self._look_one_by_one()
            if self._together is None:
                self._look_together()
            assert self._one_by_one is not None and self._together is not None
            parts += [*self._one_by_one, self._together, familiarity]
        return GuardReport.of(parts)

    def _tissue(self) -> tuple[Examined, ...]:
        return tuple(examine_tissue(self._samples))

    def _holds_tissue(self) -> bool:
        return all(one.passed for one in self._tissue())

    def _look_one_by_one(self) -> None:
        """At each image."""
        if not self._holds_tissue():
            return
        looks = (examine_staining, examine_histology, examine_exposure, examine_detail)
        self._one_by_one = tuple(tuple(look(self._samples)) for look in looks)

    def _look_together(self) -> None:
        """At both in one place. The IHC's sample is made here first and the H&E's by the other half, each by one thread."""
        if Stain.IHC in self._samples:
            _ = self._samples[Stain.IHC].fine
        if self._holds_tissue():
            self._together = tuple(examine_agreement(self._samples))


def check_field(field: FieldPixels, layout: InputLayout) -> tuple[Check, ...]:
    """The warnings on a field that need no network; empty where there is nothing to say."""
    return guard_report(field, layout).checks
