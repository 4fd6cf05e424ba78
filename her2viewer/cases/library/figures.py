"""What readings say of reader and model together. Plain figures, no opinion."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Final

import numpy as np

from her2viewer.cases.agreement import Agreement
from her2viewer.cases.library.records import NOT_ASSESSABLE, KeptPrediction, Reading, ReadingKind

CLASSES: Final = ("0", "1+", "2+", "3+")
FEW: Final = 20
"""Below so many cases an interval is wider than anything that it could tell."""


@dataclass(frozen=True, slots=True)
class Quartiles:
    """Seconds: the middle one, and those that a quarter lies below and above."""

    low: float
    median: float
    high: float


@dataclass(frozen=True, eq=False, slots=True)
class StudyFigures:
    """Of the readings at hand, a case once for each reader who read it.

    `agreement`: reader down, model across, by the last reading of each. `called`: the same without the cases on which the model
    made no call, of which there are `no_calls`. `blind`: by the last reading made before the model's score was seen, which alone
    is free of it. `overrides`: last readings made after it was seen, and another than it; `upwards` and `downwards` of them are
    higher and lower than the model, the rest not assessable. `changed`: cases that were read blind, and otherwise once the score
    was seen; `towards` of them came nearer to the model. `seconds`: from opening to the first reading. `models`: those that the
    readings are set beside; figures of several together are of none.
    """

    readings: int
    not_assessable: int
    without_model: int
    agreement: Agreement
    blind: Agreement
    overrides: int
    upwards: int
    seconds: Quartiles | None
    downwards: int
    changed: int
    towards: int
    no_calls: int
    called: Agreement
    models: tuple[str, ...]
    readers: tuple[str, ...]

    @property
    def few(self) -> str | None:
        """Said where there is too little to rely on."""
        count = self.agreement.fields
        if count >= FEW:
            return None
        return f"{count} {'case' if count == 1 else 'cases'} scored by both: too few to tell more than these counts."


def study_figures(
    readings: Iterable[Reading],
    predictions: Mapping[int, KeptPrediction] | None = None,
    classes: Sequence[str] = CLASSES,
) -> StudyFigures:
    """Agreement, overrides and times. readings: in the order they were made, every one or the last of each case and reader (then
    what was changed cannot be told). predictions: by case; where given, agreement is with these instead of with the scores that
    stood when the readings were made. Overrides and changes are always of the score that the reader saw.
    """
    by: dict[tuple[int, str], list[Reading]] = {}
    for one in readings:
        by.setdefault((one.case, one.reader), []).append(one)
    # What the reader did with the score that was seen, whichever model is looked at now.
    overrides = [made[-1] for made in by.values() if made[-1].kind is ReadingKind.OVERRIDE]
    changes = [pair for made in by.values() if (pair := _change(made)) is not None]
    last = [_beside(made[-1], predictions) for made in by.values()]
    blind = [_beside(free[-1], predictions) for made in by.values() if (free := [one for one in made if not one.revealed])]
    times = [made[0].seconds for made in by.values() if made[0].seconds is not None]
    place = {name: at for at, name in enumerate(classes)}
    above = [place[one.score] - place[str(one.model_score)] for one in overrides if _both(one, classes)]
    return StudyFigures(
        readings=len(last),
        not_assessable=sum(one.score == NOT_ASSESSABLE for one in last),
        without_model=sum(one.model_score is None for one in last),
        agreement=_agreement(last, classes),
        blind=_agreement(blind, classes),
        overrides=len(overrides),
        upwards=sum(steps > 0 for steps in above),
        downwards=sum(steps < 0 for steps in above),
        changed=len(changes),
        towards=sum(_nearer(before, after, place) for before, after in changes),
        no_calls=sum(one.model_no_call is not None for one in last),
        called=_agreement((one for one in last if one.model_no_call is None), classes),
        models=tuple(dict.fromkeys(one.model for one in last if one.model is not None)),
        readers=tuple(sorted({one.reader for one in last}, key=_by_name)),
        seconds=Quartiles(*(float(q) for q in np.quantile(times, (0.25, 0.5, 0.75)))) if times else None,
    )


def by_reader(readings: Iterable[Reading], predictions: Mapping[int, KeptPrediction] | None = None) -> dict[str, StudyFigures]:
    """The figures of each reader alone, by name; those of nobody in particular under the empty one."""
    of: dict[str, list[Reading]] = {}
    for one in readings:
        of.setdefault(one.reader, []).append(one)
    return {reader: study_figures(of[reader], predictions) for reader in sorted(of, key=_by_name)}


def between_readers(readings: Iterable[Reading], first: str, second: str, classes: Sequence[str] = CLASSES) -> Agreement:
    """Two readers beside each other, of the cases that both scored, by the last reading of each; the first down."""
    scores: dict[str, dict[int, str]] = {first: {}, second: {}}
    for one in readings:
        if one.reader in scores:
            scores[one.reader][one.case] = one.score
    cases = scores[first].keys() & scores[second].keys()
    pairs = ((scores[first][case], scores[second][case]) for case in sorted(cases))
    return Agreement.of(classes, ((a, b) for a, b in pairs if a in classes and b in classes))


def between_all_readers(readings: Iterable[Reading]) -> dict[tuple[str, str], Agreement]:
    """Every two named readers who have read a case in common."""
    readings = tuple(readings)
    names = sorted({one.reader for one in readings if one.reader}, key=_by_name)
    found = {(a, b): between_readers(readings, a, b) for a, b in combinations(names, 2)}
    return {pair: agreement for pair, agreement in found.items() if agreement.fields}


def _by_name(reader: str) -> tuple[str, str]:
    return reader.casefold(), reader


def _beside(one: Reading, predictions: Mapping[int, KeptPrediction] | None) -> Reading:
    if predictions is None:
        return one
    model = predictions.get(one.case)
    if model is None:
        return replace(one, model_score=None, model=None, model_sha256=None, model_no_call=None)
    return replace(
        one, model_score=model.score, model=model.model, model_sha256=model.model_sha256, model_no_call=model.no_call
    )


def _both(one: Reading, classes: Sequence[str]) -> bool:
    return one.score in classes and one.model_score in classes


def _agreement(readings: Iterable[Reading], classes: Sequence[str]) -> Agreement:
    return Agreement.of(classes, ((one.score, str(one.model_score)) for one in readings if _both(one, classes)))


def _change(made: Sequence[Reading]) -> tuple[Reading, Reading] | None:
    """The last blind reading and the last one of all, where the model's score was seen between and the two differ."""
    free = [one for one in made if not one.revealed]
    if not free or not made[-1].revealed or free[-1].score == made[-1].score:
        return None
    return free[-1], made[-1]


def _nearer(before: Reading, after: Reading, place: Mapping[str, int]) -> bool:
    model = place.get(str(after.model_score))
    if model is None or before.score not in place or after.score not in place:
        return False
    return abs(place[after.score] - model) < abs(place[before.score] - model)
