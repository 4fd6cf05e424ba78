"""`python -m training`: from pairs to a model package, and what it is worth. One command a step."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import TaskID
from rich.table import Table

from her2viewer.errors import UserError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Makes the model package that HER2 Viewer opens, from labelled pairs: a folder in BCI's layout "
    "(HE/train, IHC/train, HE/test, IHC/test; names like 00000_train_1+.png), one of your own, or a CSV.",
)
out = Console(highlight=False)
REFUSALS_SHOWN = 50

Data = Annotated[Path, typer.Argument(help="A folder of labelled pairs, or a CSV that lists them.")]
RecipeFile = Annotated[
    Path | None,
    typer.Option("--recipe", help="A TOML file with the settings to [fit] with and the words of the [card]."),
]


def say(text: str) -> None:
    """One line of progress, at once, also into a file."""
    out.print(text, markup=False, soft_wrap=True)
    out.file.flush()


@app.command()
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


@app.command()
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


@app.command()
def membranes(
    phantoms: Annotated[Path, typer.Argument(help="A folder of phantoms with their truth.")],
    real: Annotated[
        list[Path] | None, typer.Argument(help="Folders of real IHC images with labels, in BCI's layout or names.")
    ] = None,
    cores: Annotated[
        Path | None, typer.Option(help="HER2 IHC cores named after their scores: 0_*, 1_*, 2_*, 3_*.")
    ] = None,
    fit: Annotated[
        bool, typer.Option("--fit", help="Print what the thresholds would be, set on half of the phantoms.")
    ] = False,
    out_file: Annotated[Path | None, typer.Option("--out", help="Write the guide's page there.")] = None,
) -> None:
    """Measures the membrane reading on phantoms with truth and on real images, beside scikit-image's way."""
    from training.membranes.report import page
    from training.membranes.run import measured

    found = measured(phantoms, real or [], cores, fit=fit, progress=say)
    named = " ".join(f"../shared/data/{folder.name}" for folder in real or [])
    command = (
        f"python -m training phantom --out phantoms --count {found.phantoms} --seed 4001\n"
        f"python -m training membranes phantoms {named}"
        + (f" --cores ../shared/data/{cores.name}" if cores else "")
        + " --out resources/guide/membranes.md"
    )
    text = page(found, command)
    say(text)
    if found.fit:
        say(f"thresholds by the first half: {found.fit.cuts}; EPITHELIAL = {found.fit.epithelial}")
    if out_file:
        out_file.write_text(text, encoding="utf-8")


@app.command()
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
    stain: Annotated[str | None, typer.Option(help="he or ihc: images of that stain alone, without pairs.")] = None,
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

    from her2viewer.scoring.stains import Stain
    from training.data.document import file_hashes, index_document, relative, write_json, write_manifest
    from training.data.index import CLASSES, index_folder

    if stain is not None and stain not in {str(known) for known in Stain}:
        raise typer.BadParameter("name he or ihc", param_hint="--stain")
    if regroup is not None and not audit:
        raise typer.BadParameter("needs --audit, which finds the groups", param_hint="--regroup")
    if table_file is not None:
        from training.data.join import joined

        parts = [index_folder(path, stain=None if stain is None else Stain(stain), deep=deep) for path in data]
        write_manifest(table_file, joined(parts))
        data = [table_file]
    if len(data) > 1:
        raise typer.BadParameter("takes one folder or CSV; several are joined with --table", param_hint="DATA")
    found = index_folder(data[0], stain=None if stain is None else Stain(stain), deep=deep)
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


@app.command()
def fit(
    data: Data,
    run: Annotated[Path, typer.Option("--out", help="Where the run is kept: checkpoints, logs, run.json.")],
    recipe: RecipeFile = None,
    epochs: Annotated[int | None, typer.Option(min=1)] = None,
    patience: Annotated[
        int | None, typer.Option(help="Stop after so many epochs without a better validation loss.", min=0)
    ] = None,
    batch: Annotated[int | None, typer.Option(min=2)] = None,
    learning_rate: Annotated[float | None, typer.Option("--lr")] = None,
    seed: Annotated[int | None, typer.Option()] = None,
    start: Annotated[str | None, typer.Option(help="imagenet, partial:FILE.npz, package:FOLDER or none.")] = None,
    precision: Annotated[str | None, typer.Option(help="32, bf16 (mixed) or 16 (mixed, CUDA).")] = None,
    protocol: Annotated[
        str, typer.Option(help="stratified, or grouped: no slide in two parts, for data that name groups.")
    ] = "stratified",
    teacher: Annotated[
        list[Path] | None, typer.Option(help="A run whose network teaches this one; may be given several times.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last whole epoch.")] = False,
    accelerator: Annotated[str, typer.Option(help="auto, cpu, gpu.")] = "auto",
    devices: Annotated[str, typer.Option(help="How many devices, or which (0,1).")] = "auto",
    nodes: Annotated[int, typer.Option(help="Machines.", min=1)] = 1,
    strategy: Annotated[str, typer.Option(help="Lightning's strategy, for example ddp.")] = "auto",
    threads: Annotated[int | None, typer.Option(help="CPU threads.")] = None,
) -> None:
    """Trains the network. Only the train split is touched; a killed run goes on with --resume to the same weights."""
    from training.data.index import index_folder
    from training.data.split import PROTOCOLS
    from training.fit.run import Machine
    from training.fit.run import fit as train
    from training.recipes.reading import read_recipe

    if protocol not in PROTOCOLS:
        raise typer.BadParameter(f"name one of {', '.join(PROTOCOLS)}", param_hint="--protocol")
    chosen = read_recipe(
        recipe,
        epochs=epochs,
        patience=patience,
        batch=batch,
        learning_rate=learning_rate,
        seed=seed,
        start=start,
        precision=precision,
    )
    train(
        index_folder(data),
        chosen,
        run,
        protocol=protocol,  # type: ignore[arg-type]  # checked above
        teachers=teacher or (),
        machine=Machine(accelerator, devices, nodes, strategy, threads),
        resume=resume,
        say=say,
    )


@app.command()
def evaluate(
    model: Annotated[Path, typer.Argument(help="A model package.")],
    data: Data,
    split: Annotated[str, typer.Option(help="train, test or all.")] = "test",
    out_folder: Annotated[
        Path | None, typer.Option("--out", help="Write evaluation.json and report.html into this folder.")
    ] = None,
    stain: Annotated[str | None, typer.Option(help="he or ihc: images of that stain alone, without pairs.")] = None,
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
    from her2viewer.scoring.stains import Stain
    from training.data.index import CLASSES, index_folder
    from training.evaluation import evaluation as measuring
    from training.evaluation.outcome import confusion, folder_name
    from training.evaluation.report import report_lines, write_report

    if stain is not None and stain not in {str(known) for known in Stain}:
        raise typer.BadParameter("name he or ihc", param_hint="--stain")
    alone = None if stain is None else Stain(stain)
    found = index_folder(data, stain=alone)
    pairs = found.pairs if split == "all" else found.of(split)
    made = measuring.evaluate(
        Scorer.open(open_package(model)), pairs, name or f"{folder_name(data)}, {split}",
        base=found.base, split=split, stain=alone, flips=flips, against=against,
        progress=lambda done: _every_fifty(done, len(pairs)),
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


def _every_fifty(done: int, total: int) -> None:
    if done % 50 == 0:
        say(f"  scored {done} of {total}")


@app.command()
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
    measured = [Coverage(one.outcome(model, _every_fifty), conformal.level) for one in wanted]
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


@app.command()
def compare(
    recipes: Annotated[list[Path], typer.Argument(help="Recipe files, or folders of them.")],
    data: Annotated[Path, typer.Option("--data", help="A folder of labelled pairs, or a CSV that lists them.")],
    out_folder: Annotated[Path, typer.Option("--out", help="Where runs, table and plots are kept.")],
    epochs: Annotated[int | None, typer.Option(help="For every recipe, instead of its own.", min=1)] = None,
    start: Annotated[str | None, typer.Option(help="As for fit, for every recipe.")] = None,
    precision: Annotated[str | None, typer.Option(help="32, bf16 or 16, for every recipe.")] = None,
    protocol: Annotated[str, typer.Option(help="stratified or grouped.")] = "stratified",
    accelerator: Annotated[str, typer.Option(help="auto, cpu, gpu.")] = "auto",
    threads: Annotated[int | None, typer.Option(help="CPU threads.")] = None,
) -> None:
    """Trains recipes one after the other on one data set and writes one table; what is done already is not done again."""
    from training.compare import compare as run_all
    from training.compare import write_comparison
    from training.data.index import CLASSES, index_folder
    from training.data.split import PROTOCOLS
    from training.fit.run import Machine
    from training.recipes.reading import recipe_files
    from training.recipes.recipe import placeless_start

    if protocol not in PROTOCOLS:
        raise typer.BadParameter(f"name one of {', '.join(PROTOCOLS)}", param_hint="--protocol")
    files = recipe_files(recipes)
    index = index_folder(data)
    if not index.of("test"):
        raise UserError("there is no test pair to compare on", path=data, remedy="name data with a test split")
    counts = index.counts()
    facts: dict[str, str | int | float] = {
        f"{split} pairs": f"{counts[split].total()} ({', '.join(f'{c}: {counts[split][c]}' for c in CLASSES)})"
        for split in sorted(counts)
    }
    facts |= {name: str(value) for name, value in (("epochs", epochs), ("precision", precision)) if value is not None}
    if start is not None:
        facts["start"] = placeless_start(start)
    rows = []
    changes = {"epochs": epochs, "start": start, "precision": precision}
    machine = Machine(accelerator=accelerator, threads=threads)
    done = run_all(files, index, out_folder, changes=changes, protocol=protocol, machine=machine, say=say)  # type: ignore[arg-type]
    for found in done:
        rows += found
        write_comparison(rows, out_folder, facts)
        for row in found:
            say(f"  {row.title}: {row.exact:.1%} exact ({row.low:.1%} to {row.high:.1%})")
    say(f"{out_folder / 'comparison.md'} holds {len(rows)} rows")


@app.command()
def trust(
    model: Annotated[Path | None, typer.Argument(help="A model package; the bundled one if none is named.")] = None,
    count: Annotated[int, typer.Option(help="How many phantom pairs.", min=2)] = 200,
    seed: Annotated[
        int, typer.Option(help="The same seed gives the same pairs; no model was trained on this one.")
    ] = 7707,
    stage: Annotated[str, typer.Option(help="Stage of the map.")] = "layer4",
    method: Annotated[str, typer.Option(help="Method of the map.")] = "Grad-CAM",
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures there.")] = None,
) -> None:
    """Measures the trust report on phantom pairs: how often each verdict is given, and what its settings rest on."""
    from rich.progress import track

    from her2viewer.scoring.package import bundled_package, open_package
    from her2viewer.scoring.scorer import Scorer
    from training.trust import CHOSEN, lines, measured, summary

    scorer = Scorer.open(bundled_package() if model is None else open_package(model))
    rows = measured(scorer, count=count, seed=seed, stage=stage, method=method)
    found = {"seed": seed, "stage": stage, "method": method, "settings": CHOSEN}
    found |= summary(list(track(rows, "Questioning", total=count, console=out)))
    table = Table("figure", "value (95% interval)", title=f"{method} at {stage}, {count} phantom pairs of seed {seed}")
    for name, value in lines(found):
        table.add_row(name, value)
    out.print(table)
    say(CHOSEN)
    if json_file:
        json_file.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


@app.command()
def package(
    run: Annotated[Path, typer.Argument(help="The --out folder of a fit.")],
    folder: Annotated[Path, typer.Option("--out", help="The package's folder; it must not exist yet.")],
    recipe: RecipeFile = None,
    data: Annotated[Path | None, typer.Option(help="The training data, if it was moved since the fit.")] = None,
    on: Annotated[
        list[str] | None,
        typer.Option(
            "--on",
            help="NAME=DATA[:SPLIT][:STAIN], measured for the card; may be given several times. Split: test (if none is "
            "named), train or all. Stain: he or ihc for images of that stain alone.",
        ),
    ] = None,
    calibrate_on: Annotated[
        str | None,
        typer.Option(
            help="NAME=DATA[:SPLIT]: labelled fields that nothing was learned from, for temperature and prediction sets; "
            "otherwise the calibration part of the training data. Some 2,000 fresh phantoms are worth most.",
        ),
    ] = None,
) -> None:
    """Writes the model package of a run: calibrated, hashed, with figures measured on each --on and a model card."""
    from training.evaluation.named_data import NamedData
    from training.evaluation.outcome import metrics
    from training.fit.predict import load_run
    from training.package import package_run, with_metrics
    from training.recipes.reading import description_of, read_description

    description = read_description(recipe) if recipe is not None else description_of(run, load_run(run))
    wanted = [NamedData.parsed(word) for word in on or []]
    held = None if calibrate_on is None else NamedData.parsed(calibrate_on)
    made = package_run(run, folder, description, data, None if held is None else (held.name, held.pairs()))
    measured = []
    for one in wanted:
        outcome = one.outcome(folder, _every_fifty)
        measured.append((outcome, metrics(outcome)))
    with_metrics(made, description, measured)
    say(f"{folder} is ready: her2viewer score ... --model {folder}")


@app.command()
def truth(
    out_folder: Annotated[
        Path, typer.Option("--out", help="Where rows, table and plot are kept; a broken run goes on.")
    ],
    model: Annotated[Path | None, typer.Argument(help="A model package; the bundled one if none is named.")] = None,
    others: Annotated[
        list[Path] | None,
        typer.Option("--model", help="Another package for the same pairs; may be given several times."),
    ] = None,
    count: Annotated[int, typer.Option(help="How many phantom pairs; a fourth of them are of class 0.", min=4)] = 500,
    seed: Annotated[int, typer.Option(help="Of the phantoms; one that no model was trained on.")] = 505,
    slow: Annotated[
        int, typer.Option(help="So many pairs, the first ones, get Score-CAM and occlusion as well.", min=0)
    ] = 40,
    workers: Annotated[int, typer.Option(help="Processes of one thread each.", min=1)] = 2,
    guide: Annotated[
        Path | None, typer.Option(help="A page of the user guide whose part between the marks is written anew.")
    ] = None,
) -> None:
    """Measures on phantoms how well maps point at the cells that make the class, against plain colour and chance."""
    from rich.progress import track

    from her2viewer.scoring.package import bundled_package, open_package
    from training.truth.figures import truth_of
    from training.truth.report import Measured, around_part, write_report
    from training.truth.run import judge_pairs, rows_of

    packages = [bundled_package() if model is None else open_package(model), *map(open_package, others or [])]
    folders = [package.folder for package in packages]
    if guide is not None:
        around_part(guide)  # a page that cannot be written is said before the work, not after it
    pairs = judge_pairs(folders, out_folder, count=count, seed=seed, slow=slow, workers=workers)
    for _ in track(pairs, "Judging", total=count, console=out):
        pass
    measured = [
        Measured(package.manifest, truth_of(rows_of(package.manifest, out_folder, seed, count))) for package in packages
    ]
    write_report(measured, out_folder, seed=seed, count=count, guide=guide)
    for one in measured:
        say(f"{one.title}: show {one.truth.chosen} first; best of the quick maps {one.truth.best}")
    say(f"{out_folder / 'truth.md'} holds the table")


@app.command()
def familiarity(
    model: Annotated[Path, typer.Argument(help="A model package that stands already.")],
    data: Annotated[
        Path, typer.Argument(help="The data that it was trained on: a folder of labelled pairs, or a CSV.")
    ],
    cache: Annotated[Path, typer.Option(help="Where decoded fields are kept.")] = Path("cache"),
) -> None:
    """Gives a package what it needs to tell fields that are unlike its training; `package` does so by itself."""
    from her2viewer.scoring.package import open_package
    from training.data.cache import cached_fields
    from training.data.index import index_folder
    from training.data.split import split_pairs
    from training.familiarity import add_familiarity
    from training.fit.predict import cell_side

    package = open_package(model)
    pairs = index_folder(data).of("train")
    split = split_pairs(pairs, 0, "grouped" if any(pair.group for pair in pairs) else "stratified")
    fields = cached_fields(pairs, cache, cell_side(package.manifest.input), say=say)
    section = add_familiarity(package, fields, split.train, split.calibration).familiarity
    assert section is not None
    limits = ", ".join(f"{stain.caption} {limit:.2f}" for stain, limit in section.limits.items())
    say(f"{model} knows the features of {section.fields} fields; unfamiliar beyond {limits}")


def main() -> int:
    """Exit status 0; 1 where something a user can mend went wrong; 2 for wrong usage."""
    try:
        app()
    except UserError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
