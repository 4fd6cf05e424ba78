"""Reports on a folder of results: one call for the command line, and for whoever shows a batch that has ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from her2viewer.batch.results_folder import ResultsFolder, manifest_of
from her2viewer.errors import ExportError
from her2viewer.export.contact_sheet import write_contact_sheet
from her2viewer.export.parquet import write_parquet
from her2viewer.export.report.case import CaseContents, write_case_report
from her2viewer.export.report.naming import Naming
from her2viewer.export.report.page import Paper
from her2viewer.export.report.study import StudyContents, sheet_cases, write_study_report
from her2viewer.export.table import columns_of

MOST_CASES = 100
"""In one file of case reports: what can be read, and held in memory."""
SHEET_ALONE = 2000
"""Cases on a contact sheet of its own: 84 pages."""


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """How reports are made. images: the folder that was scored, to show the tissue without its map; model: the package, for its
    card, where it is not one that ships; names: whether case ids and file names are shown.
    """

    paper: Paper = Paper.A4
    images: Path | None = None
    model: Path | None = None
    names: bool = True


def study_report(
    results: Path, path: Path, options: ReportOptions | None = None, left_out: Sequence[tuple[str, str]] = ()
) -> StudyContents:
    """Writes the report of all results in a folder, and returns what it was made of.

    left_out: names of files that made no pair, and why, where the run knows them. Takes seconds for a thousand cases: for a lane.
    Raises ExportError, PackageError.
    """
    options = options or ReportOptions()
    contents = ResultsFolder(results).study(options.model, left_out)
    write_study_report(path, contents, paper=options.paper, names=options.names)
    return contents


def case_reports(
    results: Path, path: Path, case_ids: Sequence[str], options: ReportOptions | None = None
) -> tuple[CaseContents, ...]:
    """Writes the reports of single cases into one file, and returns what they were made of. Raises ExportError, PackageError."""
    options = options or ReportOptions()
    if len(case_ids) > MOST_CASES:
        raise ExportError(
            f"{len(case_ids)} cases are too many for one file (at most {MOST_CASES})",
            path=path,
            remedy="make several files, or the report of the study",
        )
    folder = ResultsFolder(results, options.images)
    found = folder.cases(case_ids)
    cases = [folder.contents(result, manifest_of(result.model.sha256, options.model)) for result in found]
    write_case_report(path, cases, paper=options.paper, names=options.names)
    return tuple(cases)


def contact_sheet(results: Path, path: Path, options: ReportOptions | None = None) -> int:
    """Writes the contact sheet alone, as PDF; returns how many cases it shows. Raises ExportError."""
    options = options or ReportOptions()
    contents = ResultsFolder(results).study(options.model)
    cases = sheet_cases(contents, Naming(options.names), SHEET_ALONE)
    model = ", ".join(f"{one.name} {one.version}" for one in contents.models[:3])
    write_contact_sheet(path, cases, contents.look, of=len(contents.scored), model=model, paper=options.paper)
    return len(cases)


def parquet_table(results: Path, path: Path) -> int:
    """Writes the rows as Parquet; returns how many. Raises ExportError."""
    folder = ResultsFolder(results)
    return write_parquet(path, folder.table_rows(), columns_of(folder.table_rows()))
