"""Commands that measure what a package's scores are worth: evaluate, coverage."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from her2viewer.errors import UserError
from training.commands.arguments import Data, StainAlone, named_stain
from training.commands.console import every_fifty, out, say


def evaluate(
    model: Annotated[Path, typer.Argument(help="A model package.")],
    data: Data,
    split: Annotated[str, typer.Option(help="train, test or all.")] = "test",
    out_folder: Annotated[
        Path | None, typer.Option("--out", help="Write evaluation.json and report.html into this folder.")
    ] = None,
    stain: StainAlone = None,
    flips: Annotated[
        bool, typer.Option("--flips", help="Measure the mean of the eight orientations' logits as well.")
    ] = False,
    against: Annotated[
        Path | None, typer.Option(help="The evaluation.json of another model on the same fields, to compare with.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="What to call the data in the table.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write evaluation.json there instead.")] = None,
) -> None:
    """Measures a package on labelled pairs, by the viewer's own way from file to probabilities."""
    if split not in ("train", "test", "all"):
        raise typer.BadParameter("name train, test or all", param_hint="--split")
    from her2viewer.scoring.package import open_package
    from her2viewer.scoring.scorer import Scorer
    from training.data.index import CLASSES, index_folder
    from training.evaluation import evaluation as measuring
    from training.evaluation.outcome import confusion, folder_name
    from training.evaluation.report import report_lines, write_report

    alone = named_stain(stain)
    found = index_folder(data, stain=alone)
    pairs = found.pairs if split == "all" else found.of(split)
    made = measuring.evaluate(
        Scorer.open(open_package(model)), pairs, name or f"{folder_name(data)}, {split}",
        base=found.base, split=split, stain=alone, flips=flips, against=against,
        progress=lambda done: every_fifty(done, len(pairs)),
    )  # fmt: skip
    table = Table(
        "figure", "network", *(["eight orientations"] if flips else []), "colour alone", title=made.outcome.dataset
    )
    for line in report_lines(made):
        table.add_row(*line)
    out.print(table)
    counts = Table("label \\ score", *CLASSES)
    for label, row in zip(CLASSES, confusion(made.outcome), strict=True):
        counts.add_row(label, *(str(count) for count in row))
    out.print(counts)
    for remark in made.remarks:
        say(remark)
    if json_file or out_folder:
        measuring.write_evaluation(made, json_file or (out_folder or Path()) / "evaluation.json")
    if out_folder:
        write_report(made, out_folder / "report.html")
        say(f"{out_folder / 'report.html'} shows it")


def coverage(
    model: Annotated[Path, typer.Argument(help="A model package.")],
    phantoms: Annotated[
        Path | None,
        typer.Option(help="A folder for fresh phantoms; they are drawn there where they are not there yet."),
    ] = None,
    count: Annotated[int, typer.Option(help="How many fresh phantoms.", min=20)] = 2000,
    seed: Annotated[int, typer.Option(help="Their seed: one that nothing was learned from or calibrated on.")] = 3001,
    workers: Annotated[int, typer.Option(help="Processes that draw them.", min=1)] = 2,
    on: Annotated[
        list[str] | None, typer.Option("--on", help="NAME=DATA[:SPLIT][:STAIN], as for package; several times.")
    ] = None,
    write: Annotated[
        Path | None, typer.Option(help="Put the table into this page of the guide, between its two marks.")
    ] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures there.")] = None,
) -> None:
    """Measures prediction sets and calls: coverage in all and by label, set size, no-calls, accuracy with and without."""
    from rich.progress import track

    from her2viewer.scoring.package import open_package
    from training.data.document import write_json
    from training.evaluation.coverage import Coverage, document, in_words, table, write_table
    from training.evaluation.named_data import NamedData
    from training.phantom.writing import phantoms as drawn

    manifest = open_package(model).manifest
    conformal = manifest.calibration.conformal
    if conformal is None:
        raise UserError("the model has no prediction sets", path=model, remedy="package it again")
    wanted = [NamedData.parsed(word) for word in on or []]
    if phantoms is not None:
        used = (manifest.training.data, conformal.data)
        if any(f"seed {seed}" in words for words in used):
            raise UserError(
                f"the model was made with phantoms of seed {seed}", path=model, remedy="name another --seed"
            )
        making = drawn(phantoms, count=count, seed=seed, test_share=1, workers=workers, truth=False)
        for _ in track(making, "Drawing", total=count, console=out):
            pass
        wanted.insert(0, NamedData(f"fresh phantoms, seed {seed}", phantoms, "all"))
    if not wanted:
        raise UserError("there is nothing to measure on", remedy="name --phantoms FOLDER or --on NAME=DATA")
    measured = [Coverage(one.outcome(model, every_fifty), conformal.level) for one in wanted]
    shown = Table("figure", *(one.dataset for one in measured))
    for row in zip(*(one.rows for one in measured), strict=True):
        shown.add_row(row[0].name, *(in_words(figure) for figure in row))
    out.print(shown)
    for one in measured:
        say(f"{one.dataset}: within two points of {one.level:.0%}: {one.verdict}")
    if write is not None:
        write_table(write, table(manifest, measured))
    if json_file is not None:
        write_json(json_file, document(manifest, measured))
