"""What an annotated picture says of itself, in a file or a report: where its tissue lies, and what its colours mean."""

from collections.abc import Sequence
from typing import Annotated, Final, Literal, Self

from pydantic import Field, ValidationError

from her2viewer.export.legend import facts, full_colour, remark
from her2viewer.export.overlay import ColourMap, OverlayStyle
from her2viewer.export.results import Section, Share, Words
from her2viewer.scoring.attribution.attribution import Attribution
from her2viewer.scoring.stains import Stain

SCHEMA: Final = "her2viewer.picture/1"
_Number = Annotated[float, Field(ge=0)]
_Pixels = Annotated[int, Field(ge=0)]


class LegendRecord(Section):
    """The legend of a map over tissue. question: the class that it is evidence for; full: the value of full colour, in `unit`.

    peaks: the raw peak in each stain's own part; threshold: the share of full colour below which nothing is drawn; facts: method,
    full colour and overlay in words; remark: what is missing from the picture, or empty.
    """

    question: Words
    unit: Words
    full: _Number
    peaks: dict[Stain, _Number]
    colour_map: ColourMap
    threshold: Share
    facts: tuple[tuple[Words, Words], ...]
    remark: Words = ""

    @classmethod
    def of(
        cls, attribution: Attribution, style: OverlayStyle, fixed_peak: float | None, stains: Sequence[Stain]
    ) -> Self:
        """As `export.legend.legend` says it in pixels, for the same arguments."""
        shown = [stain for stain in stains if stain in attribution.layout.order]
        drawn = attribution.peak > 0
        return cls(
            question=attribution.question,
            unit=attribution.unit,
            full=full_colour(attribution, style, fixed_peak) if drawn else 0.0,
            peaks={stain: attribution.peak_of(stain) for stain in shown},
            colour_map=style.colour_map,
            threshold=style.threshold,
            facts=tuple(facts(attribution, style, fixed_peak, drawn)),
            remark=remark(attribution, stains),
        )


class TissueRecord(Section):
    """Where a stain's tissue lies in a picture, in its pixels."""

    x: _Pixels
    y: _Pixels
    width: Annotated[int, Field(gt=0)]
    height: Annotated[int, Field(gt=0)]


class PictureRecord(Section):
    """`her2viewer.picture/1`: carried by an annotated PNG as a text, so that a report can show its tissue again."""

    schema_: Annotated[Literal["her2viewer.picture/1"], Field(alias="schema")] = SCHEMA
    tissue: dict[Stain, TissueRecord]
    legend: LegendRecord | None

    @classmethod
    def read(cls, text: str) -> Self | None:
        """From the text in a file; None where it is of another kind."""
        try:
            return cls.model_validate_json(text)
        except ValidationError:
            return None

    @property
    def text(self) -> str:
        """As it stands in a file."""
        return self.model_dump_json(by_alias=True)
