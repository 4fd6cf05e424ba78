"""`her2viewer library`: the cases that a reader keeps, on the terminal."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from her2viewer.batch.keeping import keep_results
from her2viewer.cases.agreement import Agreement, Figure
from her2viewer.cases.library.figures import Quartiles, StudyFigures, between_all_readers, by_reader
from her2viewer.cases.library.library import Library
from her2viewer.cases.library.place import library_path
from her2viewer.cases.library.records import FoundCase, Reading
from her2viewer.cases.library.rescue import rescue
from her2viewer.cli.terminal import Terminal
from her2viewer.errors import LibraryError
from her2viewer.export.readings import write_readings

_MOST_SAID = 20


def list_cases(place: Path | None, words: str, tags: Sequence[str], most: int) -> None:
    """The cases that answer, those opened last first. Raises LibraryError."""
    say = Terminal().say
    with _opened(place) as library:
        found = library.search(words, tags, most + 1)
        if not found:
            say("No case." if words or tags else "The library holds no case.")
            return
        table: list[tuple[str, ...]] = [("case", "title", "label", "model", "reader", "tags")]
        table += [_cells(one) for one in found[:most]]
        for line in _columns(table):
            say(line)
        if len(found) > most:
            say(f"More than {most}: name more words, or a higher --most.")


def list_readings(place: Path | None, tag: str | None, csv: Path | None, *, notes: bool) -> None:
    """On the terminal, or as a table in a file. Raises LibraryError, ExportError."""
    terminal = Terminal()
    with _opened(place) as library:
        if csv is not None:
            count = write_readings(csv, library, tag, notes=notes)
            terminal.say(f"{count:,} {'reading' if count == 1 else 'readings'}. Written to {csv}.")
            if library.log_trouble is not None:
                terminal.remark(f"Note: this export is not in the log yet. {library.log_trouble}")
            return
        readings = library.readings(tag)
        if not readings:
            terminal.say("No readings.")
            return
        table: list[tuple[str, ...]] = [("case", "title", "reader", "score", "model", "how", "seconds", "reason")]
        table += [_reading_cells(one, library.case(one.case).title) for one in readings]
        for line in _columns(table):
            terminal.say(line)


def tell_agreement(place: Path | None, tag: str | None, model: str | None) -> None:
    """How readers and model agree, with 95% intervals; readers among themselves where they are named. Raises LibraryError."""
    say = Terminal().say
    with _opened(place) as library:
        sha256 = None if model is None else _model(library, model)
        figures = library.study(tag, sha256)
        readings = library.readings(tag, every=True)
    for line in _told(figures):
        say(line)
    if any(figures.readers):
        for reader, alone in by_reader(readings).items():
            told = alone.agreement
            say(f"{reader or 'Nobody named'}: {_fields(told)}, exact {_share(told.exact)}, kappa {_number(told.kappa)}.")
        for (first, second), agreement in between_all_readers(readings).items():
            exact, kappa = _share(agreement.exact), _number(agreement.kappa)
            say(f"{first} beside {second}: {_fields(agreement)}, exact {exact}, kappa {kappa}.")


def import_results(place: Path | None, results: Path, images: Path) -> int:
    """Makes the pairs of a results folder cases, with the model's scores; 1 where some were left out. Raises UserErrors."""
    terminal = Terminal()
    with Library(place or library_path()) as library:
        kept = keep_results(library, results, images)
        trouble = library.log_trouble
    for case_id, reason in kept.left_out[:_MOST_SAID]:
        terminal.remark(f"{case_id}: left out, {reason}.")
    if len(kept.left_out) > _MOST_SAID:
        terminal.remark(f"And {len(kept.left_out) - _MOST_SAID:,} more.")
    if trouble is not None:
        terminal.remark(f"Note: what was imported is not in the log yet. {trouble}")
    cases = "case" if kept.cases == 1 else "cases"
    terminal.say(f"{kept.cases:,} {cases} in the library, {len(kept.left_out):,} left out.")
    return 1 if kept.left_out else 0


def restore(place: Path | None) -> None:
    """Sets a damaged library aside and puts its last copy in place. Raises LibraryError."""
    place = place or library_path()
    _must_be_there(place)
    Terminal().say(rescue(place).sentence)


@contextmanager
def _opened(place: Path | None) -> Iterator[Library]:
    place = place or library_path()
    _must_be_there(place)
    with Library(place) as library:
        yield library


def _must_be_there(place: Path) -> None:
    if not place.is_file():
        raise LibraryError(
            "there is no case library yet", path=place, remedy="open a pair in the window, or use 'her2viewer library import'"
        )


def _model(library: Library, words: str) -> str:
    """The hash of the model that a user means: the beginning of it, or of its name."""
    known = library.models()
    found = [sha256 for name, sha256 in known if sha256.startswith(words.lower()) or name.startswith(words)]
    if len(found) != 1:
        names = ", ".join(f"{name} ({sha256[:8]})" for name, sha256 in known) or "none"
        what = "no model of this name has scored a case" if not found else "several models are called so"
        raise LibraryError(f"{what}: {words!r}", path=library.path, remedy=f"name one of these: {names}")
    return found[0]


def _cells(one: FoundCase) -> tuple[str, ...]:
    model = "-" if one.prediction is None else one.prediction.score + (" no call" if one.prediction.no_call else "")
    reader = "-" if one.reading is None else one.reading.score
    return str(one.case.id), one.case.title, one.case.label or "-", model, reader, ", ".join(one.case.tags)


def _reading_cells(one: Reading, title: str) -> tuple[str, ...]:
    seconds = "-" if one.seconds is None else f"{one.seconds:.0f}"
    how = "no model" if one.model_score is None else one.kind.value
    return str(one.case), title, one.reader or "-", one.score, one.model_score or "-", how, seconds, one.reason


def _columns(table: Sequence[Sequence[str]]) -> Iterator[str]:
    rows = [[" ".join(cell.split()) for cell in row] for row in table]
    wide = [min(40, max(len(row[at]) for row in rows)) for at in range(len(rows[0]))]
    for row in rows:
        cut = [cell if len(cell) <= 40 or at == len(row) - 1 else f"{cell[:39]}…" for at, cell in enumerate(row)]
        yield "  ".join(cell.ljust(width) for cell, width in zip(cut, wide, strict=True)).rstrip()


def _told(figures: StudyFigures) -> Iterator[str]:
    told = figures.agreement
    yield f"{_count(figures.readings, 'reading')}, {told.fields:,} of them beside a score of the model."
    if figures.not_assessable:
        yield f"Not assessable: {figures.not_assessable:,}."
    if figures.without_model:
        yield f"Without a score of the model: {figures.without_model:,}."
    if figures.few:
        yield figures.few
    if len(figures.models) > 1:
        yield f"These are readings beside several models ({', '.join(figures.models)}): choose one with --model."
    if told.fields:
        yield from _columns(
            [("reader \\ model", *told.classes)]
            + [(name, *map(str, row)) for name, row in zip(told.classes, told.counts.tolist(), strict=True)]
        )
    for name, agreement in (
        ("All", told),
        ("Blind", figures.blind),
        (f"Without {_count(figures.no_calls, 'no call')}", figures.called if figures.no_calls else None),
    ):
        if agreement is not None and agreement.fields:
            yield (
                f"{name} ({_fields(agreement)}): exact {_share(agreement.exact)}, within one {_share(agreement.within_one)}, "
                f"quadratic weighted kappa {_number(agreement.kappa)}."
            )
    if figures.overrides:
        seen = f"{_count(figures.overrides, 'override')}: {figures.upwards:,} higher than the model"
        yield f"{seen}, {figures.downwards:,} lower, {figures.overrides - figures.upwards - figures.downwards:,} not assessable."
    if figures.changed:
        yield f"Changed once the score was seen: {figures.changed:,}, {figures.towards:,} of them towards the model."
    if figures.seconds is not None:
        yield f"Time to the first reading: {_times(figures.seconds)}."


def _times(told: Quartiles) -> str:
    return f"median {told.median:.0f} s, half of them {told.low:.0f} to {told.high:.0f} s"


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def _fields(agreement: Agreement) -> str:
    return _count(agreement.fields, "case")


def _share(figure: Figure | None) -> str:
    return "-" if figure is None else f"{figure.value:.1%} ({figure.low:.1%} to {figure.high:.1%})"


def _number(figure: Figure | None) -> str:
    return "-" if figure is None else f"{figure.value:.2f} ({figure.low:.2f} to {figure.high:.2f})"
