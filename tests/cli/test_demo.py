import os
import re
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from her2viewer import RESEARCH_USE
from her2viewer.cli import demo as demo_module
from her2viewer.cli import score as score_module
from her2viewer.errors import PairError
from her2viewer.export.results import read_json
from her2viewer.gui import app as app_module
from her2viewer.gui import display, picture
from her2viewer.resources import resource
from her2viewer.scoring.package import ModelPackage, bundled_packages
from tests.cli.conftest import MakePairs, Run


def bundled() -> None:
    if not bundled_packages():
        pytest.skip("resources/models is empty: the bundled model is not here yet")
    if not any(resource("demo").glob("*_HE.*")):
        pytest.skip("resources/demo is empty: the demo pair is not here yet")


def test_without_a_display_it_says_what_else_there_is(her2viewer: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(display, "no_display", lambda: "There is no display; use 'her2viewer demo --out DIR'.")
    outcome = her2viewer("demo")
    assert outcome.status == 2 and outcome.err.startswith("There is no display") and outcome.out == ""


def test_with_a_display_the_window_opens_with_the_demo_pair(her2viewer: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[bool] = []

    def run(paths: object = None, demo: bool = False) -> int:
        opened.append(demo)
        return 0

    monkeypatch.setattr(display, "no_display", lambda: None)
    monkeypatch.setattr(app_module, "run", run)
    assert her2viewer("demo").status == 0 and opened == [True]


def test_bare_and_with_two_images_without_a_display() -> None:
    if sys.platform in ("win32", "darwin"):
        pytest.skip("there is always a display to Qt on this system")
    quiet = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    quiet.pop("QT_QPA_PLATFORM", None)
    for arguments in ([], ["a.png", "b.png"], ["demo"]):
        command = [sys.executable, "-m", "her2viewer", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=quiet)
        assert done.returncode == 2 and done.stdout == ""
        assert "her2viewer demo --out" in done.stderr and "her2viewer score" in done.stderr
        assert done.stderr.count("\n") == 1


def test_the_three_files_and_the_score(
    her2viewer: Run,
    make_pairs: MakePairs,
    random_package: ModelPackage,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (pair,) = make_pairs(1, (128, 128))
    asked: list[object] = []

    def window(out: Path, files: tuple[Path, Path], **rest: object) -> None:
        asked.append(files)
        out.write_bytes(b"a picture")

    monkeypatch.setattr(demo_module, "demo_pair", lambda: pair)
    monkeypatch.setattr(score_module, "bundled_package", lambda: random_package)
    monkeypatch.setattr(picture, "window_picture", window)
    out = tmp_path / "demo-out"
    for _ in range(2):  # a demo may be run again
        outcome = her2viewer("demo", "--out", out, "--device", "cpu")
        assert outcome.status == 0, outcome.err
    assert {path.name for path in out.iterdir()} == {
        f"{pair.case_id}_overlay.png",
        f"{pair.case_id}.json",
        "window.png",
    }
    result = read_json(out / f"{pair.case_id}.json")
    assert outcome.out.startswith(f"{pair.case_id}: {result.score} (") and RESEARCH_USE in outcome.out
    assert asked[0] == (pair.he, pair.ihc)


def test_a_copy_without_a_demo_pair_says_so(her2viewer: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_module, "resource", lambda *_: tmp_path)
    with pytest.raises(PairError, match="there are no images in it"):
        demo_module.demo_pair()
    assert her2viewer("demo", "--out", tmp_path / "out").status == 2


def test_the_real_demo(tmp_path: Path) -> None:
    bundled()
    command = [sys.executable, "-m", "her2viewer", "demo", "--out", str(tmp_path), "--device", "cpu"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=110, check=False, env=os.environ | {"OMP_NUM_THREADS": "1"}
    )
    assert done.returncode == 0, done.stderr
    (result,) = [read_json(path) for path in tmp_path.glob("*.json")]
    assert re.match(rf"{re.escape(result.case_id)}: {re.escape(result.score)} \(", done.stdout)
    window = cv2.imread(str(tmp_path / "window.png"))
    assert window is not None and window.shape[1] >= 1024 and window.std() > 10
    assert (tmp_path / f"{result.case_id}_overlay.png").is_file()
