"""Phantom pairs on disk: BCI's folders and names, the truth beside them, a broken run, a folder of another seed."""

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from her2viewer.errors import ExportError
from her2viewer.scoring.membrane import rule
from her2viewer.scoring.membrane.rule import CLASSES
from training.__main__ import app
from training.data.index import index_folder
from training.phantom.expression import DRAWN
from training.phantom.writing import MEMBRANE_VALUES, split_of, write_phantoms


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    out = tmp_path_factory.mktemp("phantoms")
    return out, write_phantoms(out, count=4, seed=5, test_share=0.5, workers=1)


def test_names_and_folders_are_those_of_bci(written: tuple[Path, list[str]]) -> None:
    out, names = written
    assert sorted(name.split("_")[2] for name in names) == sorted(CLASSES)
    for number, name in enumerate(names):
        digits, split, label = name.split("_")
        assert digits == f"{number:05d}"
        assert label in CLASSES
        for stain in ("HE", "IHC"):
            data = (out / stain / split / f"{name}.png").read_bytes()
            assert data.startswith(b"\xff\xd8\xff")  # JPEG under a .png name, as BCI's
    found = index_folder(out)
    assert not found.refused
    assert Counter(pair.label for pair in found.pairs) == Counter(CLASSES)


def test_the_truth_agrees_with_the_name_and_the_masks(written: tuple[Path, list[str]]) -> None:
    out, names = written
    for name in names:
        _, split, label = name.split("_")
        truth = json.loads((out / "truth" / split / f"{name}.json").read_text())
        columns = truth["cells"]
        counted = np.array(columns["counted"], bool)
        grades = rule.grade_cells(np.array(columns["completeness"]), np.array(columns["intensity"]), DRAWN)
        assert truth["label"] == label == rule.score(grades[counted])
        nuclei = truth["nuclei"]
        assert len({len(column) for column in nuclei.values()}) == 1
        kinds = {
            columns["kind"][cell - 1] == kind for cell, kind in zip(nuclei["cell"], nuclei["kind"], strict=True) if cell
        }
        assert kinds == {True} and min(nuclei["radius"]) > 1
        assert truth["tumour_cells"] == counted.sum()
        ids = np.array(Image.open(out / "truth" / split / f"{name}_cells.png"))
        assert ids.shape == (1024, 1024)
        assert np.bincount(ids.ravel(), minlength=len(columns["x"]) + 1)[1:].tolist() == columns["area"]
        membrane = np.array(Image.open(out / "truth" / split / f"{name}_membrane.png"))
        drawn = {value: set(np.unique(grades[ids[membrane == value] - 1])) for value in np.unique(membrane) if value}
        assert drawn == {
            MEMBRANE_VALUES[grade]: {grade} for grade in map(rule.Grade, set(grades[np.unique(ids)[1:] - 1]))
        }


def test_a_broken_run_goes_on_and_ends_the_same(written: tuple[Path, list[str]], tmp_path: Path) -> None:
    out, names = written
    half = write_phantoms(tmp_path, count=1, seed=5, test_share=0.5, workers=1)
    kept = next((tmp_path / "IHC").glob("*/*.png"))
    stamp = kept.stat().st_mtime_ns
    assert half + write_phantoms(tmp_path, count=1, first=1, seed=5, test_share=0.5, workers=1) == names[:2]
    write_phantoms(tmp_path, count=2, seed=5, test_share=0.5, workers=1)
    assert kept.stat().st_mtime_ns == stamp
    for path in tmp_path.rglob("*.png"):
        assert path.read_bytes() == (out / path.relative_to(tmp_path)).read_bytes()


def test_png_holds_the_same_pixels(written: tuple[Path, list[str]], tmp_path: Path) -> None:
    out, _ = written
    write_phantoms(tmp_path, count=1, seed=5, test_share=0.5, workers=1, image_format="png", truth=False)
    assert not (tmp_path / "truth").exists()
    for path in tmp_path.rglob("*.png"):
        assert path.read_bytes().startswith(b"\x89PNG")
        assert np.array_equal(cv2.imread(str(path)), cv2.imread(str(out / path.relative_to(tmp_path))))


def test_a_whole_share_written_either_way_is_one_share(tmp_path: Path) -> None:
    assert write_phantoms(tmp_path, count=1, seed=5, test_share=1, workers=1, truth=False) == write_phantoms(
        tmp_path, count=1, seed=5, test_share=1.0, workers=1, truth=False
    )
    (tmp_path / "phantom.json").write_text("not JSON")
    with pytest.raises(ExportError, match="another seed"):
        write_phantoms(tmp_path, count=1, seed=5, test_share=1, workers=1, truth=False)


def test_two_seeds_do_not_mix(written: tuple[Path, list[str]]) -> None:
    with pytest.raises(ExportError, match="another seed"):
        write_phantoms(written[0], count=1, seed=6, test_share=0.5, workers=1)


@pytest.mark.parametrize("share", [0.0, 0.15, 0.2, 0.5, 1.0])
def test_the_test_split_takes_whole_blocks_of_four(share: float) -> None:
    splits = [split_of(index, share) for index in range(400)]
    assert splits.count("test") == pytest.approx(400 * share, abs=4)
    assert all(len(set(splits[start : start + 4])) == 1 for start in range(0, 400, 4))


def test_from_the_command_line_in_two_processes(written: tuple[Path, list[str]], tmp_path: Path) -> None:
    words = ["--out", str(tmp_path), "--count", "2", "--seed", "5", "--test-share", "0.5", "--no-truth"]
    result = CliRunner().invoke(app, ["phantom", *words])
    assert result.exit_code == 0, result.output
    assert "2 pairs in" in result.output.replace("\n", "")
    names = sorted(path.stem for path in tmp_path.glob("IHC/*/*.png"))
    assert names == written[1][:2]


def test_a_file_in_the_way_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportError, match="choose a folder"):
        write_phantoms(tmp_path / "file", count=1, seed=0, workers=1)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks processes up in /proc")
def test_a_killed_run_leaves_no_process_and_no_half_pair(tmp_path: Path) -> None:
    words = ["phantom", "--out", str(tmp_path / "out"), "--count", "400", "--no-truth"]
    run = subprocess.Popen([sys.executable, "-m", "training", *words], stdout=subprocess.DEVNULL)
    try:
        _until(lambda: any((tmp_path / "out").glob("IHC/*/*.png")))
        workers = _descendants(run.pid)
        assert len(workers) >= 2
    finally:
        run.kill()
        run.wait()
    _until(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))
    for path in (tmp_path / "out").glob("IHC/*/[0-9]*.png"):
        assert cv2.imread(str(path)) is not None
        assert (tmp_path / "out" / "HE" / path.parent.name / path.name).is_file()


def _until(true: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _descendants(pid: int) -> list[int]:
    found = []
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, children.read_text().split()):
            found += [child, *_descendants(child)]
    return found
