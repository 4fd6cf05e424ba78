"""The commands, their options and their help. What they do stands beside this file; torch and Qt load only when needed."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import typer

from her2viewer import RESEARCH_USE, __version__
from her2viewer.cases.rule import Rule
from her2viewer.cli.choices import Device, Method, PaperSize, Precision, Stage
from her2viewer.cli.terminal import survive_odd_names
from her2viewer.errors import UserError
from her2viewer.export.overlay import ColourMap, OverlayStyle
from her2viewer.scoring.methods import METHOD_SHOWN_FIRST, STAGE_SHOWN_FIRST

_WINDOW: Final = (
    "Without a command: [bold]her2viewer[/] opens the window, [bold]her2viewer HE.png IHC.png[/] with that pair."
)

app = typer.Typer(
    name="her2viewer",
    help=f"Scores an H&E and a HER2 IHC image of the same tissue: 0, 1+, 2+ or 3+ per field. {RESEARCH_USE}",
    epilog=_WINDOW,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
model_app = typer.Typer(no_args_is_help=True, help="What the model is, and whether its files are what they should be.")
app.add_typer(model_app, name="model")
library_app = typer.Typer(no_args_is_help=True, help="The cases that were read on this machine: found, counted, exported.")
app.add_typer(library_app, name="library")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command line (`argv` without the program's name; None takes the process's own). Returns the exit status.

    0: all done; 1: some rows failed, each said why; 2: wrong usage, or nothing could start.
    """
    survive_odd_names()
    try:
        app(args=None if argv is None else list(argv), prog_name="her2viewer")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


@contextmanager
def _sentences(status: int = 2) -> Iterator[None]:
    """Around a command: what the user can mend is one line on stderr, without a traceback."""
    try:
        yield
    except UserError as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(status) from error


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"HER2 Viewer {__version__}")
        raise typer.Exit


@app.callback()
def _start(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which version this is.")
    ] = False,
) -> None:
    pass


@app.command(
    epilog="Example: [bold]her2viewer demo --out demo-out[/]",
)
def demo(
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Write the annotated overlay, the result as JSON and a picture of the window into this folder, and print "
            "the score; needs no display.",
        ),
    ] = None,
    device: Annotated[Device, typer.Option(help="Where the network runs, with --out.")] = "auto",
) -> None:
    """Open the pair that ships with the app, scored; with --out, without a window."""
    from her2viewer.cli.demo import open_demo, write_demo

    if out is None and device != "auto":
        raise typer.BadParameter("--device goes with --out; in the window choose the device in Preferences.")
    with _sentences():
        raise typer.Exit(open_demo() if out is None else write_demo(out, device))


@app.command(
    epilog="Examples:\n\n"
    "[bold]her2viewer score BCI_dataset --out results[/]\n\n"
    "[bold]her2viewer score --he S12_HE.tif --ihc S12_HER2.tif --out S12 --overlay[/]\n\n"
    "[bold]her2viewer score pairs.csv --out results --overlay --class 3+ --colour-map magma[/]",
)
def score(
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder for the results; made where it is missing.", show_default=False)
    ],
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="PATH",
            help="Folders of pairs (HE/ and IHC/ with equal file names, as in BCI, or names that end in _HE and _IHC), or "
            "CSV files with the columns he and ihc.",
            show_default=False,
        ),
    ] = None,
    he: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The H&E image of one pair, or a folder of them.", show_default=False),
    ] = None,
    ihc: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The HER2 IHC image of that pair, or a folder of them; a file without --he is scored alone, if the model can.",
            show_default=False,
        ),
    ] = None,
    overlay: Annotated[
        bool | None,
        typer.Option(
            "--overlay/--no-overlay",
            help="Write an annotated picture of each pair: where the network looked. Off, unless an option below is given.",
            show_default=False,
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option("--class", metavar="CLASS", help="Draw the map of this class (0, 1+, 2+, 3+), not of the score."),
    ] = None,
    stage: Annotated[
        Stage | None,
        typer.Option(
            help="Draw the map of this stage; layer1 is the finest, fused is all in one.",
            show_default=STAGE_SHOWN_FIRST,
        ),
    ] = None,
    method: Annotated[
        Method | None,
        typer.Option(
            help="How the map is made; Score-CAM and Occlusion take seconds for each pair.",
            show_default=METHOD_SHOWN_FIRST,
            case_sensitive=False,
        ),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(metavar="CLASS", help="With --class: draw what speaks for that class and not for this one."),
    ] = None,
    colour_map: Annotated[ColourMap | None, typer.Option(help="Colours of the map.", show_default="viridis")] = None,
    opacity: Annotated[
        float | None, typer.Option(min=0, max=1, help="How much the map covers the tissue.", show_default="0.6")
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Leave out what is weaker than this share of full scale.", show_default="0.15"),
    ] = None,
    explain: Annotated[
        bool,
        typer.Option(
            "--explain",
            help="Question each score: all checks, what the map is worth, each stain's share, a second reading by the membranes, "
            "what if the DAB were weaker or stronger; as JSON, with the maps as arrays. Some seconds a pair.",
        ),
    ] = False,
    device: Annotated[
        Device, typer.Option(help="Where the network runs; auto takes an NVIDIA GPU that works, else the CPU.")
    ] = "auto",
    precision: Annotated[
        Precision, typer.Option(help="bf16 is faster on some machines; how far it is off is said.")
    ] = "fp32",
    model: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="A model package in place of the one that ships.", show_default=False),
    ] = None,
    align: Annotated[
        bool,
        typer.Option(
            "--align",
            help="Register the H&E of each pair to its IHC first, in a few seconds a pair, as the window does on request; where "
            "the two are not found to match the pair is scored as it is. Each row says which, and how far off.",
        ),
    ] = False,
    no_names: Annotated[
        bool,
        typer.Option(
            "--no-names",
            help="Leave the names of cases and files out of all that is written: each case is called by a hash of its images.",
        ),
    ] = False,
    key_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="With --no-names: write which name became which, as CSV. Keep it apart.", show_default=False
        ),
    ] = None,
    rule: Annotated[
        Rule,
        typer.Option(help="How files of a folder are matched: by equal names in HE and IHC, by their endings, by --pattern."),
    ] = Rule.AUTO,
    pattern: Annotated[
        str,
        typer.Option(
            metavar="PATTERN",
            help="Match by this, without the files' ending: {case} and {stain} (HE, IHC, HER2) once each, * for anything.",
            show_default=False,
        ),
    ] = "",
    engine: Annotated[
        str,
        typer.Option(
            metavar="ENGINE",
            help="Who does the work: local, or a Dask cluster by its scheduler, dask://HOST:PORT (dask+tls:// for TLS). The one "
            "use of the network.",
        ),
    ] = "local",
    report: Annotated[
        bool, typer.Option("--report", help="Write the report of the study, report.pdf, when all is scored.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on in a folder with results: pairs that are done are not done again.")
    ] = False,
) -> None:
    """Score pairs and write results.csv, results.json and one JSON per pair (with --overlay a picture, with --explain what
    questions the score).

    A pair that fails does not stop the others; its row says why. Exit status: 0 all scored, 1 some failed, 2 none begun.
    """
    from her2viewer.cli.score import Asked, score_pairs

    if paths and (he or ihc):
        raise typer.BadParameter("give either PATH, or --he and --ihc, not both.")
    if not paths and not ihc:
        raise typer.BadParameter(
            "--ihc is missing: a pair needs both --he and --ihc."
            if he
            else "name a folder, a CSV, or --ihc with or without --he."
        )
    if key_file is not None and not no_names:
        raise typer.BadParameter("--key-file goes with --no-names.")
    if pattern and rule not in (Rule.AUTO, Rule.PATTERN):
        raise typer.BadParameter("--pattern goes with --rule pattern.")
    if rule is Rule.PATTERN and not pattern:
        raise typer.BadParameter("--rule pattern needs --pattern, for example --pattern '{case}_{stain}*'.")
    drawn = OverlayStyle()
    style = OverlayStyle(
        opacity=drawn.opacity if opacity is None else opacity,
        threshold=drawn.threshold if threshold is None else threshold,
        colour_map=colour_map or drawn.colour_map,
    )
    described = any(value is not None for value in (target, stage, method, against, colour_map, opacity, threshold))
    asked = Asked(
        places=tuple(paths or ()),
        he=he,
        ihc=ihc,
        out=out,
        overlay=described if overlay is None else overlay,
        style=style,
        target=target,
        stage=stage,
        method=method or METHOD_SHOWN_FIRST,
        against=against,
        explain=explain,
        device=device,
        precision=precision,
        model=model,
        resume=resume,
        align=align,
        no_names=no_names,
        key_file=key_file,
        rule=Rule.PATTERN if pattern else rule,
        pattern=pattern,
        engine=engine,
        report=report,
    )
    with _sentences():
        raise typer.Exit(score_pairs(asked))


@app.command(epilog="Example: [bold]her2viewer table results[/]")
def table(
    results: Annotated[
        Path, typer.Argument(metavar="DIR", help="A folder that 'score' or the batch dialog wrote.", show_default=False)
    ],
) -> None:
    """Write results.csv and results.json anew from the rows of a folder: after a run that was killed, or while one is paused."""
    from her2viewer.cli.table import make_tables

    with _sentences():
        make_tables(results)


@app.command(
    epilog="Examples:\n\n"
    "[bold]her2viewer export results --bundle evidence --case S12[/]\n\n"
    "[bold]her2viewer export results --fhir observations.ndjson[/]",
)
def export(
    results: Annotated[
        Path, typer.Argument(metavar="RESULTS", help="A folder that 'score' or the batch dialog wrote.", show_default=False)
    ],
    case: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="This case alone; can be given again. Without it, all.", show_default=False),
    ] = None,
    bundle: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="An evidence bundle of each case: a zip of its files, the model's card and hashes of all.",
            show_default=False,
        ),
    ] = None,
    fhir: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR|FILE",
            help="HL7 FHIR R4 Observations, status preliminary: a file a case, or all as lines of FILE.ndjson.",
            show_default=False,
        ),
    ] = None,
    subject: Annotated[
        str | None,
        typer.Option(
            metavar="ID", help="With --fhir and one --case: the identifier of whose tissue it is.", show_default=False
        ),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="The model package that scored, where it is none that ships.", show_default=False),
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Write over files that are there already.")] = False,
) -> None:
    """Write what other systems and reviewers need of results: evidence bundles, FHIR Observations."""
    from her2viewer.cli.export import ExportAsked, write_exports

    if bundle is None and fhir is None:
        raise typer.BadParameter("say what to write: --bundle DIR or --fhir DIR.")
    if subject is not None and (fhir is None or len(case or ()) != 1):
        raise typer.BadParameter("--subject goes with --fhir and one --case.")
    asked = ExportAsked(results, tuple(case or ()), fhir, bundle, subject, model, replace)
    with _sentences():
        write_exports(asked)


@app.command(
    "verify",
    epilog="Examples:\n\n"
    "[bold]her2viewer verify S12_evidence.zip[/]\n\n"
    "[bold]her2viewer verify results --head 3f6c...[/]",
)
def verify_evidence(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="A log (.jsonl), an evidence bundle (.zip), or a folder of results.", show_default=False
        ),
    ],
    head: Annotated[
        str | None,
        typer.Option(metavar="HASH", help="The head that you noted elsewhere, to be held against it.", show_default=False),
    ] = None,
) -> None:
    """Say whether a log, an evidence bundle or a folder of results was changed since it was written, and what.

    Exit status: 0 intact, 1 changed, 2 no such file. Nothing in the file itself can show that somebody wrote all of it anew, with
    all its hashes; a head that was noted elsewhere can.
    """
    from her2viewer.cli.verify import verify_file

    with _sentences():
        raise typer.Exit(verify_file(file, None if head is None else head.strip().lower()))
@app.command(
    epilog="Examples:\n\n"
    "[bold]her2viewer report results --out study.pdf[/]\n\n"
    "[bold]her2viewer report results --case S12 --images BCI_dataset --out S12.pdf[/]\n\n"
    "[bold]her2viewer report results --parquet rows.parquet[/]",
)
def report(
    results: Annotated[Path, typer.Argument(metavar="RESULTS", help="A folder that 'her2viewer score' wrote.")],
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The report as PDF: of the study, or of --case.", show_default=False),
    ] = None,
    case: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="Report on this case, not on the study; can be given again.", show_default=False),
    ] = None,
    sheet: Annotated[
        Path | None,
        typer.Option("--contact-sheet", metavar="FILE", help="A contact sheet of the cases as PDF.", show_default=False),
    ] = None,
    parquet: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The rows of the table as Parquet, with types.", show_default=False),
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="The folder that was scored: a case's report then shows the tissue without its map as well.",
            show_default=False,
        ),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="The model package that scored, for its card.", show_default=False),
    ] = None,
    paper: Annotated[PaperSize, typer.Option(help="The size of the pages.")] = "a4",
    names: Annotated[
        bool, typer.Option("--names/--no-names", help="Show case ids and file names; without them a picture's hash.")
    ] = True,
    replace: Annotated[bool, typer.Option("--replace", help="Write over files that are there already.")] = False,
) -> None:
    """Make a report of results: a study as PDF, single cases as PDF, a contact sheet, or the table as Parquet."""
    from her2viewer.cli.report import ReportAsked, write_reports

    if out is None and sheet is None and parquet is None:
        raise typer.BadParameter("say what to write: --out FILE.pdf, --contact-sheet FILE.pdf or --parquet FILE.")
    if case and out is None:
        raise typer.BadParameter("--case goes with --out FILE.pdf.")
    asked = ReportAsked(results, out, tuple(case or ()), sheet, parquet, images, model, paper, names, replace)
    with _sentences():
        write_reports(asked)


_Folder = Annotated[
    Path | None,
    typer.Argument(metavar="DIR", help="A model package; without it the one that ships.", show_default=False),
]


@model_app.command(epilog="Example: [bold]her2viewer model info[/]")
def info(folder: _Folder = None) -> None:
    """Say what the model is, what it was trained on and what it was measured at."""
    from her2viewer.cli.model import describe

    with _sentences():
        describe(folder)


@model_app.command(epilog="Example: [bold]her2viewer model verify my-model[/]")
def verify(folder: _Folder = None) -> None:
    """Check a model package against its hash and load it; exit status 1 where it must not be used."""
    from her2viewer.cli.model import check

    with _sentences(1):
        check(folder)


_Library = Annotated[
    Path | None,
    typer.Option("--library", metavar="FILE", help="Another library than that of this user.", show_default=False),
]
_Tag = Annotated[str | None, typer.Option(metavar="TAG", help="Only cases with this tag.", show_default=False)]
_Most = Annotated[int, typer.Option(min=1, max=100_000, help="How many at most.")]


@library_app.command("list", epilog="Example: [bold]her2viewer library list --most 20[/]")
def list_(library: _Library = None, most: _Most = 50) -> None:
    """List the cases, those opened last first."""
    from her2viewer.cli.library import list_cases

    with _sentences():
        list_cases(library, "", (), most)


@library_app.command(epilog="Example: [bold]her2viewer library search patchy 2+ --tag teaching[/]")
def search(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="WORD", help="All must stand in title, label, notes or tags.", show_default=False),
    ] = None,
    tag: Annotated[
        list[str] | None, typer.Option(metavar="TAG", help="A tag that the case carries; may be repeated.", show_default=False)
    ] = None,
    library: _Library = None,
    most: _Most = 50,
) -> None:
    """Find cases by parts of words and by tags."""
    from her2viewer.cli.library import list_cases

    with _sentences():
        list_cases(library, " ".join(words or ()), tag or (), most)


@library_app.command(epilog="Example: [bold]her2viewer library readings --csv readings.csv[/]")
def readings(
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write every reading into this table.", show_default=False)
    ] = None,
    notes: Annotated[bool, typer.Option("--notes", help="With --csv: the notes of the cases as well.")] = False,
    tag: _Tag = None,
    library: _Library = None,
) -> None:
    """Say what was read, the last reading of each case and reader; with --csv write every one into a table."""
    from her2viewer.cli.library import list_readings

    if notes and csv is None:
        raise typer.BadParameter("--notes goes with --csv.")
    with _sentences():
        list_readings(library, tag, csv, notes=notes)


@library_app.command(epilog="Example: [bold]her2viewer library agreement --tag study-1[/]")
def agreement(
    tag: _Tag = None,
    model: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Compare with this model: the beginning of its name or hash.", show_default=False),
    ] = None,
    library: _Library = None,
) -> None:
    """Say how readers and model agree, with 95% intervals: all readings, the blind ones alone, and reader beside reader."""
    from her2viewer.cli.library import tell_agreement

    with _sentences():
        tell_agreement(library, tag, model)


@library_app.command("import", epilog="Example: [bold]her2viewer library import results BCI_dataset[/]")
def import_(
    results: Annotated[
        Path, typer.Argument(metavar="RESULTS", help="A folder that 'score' or the batch dialog wrote.", show_default=False)
    ],
    images: Annotated[
        Path, typer.Argument(metavar="IMAGES", help="The folder that was scored: the results name its files.", show_default=False)
    ],
    library: _Library = None,
) -> None:
    """Make the scored pairs of a batch cases of the library, to be read. Exit status 1 where some were left out."""
    from her2viewer.cli.library import import_results

    with _sentences():
        raise typer.Exit(import_results(library, results, images))


@library_app.command(epilog="Example: [bold]her2viewer library restore[/]")
def restore(library: _Library = None) -> None:
    """Set a damaged library aside and put its last copy in its place. Nothing is deleted."""
    from her2viewer.cli.library import restore as restored

    with _sentences():
        restored(library)
