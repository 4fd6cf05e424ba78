import shutil
from pathlib import Path

import pytest

from her2viewer import RESEARCH_USE
from her2viewer.scoring.package import WEIGHTS, ModelPackage, bundled_packages
from tests.cli.conftest import Run


def test_info_says_what_the_package_says(her2viewer: Run, random_package: ModelPackage) -> None:
    outcome = her2viewer("model", "info", random_package.folder)
    assert outcome.status == 0
    for text in ("random-for-tests 0", "0, 1+, 2+, 3+", "224 x 224", "aims at 90%, from 100", RESEARCH_USE):
        assert text in outcome.out
    assert "started from:" in outcome.out and outcome.out.rstrip().endswith("# Random weights")


def test_verify_loads_it(her2viewer: Run, random_package: ModelPackage) -> None:
    outcome = her2viewer("model", "verify", random_package.folder)
    assert outcome.status == 0
    assert random_package.manifest.weights.sha256 in outcome.out and "they load" in outcome.out


@pytest.mark.parametrize(
    ("weights", "says"),
    [(b"\x80\x04\x95pickle", "SHA-256 differs"), (None, "weights.safetensors is missing")],
)
def test_a_package_that_must_not_be_used(
    weights: bytes | None, says: str, her2viewer: Run, random_package: ModelPackage, tmp_path: Path
) -> None:
    folder = tmp_path / "changed"
    shutil.copytree(random_package.folder, folder)
    (folder / WEIGHTS).unlink() if weights is None else (folder / WEIGHTS).write_bytes(weights)
    outcome = her2viewer("model", "verify", folder)
    assert outcome.status == 1 and outcome.out == ""
    assert says in outcome.err and outcome.err.count("\n") == 1


def test_what_is_no_package_cannot_be_told_about(her2viewer: Run, tmp_path: Path) -> None:
    outcome = her2viewer("model", "info", tmp_path)
    assert outcome.status == 2 and "this is not a model package" in outcome.err


def test_the_bundled_model_is_sound(her2viewer: Run) -> None:
    outcome = her2viewer("model", "verify")
    if not bundled_packages():
        assert outcome.status == 1 and "no model ships with this copy" in outcome.err
        pytest.skip("resources/models is empty: the bundled model is not here yet")
    assert outcome.status == 0, outcome.err
    info = her2viewer("model", "info")
    assert info.status == 0 and RESEARCH_USE in info.out
