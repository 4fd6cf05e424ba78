"""Commands that make a model package: package, familiarity."""

from pathlib import Path
from typing import Annotated

import typer

from training.commands.arguments import RecipeFile
from training.commands.console import every_fifty, say


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
        outcome = one.outcome(folder, every_fifty)
        measured.append((outcome, metrics(outcome)))
    with_metrics(made, description, measured)
    say(f"{folder} is ready: her2viewer score ... --model {folder}")


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
