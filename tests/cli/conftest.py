"""A command line run in this process, with pairs and a package to run it on."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from her2viewer.cli.main import main
from tests.batch.conftest import MakePairs, make_pairs, random_package, random_scorer

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
