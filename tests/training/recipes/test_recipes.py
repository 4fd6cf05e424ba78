from pathlib import Path

import pytest

import training.recipes
from her2viewer.errors import UserError
from her2viewer.scoring.preprocess import InputLayout
from training.recipes.reading import read_description, read_experiment, read_recipe
from training.recipes.recipe import NONE, Recipe

FOLDER = Path(training.recipes.__file__).parent
THESIS = sorted((FOLDER / "thesis").glob("*.toml"))
BEYOND = sorted((FOLDER / "beyond").glob("*.toml"))


@pytest.mark.parametrize("path", [*THESIS, *BEYOND], ids=lambda path: path.stem)
def test_every_recipe_reads_and_says_what_it_is(path: Path) -> None:
    read_recipe(path)
    assert read_experiment(path).title and path.read_text(encoding="utf-8").startswith("# ")


def test_the_final_recipe_is_the_thesis_own() -> None:
    recipe = read_recipe(FOLDER / "thesis" / "final.toml")
    assert recipe.layout == InputLayout() and recipe.layout.mean == (0, 0, 0) and recipe.layout.std == (1, 1, 1)
    assert [str(stain) for stain in recipe.layout.order] == ["ihc", "he"]
    assert (recipe.optimizer, recipe.learning_rate, recipe.batch, recipe.start) == ("adam", 0.001, 256, "imagenet")
    assert 75 <= recipe.epochs <= 100 and recipe.schedule == "constant" and recipe.weight_decay == 0


@pytest.mark.parametrize("folder", [THESIS, BEYOND], ids=["thesis", "beyond"])
def test_each_recipe_changes_one_thing_of_the_base_of_its_folder(folder: list[Path]) -> None:
    base = next(path for path in folder if read_experiment(path).group == "base")
    plain = _settings(read_recipe(base))
    for path in folder:
        if path == base or path.stem in ("final", "grayscale-448x224"):
            continue
        changed = {name for name, value in _settings(read_recipe(path)).items() if value != plain[name]}
        experiment = read_experiment(path)
        if experiment.flips or experiment.seeds > 1:
            assert not changed
            continue
        together = (
            {"layout.width", "layout.height"},
            {"layout.optional", "augmentation.stain_dropout"},
            {"loss", "label_smoothing"},
        )
        assert len(changed) == 1 or changed in together, f"{path.stem} changes {changed}"


def _settings(recipe: Recipe) -> dict[str, object]:
    plain = recipe.model_dump()
    for section in ("layout", "augmentation"):
        plain |= {f"{section}.{name}": value for name, value in plain.pop(section).items()}
    return plain


def test_the_plain_recipes_of_the_thesis_augment_nothing() -> None:
    augmented = {path.stem for path in THESIS if read_recipe(path).augmentation != NONE}
    assert augmented == {"augmentation"}


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("[experiment]\ntitel = 'x'", r"\[experiment\] has no setting 'titel'"),
        ("[experiment]\nseeds = 0", r"\[experiment\] 'seeds' does not fit"),
        ("[fit.layout]\nwidth = 3", r"\[fit.layout\] 'width' does not fit"),
        ("[fit.augmentation]\nzoom = -1", r"\[fit.augmentation\] 'zoom' does not fit"),
        ("[fit]\nloss = 'hinge'", r"\[fit\] 'loss' does not fit"),
        ("[card]\nname = 'x'", r"\[card\] lacks 'version'"),
    ],
)
def test_a_mistake_is_named_with_its_section(tmp_path: Path, text: str, word: str) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=word):
        for read in (read_experiment, read_recipe, read_description)[: 3 if "card" in text else 2]:
            read(path)


def test_a_setting_of_the_command_line_comes_on_top(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text("[fit]\nepochs = 7\nbatch = 8\n", encoding="utf-8")
    recipe = read_recipe(path, epochs=3, batch=None)
    assert (recipe.epochs, recipe.batch) == (3, 8)
