"""Commands that make data or look at it: phantom, tissue, index."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import TaskID
from rich.table import Table

from her2viewer.errors import UserError
from training.commands.arguments import StainAlone, named_stain
from training.commands.console import out, say

REFUSALS_SHOWN = 50


def phantom(
    out_folder: Annotated[Path | None, typer.Option("--out", help="Where to write HE/, IHC/ and truth/.")] = None,
    count: Annotated[
        int | None, typer.Option(help="How many pairs: 400 with --out, 6 with --sheet, 48 with --match.", min=1)
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same pairs.")] = 0,
    test_share: Annotated[
        float, typer.Option(help="Share of the pairs that go to the test split.", min=0, max=1)
    ] = 0.2,
    workers: Annotated[int, typer.Option(help="Processes.", min=1)] = 2,
    first: Annotated[int, typer.Option(help="Number of the first pair: any pair can be made alone.", min=0)] = 0,
    png: Annotated[
        bool, typer.Option("--png", help="Write PNG; otherwise JPEG data under .png names, as BCI's.")
    ] = False,
    truth: Annotated[bool, typer.Option(help="Write label, cells and membranes beside each pair.")] = True,
    sheet: Annotated[Path | None, typer.Option(help="Write a picture of pairs to look at, and no pairs.")] = None,
    beside: Annotated[Path | None, typer.Option(help="A folder of real images to put on the sheet.")] = None,
    match: Annotated[
        Path | None, typer.Option(help="Tell how closely phantoms match a folder of real images, by pooled figures.")
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the figures of --match there as well.")
    ] = None,
) -> None:
    """Draws registered H&E and IHC pairs of computed tissue with known truth, in BCI layout; or looks at them."""
    if sheet is not None:
        from training.phantom.sheet import write_sheet

        write_sheet(sheet, seed=seed, count=count or 6, beside=beside, first=first)
        say(f"{sheet} shows phantoms" + (" on the left, real fields on the right" if beside else ""))
    if match is not None:
        from training.phantom.matching import compared_with

        found = compared_with(match, seed=seed, count=count or 48, first=first)
        for stain, figures in found["stains"].items():
            table = Table("figure", "distance", "of real halves", title=f"{stain}: phantoms and {match.name}")
            for name, value in figures["distance"].items():
                table.add_row(name, f"{value:.4f}", f"{figures['halves'].get(name, float('nan')):.4f}")
            out.print(table)
        if json_file:
            json_file.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    if out_folder is None:
        if sheet is None and match is None:
            raise UserError("nothing to do", remedy="name a folder with --out, or a picture with --sheet")
        return
    from time import perf_counter

    from rich.progress import track

    from training.phantom.writing import phantoms

    wanted, start = count or 400, perf_counter()
    written = phantoms(
        out_folder,
        count=wanted,
        seed=seed,
        test_share=test_share,
        workers=workers,
        first=first,
        image_format="png" if png else "jpeg",
        truth=truth,
    )
    for _ in track(written, "Drawing", total=wanted, console=out):
        pass
    seconds = perf_counter() - start
    say(f"{wanted} pairs in {out_folder}, {wanted / seconds:.1f} a second")


def tissue(
    cores: Annotated[Path, typer.Argument(help="HER2 IHC cores named after their scores: 0_*, 1_*, 2_*, 3_*.")],
    out_folder: Annotated[Path, typer.Option("--out", help="Where to write HE/, IHC/ and manifest.csv.")],
    count: Annotated[int, typer.Option(help="How many tiles to try.", min=1)] = 400,
    seed: Annotated[int, typer.Option(help="The same seed gives the same tiles.")] = 0,
    mpp: Annotated[float, typer.Option(help="Micrometres per pixel of the cores.", min=0.05, max=4)] = 0.5,
    as_is: Annotated[
        float, typer.Option(help="Share of tiles that keep their own DAB and their core's score.", min=0, max=1)
    ] = 0.15,
    test_core: Annotated[
        list[str] | None,
        typer.Option(help="Beginning of the name of a core kept for testing; may be given several times."),
    ] = None,
    workers: Annotated[int, typer.Option(help="Processes.", min=1)] = 2,
) -> None:
    """Cuts real IHC cores into tiles, restains most of them by the scoring rule and renders an H&E for each."""
    from rich.progress import track

    from training.tissue.writing import MANIFEST, cores_of, write_tiles

    found = cores_of(cores)
    written = write_tiles(
        found, out_folder, count=count, seed=seed, mpp=mpp, as_is=as_is, test_cores=test_core or (), workers=workers
    )
    made = sum(1 for _ in track(written, "Staining", total=count, console=out))
    say(f"{made} pairs of {len(found)} cores in {out_folder}; {MANIFEST} tells the core of each")


def index(
    data: Annotated[
        list[Path], typer.Argument(help="A folder of labelled pairs, or a CSV that lists them; several with --table.")
    ],
    table_file: Annotated[
        Path | None, typer.Option("--table", help="Write all pairs of all DATA to one CSV, for fit and evaluate.")
    ] = None,
    out_file: Annotated[
        Path | None, typer.Option("--out", help="Write everything there as JSON, with the SHA-256 of each file.")
    ] = None,
    deep: Annotated[bool, typer.Option("--deep", help="Decode every pixel, not the headers alone.")] = False,
    stain: StainAlone = None,
    audit: Annotated[
        bool, typer.Option("--audit", help="Look for copies and overlaps, within and across splits.")
    ] = False,
    regroup: Annotated[
        Path | None,
        typer.Option(
            help="With --audit: write a CSV there whose train and test share no relatives, for fit and evaluate."
        ),
    ] = None,
    cache: Annotated[
        Path | None, typer.Option(help="Keep the decoded fields of --audit there; fit's is the cache beside its --out.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same --regroup.")] = 0,
) -> None:
    """Lists what a data folder or CSV holds: pairs per class and split, and every file that is refused, with the reason."""
    from rich.progress import Progress

    from training.data.document import file_hashes, index_document, relative, write_json, write_manifest
    from training.data.index import CLASSES, index_folder

    alone = named_stain(stain)
    if regroup is not None and not audit:
        raise typer.BadParameter("needs --audit, which finds the groups", param_hint="--regroup")
    if table_file is not None:
        from training.data.join import joined

        parts = [index_folder(path, stain=alone, deep=deep) for path in data]
        write_manifest(table_file, joined(parts))
        data = [table_file]
    if len(data) > 1:
        raise typer.BadParameter("takes one folder or CSV; several are joined with --table", param_hint="DATA")
    found = index_folder(data[0], stain=alone, deep=deep)
    table = Table("split", *CLASSES, "all")
    for split, counts in sorted(found.counts().items()):
        table.add_row(split, *(str(counts[name]) for name in CLASSES), str(counts.total()))
    out.print(table)
    for remark in found.remarks:
        say(remark)
    for refusal in found.refused[:REFUSALS_SHOWN]:
        say(f"refused {relative(refusal.path, found.base)}: {refusal.reason}")
    if len(found.refused) > REFUSALS_SHOWN:
        say(f"and {len(found.refused) - REFUSALS_SHOWN} more refused; --out lists all {len(found.refused)}")
    if not audit and out_file is None:
        return

    hashes = file_hashes(found.pairs)
    report = None
    if audit:
        from training.data.audit import audited, regrouped

        with Progress(console=out, transient=True) as bar:
            tasks: dict[str, TaskID] = {}

            def progress(what: str, done: int, total: int) -> None:
                task = tasks.setdefault(what, bar.add_task(what, total=total)) if what not in tasks else tasks[what]
                bar.update(task, completed=done)

            report = audited(found.pairs, hashes, cache, progress, say)
        for sentence in report.sentences():
            say(sentence)
        if regroup is not None:
            write_manifest(regroup, regrouped(report, seed))
            say(f"{regroup} splits by {len(set(report.groups()))} groups")
    if out_file is not None:
        write_json(out_file, index_document(found, hashes, report.document() if report else None))
