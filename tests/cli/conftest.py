"""A command line run in this process, with pairs and a package to run it on."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from her2viewer.cli.main import main
from her2viewer.scoring.package import ModelPackage
from tests.batch.conftest import MakePairs, make_pairs, random_package, random_scorer, write_pair

__all__ = ["MakePairs", "make_pairs", "random_package", "random_scorer"]


@dataclass(frozen=True)
class Outcome:
    """What a command line left: exit status and both streams."""

    status: int
    out: str
    err: str


Run = Callable[..., Outcome]


@pytest.fixture
def her2viewer(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: object) -> Outcome:
        capsys.readouterr()
        status = main([str(argument) for argument in arguments])
        streams = capsys.readouterr()
        assert "Traceback" not in streams.err
        return Outcome(status, streams.out, streams.err)

    return run


@pytest.fixture(scope="session")
def explained_folder(tmp_path_factory: pytest.TempPathFactory, random_package: ModelPackage) -> Path:
    """Results of two pairs, with pictures and explanations. To be copied before anything is changed."""
    place = tmp_path_factory.mktemp("explained")
    for seed in range(2):
        write_pair(place / "pairs", seed, (256, 256))
    asked = ["score", place / "pairs", "--out", place / "results", "--overlay", "--explain", "--device", "cpu"]
    assert main([*map(str, asked), "--model", str(random_package.folder)]) == 0
    return place / "results"


@pytest.fixture
def explained(explained_folder: Path, tmp_path: Path) -> Path:
    """A copy of them."""
    return Path(shutil.copytree(explained_folder, tmp_path / "results"))
