"""Agreement in words: what stands in the dialog beside the table. Pure."""

from dataclasses import dataclass
from typing import Final

from her2viewer.cases.agreement import Agreement, Figure
from her2viewer.cases.library.figures import FEW, StudyFigures
from her2viewer.gui.readings.resolve import duration

EMPTY: Final = (
    "No case is read yet. Open a pair, give your own score (keys 6 to 9, or 5), press S for the model's: both are compared here. "
    "With Blind first the model stays hidden until you have scored, and only then do the figures say what you see by yourself."
)


@dataclass(frozen=True, slots=True)
class AgreementShown:
    """The dialog. `rows`: names and figures; `few`: said where they are too few; `empty`: what stands in place of everything."""

    counted: str
    rows: tuple[tuple[str, str], ...] = ()
    few: str = ""
    empty: str = ""


def resolve_agreement(figures: StudyFigures, *, blind: bool) -> AgreementShown:
    """What is said of the figures; of the blind readings alone where that is wished."""
    if not figures.readings:
        return AgreementShown("", empty=EMPTY)
    agreement = figures.blind if blind else figures.agreement
    counted = f"{_cases(agreement.fields)} scored by you and the model"
    aside = [f"{figures.not_assessable} not assessable"] * bool(figures.not_assessable)
    aside += [f"{figures.no_calls} without a call of the model"] * bool(figures.no_calls)
    aside += [f"{figures.without_model} without a score of the model"] * bool(figures.without_model)
    if blind:
        counted = f"{_cases(agreement.fields)} scored by you before the model was seen"
    elif aside:
        counted += f"; {', '.join(aside)}"
    rows = [*_rows(agreement)]
    if not blind:
        which = f" ({figures.upwards} upwards, {figures.downwards} downwards)" if figures.overrides else ""
        rows.append(("Overrides", f"{figures.overrides}{which}"))
        if figures.changed:
            rows.append(("Changed once seen", f"{figures.changed} ({figures.towards} towards the model)"))
        if figures.seconds is not None:
            low, high = duration(figures.seconds.low), duration(figures.seconds.high)
            rows.append(("Time a case", f"{duration(figures.seconds.median)} (half of them {low} to {high})"))
    return AgreementShown(f"{counted}.", tuple(rows), " ".join(filter(None, (_few(agreement), _mixed(figures)))))


def _mixed(figures: StudyFigures) -> str:
    if len(figures.models) < 2:
        return ""
    names = ", ".join(figures.models)
    return f"These readings stand beside {len(figures.models)} models ({names}): the figures are of none of them."


def _few(agreement: Agreement) -> str:
    count = agreement.fields
    if count >= FEW:
        return ""
    return f"{_cases(count)}: too few to tell more than these counts."


def _rows(agreement: Agreement) -> tuple[tuple[str, str], ...]:
    if not agreement.fields:
        return ()
    kappa = _figure(agreement.kappa) if agreement.kappa is not None else "not defined: both gave one class alone"
    return (
        ("The same score", _share(agreement.exact)),
        ("Within one step", _share(agreement.within_one)),
        ("Weighted kappa", kappa),
    )


def _share(figure: Figure | None) -> str:
    return "" if figure is None else f"{figure.value:.0%} (95% interval {figure.low:.0%} to {figure.high:.0%})"


def _figure(figure: Figure) -> str:
    return f"{figure.value:.2f} (95% interval {figure.low:.2f} to {figure.high:.2f})"


def _cases(count: int) -> str:
    return f"{count:,} case{'' if count == 1 else 's'}"
