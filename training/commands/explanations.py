"""Commands that measure what explanations are worth: trust, truth, membranes."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from training.commands.console import out, say


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
