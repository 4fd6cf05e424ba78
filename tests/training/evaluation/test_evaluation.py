"""From labelled files to JSON and report, with a scorer that reads the brown off the IHC."""

import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from her2viewer.errors import UserError
from her2viewer.resources import resource
from her2viewer.scoring.confidence import calibrated
from her2viewer.scoring.evidence import FieldPixels
from her2viewer.scoring.package import Calibration, Conformal, open_package
from her2viewer.scoring.prediction import Prediction
from her2viewer.scoring.preprocess import InputLayout
from her2viewer.scoring.scorer import Scorer
from her2viewer.scoring.stains import Stain
from training.__main__ import app
from training.data.index import CLASSES, index_folder
from training.evaluation.evaluation import Evaluation, document, evaluate, read_evaluation, write_evaluation
from training.evaluation.outcome import orientations, predict
from training.evaluation.report import report, write_report

BUNDLED = sorted(resource("models").glob("*/model.json"))[0].parent


class BrownScorer:
    """Says a class by the mean blue of the IHC's upper half, off by one grade for every third field."""

    device_title = "CPU"

    def __init__(self, order: tuple[Stain, ...] = (Stain.IHC, Stain.HE), broken: int = -1) -> None:
        calibration = Calibration(temperature=0.5, conformal=Conformal(level=0.9, quantile=0.8, fields=20))
        manifest = open_package(BUNDLED).manifest.model_copy(
            update={"input": InputLayout(order=order), "calibration": calibration}
        )
        self.package = SimpleNamespace(manifest=manifest)
        self.seen: list[int] = []
        self._broken = broken

    def score_batch(self, fields: Sequence[FieldPixels]) -> list[SimpleNamespace]:
        self.seen.append(len(fields))
        return [SimpleNamespace(prediction=self._prediction(field)) for field in fields]

    def _prediction(self, field: FieldPixels) -> Prediction:
        ihc = field.pixels[Stain.IHC]
        brown = (235 - ihc[: len(ihc) // 2, :, 2].mean()) / 235 / 0.375 * 3
        logits = -((np.arange(4) - brown - (len(self.seen) % 3 == 0)) ** 2)
        p = calibrated(logits.astype(np.float32), 0.5)
        if len(self.seen) - 1 == self._broken:
            p[:] = np.nan
        return Prediction(
            CLASSES[int(p.argmax())], CLASSES, tuple(p.tolist()), (), None, (), self.package.manifest.identity, "CPU",
            "fp32", 0.0,
        )  # fmt: skip


def measured(root: Path, scorer: BrownScorer | None = None, **options: object) -> Evaluation:
    pairs = index_folder(root).of("test")
    return evaluate(scorer or BrownScorer(), pairs, "squares, test", base=root, split="test", resamples=50, **options)


def test_each_field_has_a_row_and_no_path_leads_out(bci: Path, tmp_path: Path) -> None:
    scorer = BrownScorer()
    made = measured(bci, scorer)
    assert scorer.seen == [1] * 8
    write_evaluation(made, tmp_path / "out" / "evaluation.json")
    write_report(made, tmp_path / "out" / "report.html")
    text = (tmp_path / "out" / "evaluation.json").read_text(encoding="utf-8")
    assert str(bci.parent) not in text + (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    found = json.loads(text)
    assert found["schema"] == "her2viewer.evaluation/1"
    assert found["data"]["labels"] == {"0": 2, "1+": 2, "2+": 2, "3+": 2}
    assert len(found["rows"]) == 8
    row = found["rows"][0]
    assert row["ihc"] == f"IHC/test/{row['case_id']}.png"
    assert sum(row["probabilities"].values()) == pytest.approx(1)
    hits = [row["label"] == row["said"] for row in found["rows"]]
    assert 0 < sum(hits) < 8
    assert found["figures"]["exact"]["value"] == pytest.approx(np.mean(hits))
    assert found["baseline"]["exact"]["value"] is not None
    assert [row["baseline"]["said"] for row in found["rows"]].count(None) == 0
    assert np.array(found["confusion"]).sum() == 8


def test_orientations_turn_both_stains_together() -> None:
    image = np.arange(40 * 48 * 3, dtype=np.uint32).reshape(40, 48, 3).astype(np.uint8)
    views = orientations(FieldPixels.whole(image, image))
    assert len(views) == 8
    assert len({view.pixels[Stain.IHC].tobytes() + bytes(view.pixels[Stain.IHC].shape[:1]) for view in views}) == 8
    assert all(np.array_equal(view.pixels[Stain.HE], view.pixels[Stain.IHC]) for view in views)
    assert np.array_equal(views[0].pixels[Stain.HE], image)
    assert {(view.fields[Stain.HE].width, view.fields[Stain.HE].height) for view in views} == {(48, 40), (40, 48)}


def test_flips_stand_beside_the_plain_figures(bci: Path) -> None:
    scorer = BrownScorer()
    made = measured(bci, scorer, flips=True)
    assert scorer.seen == [8] * 8
    plain = measured(bci)
    assert np.array_equal(made.outcome.probabilities, plain.outcome.probabilities)
    assert not np.allclose(made.flipped.probabilities, made.outcome.probabilities, atol=1e-6)
    assert document(made)["flips"]["exact"]["value"] is not None
    assert "eight orientations" in report(made)


def test_files_named_by_a_stranger_are_text(bci: Path) -> None:
    made = measured(bci)
    evil = "<script>alert(1)</script><img src=//x>"
    pairs = tuple(replace(pair, case_id=evil) for pair in made.pairs)
    page = report(replace(made, pairs=pairs, outcome=replace(made.outcome, dataset=evil)))
    assert "<script" not in page
    assert "<img src=//x" not in page
    assert "&lt;script&gt;" in page


class Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.sources: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.ids += [found["id"]] if found.get("id") else []
        self.sources += [found[name] or "" for name in ("src", "href", "xlink:href") if name in found]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_the_page_needs_nothing_else(bci: Path) -> None:
    text = report(measured(bci, flips=True))
    page = Page()
    page.feed(text)
    assert page.sources
    assert all(source.startswith(("data:image/jpeg;base64,", "#")) for source in page.sources)
    assert len(page.ids) == len(set(page.ids))
    assert not re.search(r"#0[1-4]0[1-4]0[1-4]", text)  # every stand-in became a colour of the page
    assert "nan" not in " ".join(page.words).lower().split()
    assert "For Research Use Only" in text
    assert "One field is never a case." in text


@pytest.mark.parametrize("kept", [["100_test_0"], ["100_test_0", "104_test_0"]])
def test_little_data_makes_a_report_in_words(bci: Path, tmp_path: Path, kept: list[str]) -> None:
    for path in bci.glob("*/test/*.png"):
        if any(name in path.name for name in kept):
            target = tmp_path / path.relative_to(bci)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    made = measured(tmp_path)
    page = report(made)
    assert "No field is labelled 1+ or 2+ or 3+" in page
    assert "fewer than 5 fields" in page
    json.dumps(document(made), allow_nan=False)


def test_a_field_without_numbers_is_counted_and_not_shown(bci: Path) -> None:
    made = measured(bci, BrownScorer(broken=2))
    found = document(made)
    assert found["rows"][2]["said"] is None
    assert found["rows"][2]["probabilities"] is None
    assert np.array(found["confusion"]).sum() == 7
    json.dumps(found, allow_nan=False)
    assert "1 of 8 fields got no finite probabilities" in report(made)
    every = replace(made.outcome, probabilities=np.full((8, 4), np.nan))
    assert "nothing" in report(replace(made, outcome=every, figures=measured_nothing(made))).lower()


def measured_nothing(made: Evaluation) -> object:
    from training.evaluation.figures import figures_of

    return figures_of(replace(made.outcome, probabilities=np.full((8, 4), np.nan)), resamples=20)


def test_one_stain_alone(bci: Path, tmp_path: Path) -> None:
    for path in (bci / "IHC" / "test").iterdir():
        shutil.copy(path, tmp_path / path.name)
    pairs = index_folder(tmp_path, stain=Stain.IHC).of("test")
    made = evaluate(
        BrownScorer((Stain.IHC,)), pairs, "squares", base=tmp_path, split="test", stain=Stain.IHC, resamples=20
    )
    assert document(made)["data"]["stain"] == "ihc"
    assert "IHC HER2 alone" in report(made)
    with pytest.raises(UserError, match="needs the H&E image"):
        predict(BrownScorer(), pairs, "squares")


def test_against_another_evaluation(bci: Path, tmp_path: Path) -> None:
    first = tmp_path / "first.json"
    write_evaluation(measured(bci), first)
    made = measured(bci, BrownScorer(), against=first)
    assert made.comparison.p_value == 1
    assert "McNemar" in report(made)
    assert document(made)["against"]["fields"] == 8
    other = read_evaluation(first)
    other["rows"].pop()
    first.write_text(json.dumps(other), encoding="utf-8")
    with pytest.raises(UserError, match="7 of 8 are in both"):
        measured(bci, against=first)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": "her2viewer.evaluation/1", "model": {}, "rows": [{}]}'])
def test_another_file_is_refused_before_anything_is_scored(bci: Path, tmp_path: Path, text: str) -> None:
    path = tmp_path / "other.json"
    path.write_text(text, encoding="utf-8")
    scorer = BrownScorer()
    with pytest.raises(UserError, match="not the JSON of an evaluation"):
        measured(bci, scorer, against=path)
    assert scorer.seen == []


def test_orientations_through_the_real_network(tmp_path: Path) -> None:
    """A field that looks the same in all orientations scores the same with and without them."""
    ring = np.hypot(*(np.mgrid[:129, :129] - 64))
    image = np.clip(120 + ring[..., None] * np.array([1.0, 0.8, 1.2]), 0, 255).astype(np.uint8)
    for stain, shade in (("HE", image), ("IHC", 255 - image // 2)):
        folder = tmp_path / stain / "test"
        folder.mkdir(parents=True)
        Image.fromarray(shade).save(folder / "00000_test_1+.png")
    scorer, pairs = Scorer.open(open_package(BUNDLED), "cpu"), index_folder(tmp_path).of("test")
    plain, flipped = predict(scorer, pairs, "ring"), predict(scorer, pairs, "ring", flips=True)
    assert flipped.probabilities == pytest.approx(plain.probabilities, abs=1e-5)


def test_command(bci: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["evaluate", str(BUNDLED), str(bci), "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    assert "colour alone" in done.output
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"evaluation.json", "report.html"}
    assert CliRunner().invoke(app, ["evaluate", str(BUNDLED), str(bci), "--split", "valid"]).exit_code == 2
