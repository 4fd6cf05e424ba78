"""What stands on the command line: help, wrong usage, and what is loaded for it."""

import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from her2viewer import RESEARCH_USE, __version__
from her2viewer.__main__ import opens_window
from her2viewer.cli import choices
from her2viewer.cli.main import app
from her2viewer.gui.bench import DeviceChoice as WindowDevice
from her2viewer.scoring import architecture, field_scorer, methods
from tests.cli.conftest import Run

COMMANDS = (
    [], ["demo"], ["score"], ["table"], ["model"], ["model", "info"], ["model", "verify"], ["export"], ["verify"], ["library"],
    *(["library", name] for name in ("list", "search", "readings", "agreement", "import", "restore")),
)  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_a_help(command: list[str], her2viewer: Run) -> None:
    outcome = her2viewer(*command, "--help")
    assert outcome.status == 0 and outcome.err == ""
    assert "Usage:" in outcome.out
    if command not in ([], ["model"], ["library"]):
        assert "Example" in outcome.out and f"her2viewer {' '.join(command)}" in outcome.out


def test_the_help_says_what_a_stranger_must_know(her2viewer: Run) -> None:
    words = " ".join(her2viewer("--help").out.replace("│", " ").split())
    for text in ("H&E", "HER2 IHC", "demo", "score", "model", RESEARCH_USE, "opens the window"):
        assert text in words
    words = her2viewer("score", "--help").out
    for option in (
        "--he",
        "--ihc",
        "--out",
        "--overlay",
        "--class",
        "--stage",
        "--method",
        "--against",
        "--colour-map",
        "--opacity",
    ):
        assert option in words
    for option in ("--threshold", "--device", "--precision", "--model", "--resume"):
        assert option in words


def test_no_command_is_taken_for_two_images() -> None:
    names = {one.name or (one.callback.__name__ if one.callback else "") for one in app.registered_commands}
    names |= {str(one.name) for one in app.registered_groups}
    assert names >= {"score", "table", "library"}
    for name in names:
        assert not opens_window([name, "x"]), name
    assert opens_window(["a.png", "b.png"])


def test_the_version(her2viewer: Run) -> None:
    assert her2viewer("--version").out == f"HER2 Viewer {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["scroe"], "No such command"),
        (["score"], "Missing option"),
        (["score", "--out", "x"], "name a folder, a CSV, or --ihc with or without --he"),
        (["score", "--out", "x", "--he", "a.png"], "--ihc is missing"),
        (["score", "folder", "--out", "x", "--he", "a.png", "--ihc", "b.png"], "not both"),
        (["score", "folder", "--out", "x", "--opacity", "2"], "--opacity"),
        (["score", "folder", "--out", "x", "--device", "tpu"], "'tpu' is not one of"),
        (["score", "folder", "--out", "x", "--colour-map", "rainbow"], "'rainbow' is not one of"),
        (["score", "folder", "--out", "x", "--engine", "dask"], "there is no such engine"),
        (["demo", "--device", "cpu"], "--device goes with --out"),
    ],
)
def test_wrong_usage_is_status_2_and_says_why(
    arguments: list[str], says: str, her2viewer: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = her2viewer(*arguments)
    assert outcome.status == 2
    assert says in " ".join(outcome.err.replace("│", " ").split())
    assert not list(tmp_path.iterdir())


def test_the_choices_are_those_of_the_scorer() -> None:
    assert get_args(choices.Stage) == (*architecture.STAGES, methods.FUSED)
    assert get_args(choices.Method) == tuple(methods.METHODS)
    assert get_args(choices.Precision) == get_args(field_scorer.Precision)
    assert get_args(choices.Device) == get_args(WindowDevice)


def test_help_loads_neither_torch_nor_qt() -> None:
    code = (
        "import sys\n"
        "from her2viewer.cli.main import main\n"
        "status = main(['score', '--help'])\n"
        "loaded = [name for name in ('torch', 'PySide6', 'tifffile') if name in sys.modules]\n"
        "sys.exit(f'loaded: {loaded}' if loaded or status else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_scoring_does_not_load_qt(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "import her2viewer.cli.score, her2viewer.cli.model, her2viewer.cli.demo\n"
        "loaded = [name for name in ('torch', 'PySide6') if name in sys.modules]\n"
        "sys.exit(f'loaded: {loaded}' if loaded else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_the_installed_command_forwards_its_arguments_and_its_status() -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "her2viewer", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert run("--version").stdout == f"HER2 Viewer {__version__}\n"
    wrong = run("score", "nowhere", "--out", "nowhere-out")
    assert wrong.returncode == 2 and "nowhere: there is no such folder" in wrong.stderr
    assert "Traceback" not in wrong.stderr
