"""`python -m tests.guard`: how often the guard is wrong, printed and written as the guide's page."""

import argparse
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from her2viewer.resources import resource
from her2viewer.scoring.package import bundled_package, open_package
from her2viewer.scoring.scorer import Scorer
from tests.guard.cost import cost
from tests.guard.counting import look_at_good, look_at_wrong
from tests.guard.good import good_fields, phantom_pairs
from tests.guard.page import page

REAL = Path(__file__).resolve().parents[2].parent / "shared" / "data"


def main() -> None:
    """Draws the inputs, scores them all, and tells what was said of them."""
    parser = argparse.ArgumentParser(prog="python -m tests.guard", description=__doc__)
    parser.add_argument("--data", type=Path, default=REAL, help="folder of real images (default: beside the checkout)")
    parser.add_argument("--pairs", type=Path, help="restained cores, as 'python -m training tissue' writes their table")
    parser.add_argument("--model", type=Path, help="model package (default: the bundled one)")
    parser.add_argument("--phantoms", type=int, default=25, help="good phantoms of each of four seeds")
    parser.add_argument("--each", type=int, default=4, help="wrong inputs of each kind and half")
    parser.add_argument("--seed", type=int, default=0, help="of the wrong inputs")
    parser.add_argument("--out", type=Path, default=resource("guide") / "checks.md", help="the page to write")
    options = parser.parse_args()
    package = bundled_package() if options.model is None else open_package(options.model)
    scorer = Scorer.open(package, "cpu")
    data = options.data if options.data.is_dir() else None
    goods = list(good_fields(data, options.pairs, options.phantoms))
    spoiled = [good for good in goods if good.source == "BCI pairs"] + list(phantom_pairs(4))
    console = Console(highlight=False)
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("Looking", total=None)

        def tell(text: str) -> None:
            bar.update(task, advance=1, description=text)

        wrong = look_at_wrong(scorer, spoiled, options.each, options.seed, tell)
        good = look_at_good(scorer, goods, tell)
    command = f"python -m tests.guard --phantoms {options.phantoms} --each {options.each} --seed {options.seed}"
    if options.pairs is not None:
        command += f" --pairs {options.pairs.name}"
    text = page(good, wrong, str(package.manifest.identity), cost(scorer, spoiled[0].read()), command)
    options.out.write_text(text, encoding="utf-8")
    console.print(text, markup=False, soft_wrap=True)


if __name__ == "__main__":
    main()
