"""Commands that make a model package: package, recalibrate, familiarity."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from training.commands.arguments import RecipeFile
from training.commands.console import every_fifty, say

if TYPE_CHECKING:
    from her2viewer.scoring.package import ModelPackage
    from training.evaluation.named_data import NamedData
    from training.recipes.recipe import Description


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
    from training.fit.predict import load_run
    from training.package import package_run
    from training.recipes.reading import description_of, read_description

    description = read_description(recipe) if recipe is not None else description_of(run, load_run(run))
    wanted = [NamedData.parsed(word) for word in on or []]
    held = None if calibrate_on is None else NamedData.parsed(calibrate_on)
    made = package_run(run, folder, description, data, None if held is None else (held.name, held.pairs()))
    _with_figures(made, description, wanted)


def recalibrate(
    model: Annotated[Path, typer.Argument(help="A model package.")],
    folder: Annotated[Path, typer.Option("--out", help="The new package's folder; it must not exist yet.")],
    calibrate_on: Annotated[
        str, typer.Option(help="NAME=DATA[:SPLIT]: labelled pairs that the model did not learn from.")
    ],
    on: Annotated[
        list[str] | None,
        typer.Option("--on", help="As for package: measured for the card; may be given several times."),
    ] = None,
    recipe: RecipeFile = None,
    version: Annotated[
        str | None,
        typer.Option(help="Of the new package, where no recipe gives it; the old one's with '.c' if left out."),
    ] = None,
    cache: Annotated[Path, typer.Option(help="Where decoded fields are kept.")] = Path("cache"),
) -> None:
    """Takes temperature and prediction sets of a package anew from other fields, your own for example; trains nothing."""
    from her2viewer.scoring.package import open_package
    from training.evaluation.named_data import NamedData
    from training.recalibration import description_of_package, recalibrated
    from training.recipes.reading import read_description

    package = open_package(model)
    described = description_of_package(package, version or f"{package.manifest.version}.c")
    description = read_description(recipe) if recipe is not None else described
    held = NamedData.parsed(calibrate_on)
    wanted = [NamedData.parsed(word) for word in on or []]
    made = recalibrated(package, folder, held.name, held.pairs(), description, cache)
    _with_figures(made, description, wanted)


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


def _with_figures(made: "ModelPackage", description: "Description", wanted: "list[NamedData]") -> None:
    """Gives a package the figures measured on each of the data, and says that it is ready."""
    from training.evaluation.outcome import metrics
    from training.package import with_metrics

    outcomes = [one.outcome(made.folder, every_fifty) for one in wanted]
    with_metrics(made, description, [(outcome, metrics(outcome)) for outcome in outcomes])
    say(f"{made.folder} is ready: her2viewer score ... --model {made.folder}")
