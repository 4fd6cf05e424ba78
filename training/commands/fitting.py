"""Commands that train: fit, compare."""

from pathlib import Path
from typing import Annotated

import typer

from her2viewer.errors import UserError
from training.commands.arguments import Data, RecipeFile, named_protocol
from training.commands.console import say


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
    from training.fit.run import Machine
    from training.fit.run import fit as train
    from training.recipes.reading import read_recipe

    allowed = named_protocol(protocol)
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
        protocol=allowed,
        teachers=teacher or (),
        machine=Machine(accelerator, devices, nodes, strategy, threads),
        resume=resume,
        say=say,
    )


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
    from training.fit.run import Machine
    from training.recipes.reading import recipe_files
    from training.recipes.recipe import placeless_start

    allowed = named_protocol(protocol)
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
    done = run_all(files, index, out_folder, changes=changes, protocol=allowed, machine=machine, say=say)
    for found in done:
        rows += found
        write_comparison(rows, out_folder, facts)
        for row in found:
            say(f"  {row.title}: {row.exact:.1%} exact ({row.low:.1%} to {row.high:.1%})")
    say(f"{out_folder / 'comparison.md'} holds {len(rows)} rows")
