"""`her2viewer report`: what a folder of results comes to, as PDF or Parquet."""

from dataclasses import dataclass
from pathlib import Path

from her2viewer.batch.reports import ReportOptions, case_reports, contact_sheet, parquet_table, study_report
from her2viewer.cli.choices import PaperSize
from her2viewer.cli.terminal import Terminal
from her2viewer.errors import ExportError
from her2viewer.export.report.page import Paper


@dataclass(frozen=True, slots=True)
class ReportAsked:
    """What stood on the command line; at least one of `out`, `sheet` and `parquet`. Without `cases` it is of the study."""

    results: Path
    out: Path | None
    cases: tuple[str, ...]
    sheet: Path | None
    parquet: Path | None
    images: Path | None
    model: Path | None
    paper: PaperSize
    names: bool
    replace: bool


def write_reports(asked: ReportAsked) -> None:
    """Writes what was asked for and says so. Raises UserError."""
    terminal = Terminal()
    wanted = [path for path in (asked.out, asked.sheet, asked.parquet) if path is not None]
    _check_targets(wanted, asked.replace)
    options = ReportOptions(Paper(asked.paper), asked.images, asked.model, asked.names)
    if asked.out is not None and asked.cases:
        cases = case_reports(asked.results, asked.out, asked.cases, options)
        terminal.say(f"Report of {len(cases)} {'case' if len(cases) == 1 else 'cases'} written to {asked.out}.")
    elif asked.out is not None:
        contents = study_report(asked.results, asked.out, options)
        scored = f"{len(contents.scored)} of {len(contents.rows)} pairs scored"
        terminal.say(f"Report of the study written to {asked.out}: {scored}.")
    if asked.sheet is not None:
        shown = contact_sheet(asked.results, asked.sheet, options)
        terminal.say(f"Contact sheet of {shown} cases written to {asked.sheet}.")
    if asked.parquet is not None:
        rows = parquet_table(asked.results, asked.parquet)
        terminal.say(f"{rows} rows written to {asked.parquet}.")


def _check_targets(paths: list[Path], replace: bool) -> None:
    for path in paths:
        if path.exists() and not replace:
            raise ExportError(
                "a file of this name is there already", path=path, remedy="choose another name, or add --replace"
            )
    if len({path.resolve() for path in paths}) < len(paths):
        raise ExportError("two things cannot be written to one file", path=paths[0], remedy="name a file for each")
