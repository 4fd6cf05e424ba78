import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from her2viewer import RESEARCH_USE
from her2viewer.cli import score as score_module
from her2viewer.export.explanation import ExplanationDocument
from her2viewer.export.results import read_json
from her2viewer.scoring.evidence import FieldPixels
from her2viewer.scoring.methods import METHOD_SHOWN_FIRST, MapRequest
from her2viewer.scoring.package import MANIFEST, WEIGHTS, ModelPackage, bundled_packages
from her2viewer.scoring.scorer import Scorer
from tests.cli.conftest import MakePairs, Run
from tests.scoring.conftest import tissue

OWN = {"results.db", "results.csv", "results.json", "results.log.jsonl", "results.log.jsonl.head"}
"""What a folder of results holds beside the files of its pairs."""


@pytest.fixture
def model(random_package: ModelPackage) -> list[object]:
    return ["--model", random_package.folder, "--device", "cpu"]


@pytest.fixture
def loaded(random_scorer: Scorer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The scorer is there already: loading one takes a second, and only some tests are about that."""
    monkeypatch.setattr(score_module, "open_scorer", lambda *_: random_scorer)


def table(folder: Path) -> list[dict[str, str]]:
    with (folder / "results.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_one_pair_with_overlay(her2viewer: Run, make_pairs: MakePairs, model: list[object], tmp_path: Path) -> None:
    (pair,) = make_pairs(1, (256, 256))
    out = tmp_path / "out"
    outcome = her2viewer("score", "--he", pair.he, "--ihc", pair.ihc, "--out", out, "--overlay", *model)
    assert outcome.status == 0, outcome.err
    names = {path.name for path in out.iterdir()}
    assert names == {*OWN, f"{pair.case_id}.json", f"{pair.case_id}_overlay.png"}
    result = read_json(out / f"{pair.case_id}.json")
    assert outcome.out.startswith(f"{pair.case_id}: {result.score} (0 ")
    assert RESEARCH_USE in outcome.out and "random-for-tests 0 on CPU" in outcome.out
    assert result.images.he.file == pair.he.name
    (row,) = table(out)
    assert (row["score"], float(row["p_2+"])) == (result.score, result.probabilities["2+"])
    assert str(tmp_path) not in (out / "results.json").read_text(encoding="utf-8")


@pytest.mark.usefixtures("loaded")
def test_a_folder_and_its_numbers(
    her2viewer: Run, make_pairs: MakePairs, model: list[object], random_scorer: Scorer, tmp_path: Path
) -> None:
    make_pairs(3)
    out = tmp_path / "out"
    outcome = her2viewer("score", tmp_path / "pairs", "--out", out, *model)
    assert outcome.status == 0, outcome.err
    assert "Scored 3 of 3 pairs" in outcome.out and RESEARCH_USE in outcome.out and outcome.err == ""
    assert len(list(out.iterdir())) == 3 + len(OWN)
    fields = [FieldPixels.whole(tissue(2 * seed, (64, 48)), tissue(2 * seed + 1, (64, 48), "ihc")) for seed in range(3)]
    for seed, row in enumerate(table(out)):
        expected = random_scorer.score(fields[seed]).prediction
        for name, probability in zip(expected.classes, expected.probabilities, strict=True):
            assert abs(float(row[f"p_{name}"]) - probability) < 1e-5
        assert row["label"] == ("0", "1+", "2+")[seed]
        assert row["he_file"].startswith("HE/")


@pytest.mark.usefixtures("loaded")
def test_some_rows_failed_is_status_1_and_each_says_why(
    her2viewer: Run, make_pairs: MakePairs, model: list[object], tmp_path: Path
) -> None:
    pairs = make_pairs(4)
    pairs[1].he.write_bytes(b"")
    pairs[2].ihc.write_text("text")
    out = tmp_path / "out"
    outcome = her2viewer("score", tmp_path / "pairs", "--out", out, *model)
    assert outcome.status == 1
    failed = [line for line in outcome.err.splitlines() if line.startswith("Failed: ")]
    assert len(failed) == 2 and "the file is empty" in failed[0] and "holds text" in failed[1]
    assert "2 of 4 pairs failed" in outcome.err and "Scored 2 of 4 pairs" in outcome.out
    assert [bool(row["error"]) for row in table(out)] == [False, True, True, False]


@pytest.mark.usefixtures("loaded")
def test_a_csv_and_two_folders_and_several_places(
    her2viewer: Run, make_pairs: MakePairs, model: list[object], tmp_path: Path
) -> None:
    pairs = make_pairs(2)
    manifest = tmp_path / "list.csv"
    manifest.write_text("he;ihc;case_id\n" + f"pairs/HE/{pairs[0].he.name};pairs/IHC/{pairs[0].ihc.name};=cmd\n")
    assert her2viewer("score", manifest, "--out", tmp_path / "a", *model).status == 0
    assert table(tmp_path / "a")[0]["case_id"] == "'=cmd"
    folders = ["--he", tmp_path / "pairs" / "HE", "--ihc", tmp_path / "pairs" / "IHC"]
    assert her2viewer("score", *folders, "--out", tmp_path / "b", *model).status == 0
    assert len(table(tmp_path / "b")) == 2
    assert her2viewer("score", manifest, tmp_path / "pairs", "--out", tmp_path / "c", *model).status == 0
    assert len(table(tmp_path / "c")) == 3


@pytest.mark.usefixtures("loaded")
def test_what_is_left_out_is_said(her2viewer: Run, make_pairs: MakePairs, model: list[object], tmp_path: Path) -> None:
    (pair,) = make_pairs(1)
    shutil.copy(pair.he, pair.he.with_name(f"{pair.case_id} (1).png"))
    for i in range(7):
        shutil.copy(pair.he, pair.he.with_name(f"alone{i}.png"))
    outcome = her2viewer("score", tmp_path / "pairs", "--out", tmp_path / "out", *model)
    assert outcome.status == 0
    assert f"Left out: {pair.case_id} (1).png: its name is that of a copy" in outcome.err
    assert "Without a partner: alone0.png" in outcome.err and "and 2 more." in outcome.err


@pytest.mark.usefixtures("loaded")
def test_results_are_never_written_over_and_resume_goes_on(
    her2viewer: Run, make_pairs: MakePairs, model: list[object], tmp_path: Path
) -> None:
    pairs = make_pairs(3)
    good = pairs[1].he.read_bytes()
    pairs[1].he.write_bytes(b"")
    arguments = ["score", tmp_path / "pairs", "--out", tmp_path / "out", *model]
    assert her2viewer(*arguments).status == 1
    before = {path: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    again = her2viewer(*arguments)
    assert again.status == 2 and "--resume" in again.err and again.err.count("\n") == 1
    assert {path: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before
    pairs[1].he.write_bytes(good)
    resumed = her2viewer(*arguments, "--resume")
    assert resumed.status == 0 and "Scored 3 of 3 pairs (2 of them before)" in resumed.out
    assert [row["error"] for row in table(tmp_path / "out")] == ["", "", ""]


@pytest.mark.usefixtures("loaded")
def test_an_option_of_the_overlay_asks_for_it(
    her2viewer: Run, make_pairs: MakePairs, model: list[object], tmp_path: Path
) -> None:
    make_pairs(1, (128, 128))
    pictures = {}
    for name, options in {
        "plain": ["--overlay"],
        "stage": ["--stage", "layer3"],
        "method": ["--stage", "fused", "--method", "layercam"],
        "against": ["--class", "3+", "--against", "0"],
        "colours": ["--colour-map", "magma"],
        "opacity": ["--opacity", "1", "--threshold", "0"],
        "none": ["--class", "3+", "--no-overlay"],
    }.items():
        outcome = her2viewer("score", tmp_path / "pairs", "--out", tmp_path / name, *options, *model)
        assert outcome.status == 0, outcome.err
        found = list((tmp_path / name).glob("*_overlay.png"))
        pictures[name] = found[0].read_bytes() if found else None
        score = table(tmp_path / name)[0]["score"]
    other = "3+" if score != "3+" else "0"
    her2viewer("score", tmp_path / "pairs", "--out", tmp_path / "class", "--class", other, *model)
    pictures["class"] = next((tmp_path / "class").glob("*_overlay.png")).read_bytes()
    assert pictures.pop("none") is None
    assert None not in pictures.values() and len(set(pictures.values())) == 7


def test_bf16_says_how_far_it_is_off(
    her2viewer: Run, make_pairs: MakePairs, model: list[object], tmp_path: Path
) -> None:
    make_pairs(2)
    outcome = her2viewer("score", tmp_path / "pairs", "--out", tmp_path / "out", "--precision", "bf16", *model)
    assert outcome.status == 0
    assert outcome.err.count("Note: bf16 moved the probabilities of the first field by at most") == 1
    assert table(tmp_path / "out")[0]["precision"] == "bf16"


def png_header(path: Path, size: int) -> None:
    import struct
    import zlib

    chunk = b"IHDR" + struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk)))


BAD_IMAGES = {
    "missing": (lambda path: path.unlink(), "there is no such file"),
    "folder": (lambda path: (path.unlink(), path.mkdir()), "is a folder, not an image"),
    "empty": (lambda path: path.write_bytes(b""), "the file is empty"),
    "cut": (lambda path: path.write_bytes(path.read_bytes()[:-2000]), "cut short"),
    "text": (lambda path: path.write_text("hello"), "holds text, not an image"),
    "one pixel": (lambda path: cv2.imwrite(str(path), np.zeros((1, 1, 3), np.uint8)), "too small to score"),
    "huge": (lambda path: png_header(path, 60_000), "more than the limit"),
}


@pytest.mark.parametrize("name", BAD_IMAGES)
@pytest.mark.usefixtures("loaded")
def test_a_bad_image_is_one_sentence_and_status_1(
    name: str, her2viewer: Run, make_pairs: MakePairs, model: list[object], tmp_path: Path
) -> None:
    break_it, says = BAD_IMAGES[name]
    (pair,) = make_pairs(1)
    break_it(pair.ihc)
    outcome = her2viewer("score", "--he", pair.he, "--ihc", pair.ihc, "--out", tmp_path / "out", *model)
    assert outcome.status == 1
    (line,) = [line for line in outcome.err.splitlines() if line.startswith("Failed: ")]
    assert says in line and line.endswith(".") and str(tmp_path) not in line
    assert says in table(tmp_path / "out")[0]["error"]


@pytest.mark.usefixtures("loaded")
def test_the_same_image_twice(her2viewer: Run, make_pairs: MakePairs, model: list[object], tmp_path: Path) -> None:
    (pair,) = make_pairs(1)
    outcome = her2viewer("score", "--he", pair.he, "--ihc", pair.he, "--out", tmp_path / "out", *model)
    assert outcome.status == 1 and "the same file was given for H&E and IHC" in outcome.err


@pytest.mark.usefixtures("loaded")
def test_swapped_stains_and_unlike_sizes_are_scored_with_a_warning(
    her2viewer: Run, make_pairs: MakePairs, model: list[object], tmp_path: Path
) -> None:
    (pair,) = make_pairs(1, (256, 256))
    cv2.imwrite(str(pair.he), tissue(1, (256, 200))[..., ::-1])
    swapped = her2viewer("score", "--he", pair.ihc, "--ihc", pair.he, "--out", tmp_path / "out", *model)
    assert swapped.status == 0
    assert "look swapped" in swapped.out and "no call:" in swapped.out and "differ in size" in swapped.out


def test_what_cannot_start_is_status_2_in_one_line(
    her2viewer: Run, make_pairs: MakePairs, model: list[object], random_package: ModelPackage, tmp_path: Path
) -> None:
    make_pairs(1)
    pairs, out = tmp_path / "pairs", tmp_path / "out"
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty").mkdir()
    no_model = tmp_path / "no-model"
    no_model.mkdir()
    pickled = tmp_path / "pickled"
    shutil.copytree(random_package.folder, pickled)
    (pickled / WEIGHTS).write_bytes(b"\x80\x04\x95")
    rewritten = tmp_path / "rewritten"
    shutil.copytree(random_package.folder, rewritten)
    manifest = json.loads((rewritten / MANIFEST).read_text())
    manifest["weights"]["sha256"] = "0" * 64
    (rewritten / MANIFEST).write_text(json.dumps(manifest))
    for arguments, says in (
        ([tmp_path / "gone", "--out", out, *model], "gone: there is no such folder"),
        ([tmp_path / "empty", "--out", out, *model], "empty: there are no images in it; looked for folders HE and IHC"),
        ([pairs, "--out", tmp_path / "file", *model], "file: is a file, not a folder"),
        ([pairs, "--out", out, "--class", "4+", *model], "the model knows no class '4+'; name one of 0, 1+, 2+, 3+"),
        (
            [pairs, "--out", out, "--class", "2+", "--against", "4+", *model],
            "the model knows no class '4+'; name one of 0, 1+, 2+, 3+ with --against",
        ),
        ([pairs, "--out", out, "--against", "1+", *model], "name the class whose evidence is wanted with --class"),
        ([pairs, "--out", out, "--class", "1+", "--against", "1+", *model], "class 1+ cannot be set against itself"),
        (
            [pairs, "--out", out, "--method", "Score-CAM", "--stage", "fused", *model],
            "Score-CAM has no map at fused; name one of layer1, layer2, layer3, layer4 with --stage",
        ),
        ([pairs, "--out", out, "--method", "Occlusion", "--stage", "layer4", *model], "leave --stage out"),
        ([pairs, "--out", out, "--model", no_model], "no-model: this is not a model package"),
        ([pairs, "--out", out, "--model", pickled], "SHA-256 differs"),
        ([pairs, "--out", out, "--model", rewritten], "SHA-256 differs"),
    ):
        outcome = her2viewer("score", *arguments)
        assert outcome.status == 2, says
        assert says in outcome.err and outcome.err.startswith("Error: ") and outcome.err.count("\n") == 1
        assert outcome.out == ""


@pytest.mark.usefixtures("loaded")
def test_a_full_disk_is_status_1_and_keeps_what_is_there(
    her2viewer: Run, make_pairs: MakePairs, model: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    make_pairs(2)
    monkeypatch.setattr("her2viewer.export.files._to_disk", full)
    outcome = her2viewer("score", tmp_path / "pairs", "--out", tmp_path / "out", *model)
    assert outcome.status == 1
    assert "the disk is full" in outcome.err and list((tmp_path / "out").iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to a single process")
def test_ctrl_c_keeps_what_is_done_and_says_how_to_go_on(
    make_pairs: MakePairs, random_package: ModelPackage, tmp_path: Path
) -> None:
    (pair,) = make_pairs(1, (600, 600))
    rows = "".join(f"pairs/HE/{pair.he.name},pairs/IHC/{'../IHC/' * i}{pair.ihc.name},c{i}\n" for i in range(400))
    (tmp_path / "list.csv").write_text("he,ihc,case_id\n" + rows)
    command = [sys.executable, "-m", "her2viewer", "score", str(tmp_path / "list.csv"), "--out", str(tmp_path / "out")]
    command += ["--model", str(random_package.folder), "--device", "cpu"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"}
    )
    until = time.monotonic() + 60
    while not list((tmp_path / "out").glob("c*.json")) and time.monotonic() < until and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1, err
    assert "--resume goes on" in err and "Traceback" not in err
    assert 0 < len(table(tmp_path / "out")) < 400


def test_a_real_pair(her2viewer: Run, shared_data: Path, model: list[object], tmp_path: Path) -> None:
    name = "00000_train_1+.png"
    pair = ["--he", shared_data / "bci/HE/train" / name, "--ihc", shared_data / "bci/IHC/train" / name]
    outcome = her2viewer("score", *pair, "--out", tmp_path / "out", "--overlay", *model)
    assert outcome.status == 0, outcome.err
    result = read_json(tmp_path / "out" / "00000_train_1+.json")
    assert (result.images.he.width, result.images.ihc.height) == (1024, 1024)
    assert result.checks == () and "look swapped" not in outcome.out
    picture = cv2.imread(str(tmp_path / "out" / "00000_train_1+_overlay.png"))
    assert picture is not None and picture.shape[1] >= 2048


def test_the_bundled_model_is_the_default(her2viewer: Run, make_pairs: MakePairs, tmp_path: Path) -> None:
    make_pairs(1)
    outcome = her2viewer("score", tmp_path / "pairs", "--out", tmp_path / "out", "--device", "cpu")
    if not bundled_packages():
        assert outcome.status == 2 and "no model ships with this copy" in outcome.err
        pytest.skip("resources/models is empty: the bundled model is not here yet")
    assert outcome.status == 0, outcome.err


@pytest.mark.usefixtures("loaded")
def test_a_score_is_explained_and_the_window_would_say_the_same(
    her2viewer: Run, make_pairs: MakePairs, model: list[object], random_scorer: Scorer, tmp_path: Path
) -> None:
    (pair,) = make_pairs(1, (256, 256))
    out = tmp_path / "out"
    asked = ["--explain", "--class", "2+", "--stage", "layer3", "--no-overlay"]
    outcome = her2viewer("score", "--he", pair.he, "--ihc", pair.ihc, "--out", out, *asked, *model)
    assert outcome.status == 0, outcome.err
    names = {path.name for path in out.iterdir()}
    stem = pair.case_id
    assert names == OWN | {f"{stem}.json", f"{stem}_explanation.json", f"{stem}_maps.npz"}
    document = ExplanationDocument.model_validate_json((out / f"{stem}_explanation.json").read_bytes())
    field = FieldPixels.whole(tissue(0, (256, 256)), tissue(1, (256, 256), "ihc"))
    evidence = random_scorer.score(field)
    attribution = random_scorer.attribution(evidence, MapRequest("2+", "layer3", METHOD_SHOWN_FIRST))
    trust = random_scorer.trust(evidence, attribution, pixels=field)
    assert document.trust.headline == trust.headline and document.trust.reasons == trust.reasons
    assert [check.passed for check in document.checks] == [one.passed for one in evidence.guard.examined]
    assert document.maps[0].peak == pytest.approx(attribution.peak, abs=1e-5)
    assert str(tmp_path) not in (out / f"{stem}_explanation.json").read_text(encoding="utf-8")


def test_an_ihc_alone_by_the_model_that_ships(her2viewer: Run, make_pairs: MakePairs, tmp_path: Path) -> None:
    (pair,) = make_pairs(1, (256, 256))
    alone = tmp_path / "S7_HER2.png"
    shutil.copy(pair.ihc, alone)
    out = tmp_path / "out"
    outcome = her2viewer("score", "--ihc", alone, "--out", out, "--overlay", "--device", "cpu")
    assert outcome.status == 0, outcome.err
    result = read_json(out / "S7.json")
    assert result.images.he is None and result.images.ihc.file == alone.name
    assert set(result.field) == {"ihc"}
    assert "the score rests on the IHC HER2 alone" in outcome.out
    (row,) = table(out)
    assert row["he_file"] == row["he_sha256"] == row["he_field_x"] == "" and row["ihc_file"] == alone.name
    assert (out / "S7_overlay.png").exists()
    again = her2viewer("score", "--ihc", alone, "--out", out, "--overlay", "--device", "cpu", "--resume")
    assert again.status == 0 and read_json(out / "S7.json") == result


def test_an_ihc_alone_and_a_model_that_needs_both(
    her2viewer: Run, make_pairs: MakePairs, model: list[object], tmp_path: Path
) -> None:
    (pair,) = make_pairs(1)
    outcome = her2viewer("score", "--ihc", pair.ihc, "--out", tmp_path / "out", *model)
    assert outcome.status == 1
    assert "this model needs the H&E image, and it is missing" in outcome.err + outcome.out
    (row,) = table(tmp_path / "out")
    assert "needs the H&E" in row["error"] and row["he_file"] == ""
    outcome = her2viewer("score", "--ihc", pair.ihc.parent, "--out", tmp_path / "out2", *model)
    assert outcome.status == 2 and "without their H&E" in outcome.err


@pytest.mark.usefixtures("loaded")
def test_pairs_are_matched_by_a_pattern(
    her2viewer: Run, make_pairs: MakePairs, model: list[object], tmp_path: Path
) -> None:
    pair = make_pairs(1)[0]
    odd = tmp_path / "odd"
    odd.mkdir()
    for stain, path in (("he", pair.he), ("ihc", pair.ihc)):
        shutil.copy(str(path), odd / f"P7 [{stain}] x.png")
    ask = ("score", odd, "--out", tmp_path / "out", *model)
    assert her2viewer(*ask).status == 2
    assert her2viewer(*ask, "--rule", "pattern").status == 2
    assert her2viewer(*ask, "--rule", "endings", "--pattern", "{case}{stain}").status == 2
    outcome = her2viewer(*ask, "--pattern", "{case} [{stain}]*")
    assert outcome.status == 0, outcome.err
    assert table(tmp_path / "out")[0]["case_id"] == "P7"
