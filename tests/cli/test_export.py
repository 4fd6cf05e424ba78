import json
from pathlib import Path

import pytest
from fhir.resources.R4B.observation import Observation

from her2viewer.cases.log import ActionLog
from her2viewer.scoring.package import ModelPackage
from tests.cli.conftest import Run

CASES = ("00000_train_0", "00001_train_1+")


def test_observations_a_file_each(her2viewer: Run, explained: Path, tmp_path: Path) -> None:
    outcome = her2viewer("export", explained, "--fhir", tmp_path / "fhir")
    assert outcome.status == 0 and "2 FHIR Observations" in outcome.out
    names = {path.name for path in (tmp_path / "fhir").iterdir()}
    assert names == {f"{case}.fhir.json" for case in CASES}
    for case in CASES:
        read = Observation.model_validate_json((tmp_path / "fhir" / f"{case}.fhir.json").read_bytes())
        result = json.loads((explained / f"{case}.json").read_text())
        assert read.identifier[0].value == case and read.subject is None
        answer = read.valueCodeableConcept
        assert (answer.coding[0].code == "LA11884-6") == (result["no_call"] is not None)
    kinds = [entry.kind for entry in ActionLog(explained / "results.log.jsonl").entries()]
    assert kinds.count("export") == 2 and her2viewer("verify", explained).status == 0


def test_observations_as_lines_and_of_whom(her2viewer: Run, explained: Path, tmp_path: Path) -> None:
    lines = tmp_path / "all.ndjson"
    assert her2viewer("export", explained, "--fhir", lines).status == 0
    assert [Observation.model_validate_json(line).status for line in lines.read_text().splitlines()] == ["preliminary"] * 2
    again = her2viewer("export", explained, "--fhir", lines)
    assert again.status == 2 and "is there already" in again.err
    one = ["--case", CASES[1], "--subject", "P-7", "--replace"]
    assert her2viewer("export", explained, "--fhir", lines, *one).status == 0
    (line,) = lines.read_text().splitlines()
    assert Observation.model_validate_json(line).subject.identifier.value == "P-7"


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ([], "say what to write"),
        (["--fhir", "OUT", "--subject", "P"], "--subject goes with"),
        (["--fhir", "OUT", "--case", "nobody"], "there is no case 'nobody'"),
        (["--bundle", "OUT"], "is not the one that scored"),
    ],
)
def test_what_cannot_be_exported_is_said(
    asked: list[str], words: str, her2viewer: Run, explained: Path, tmp_path: Path
) -> None:
    outcome = her2viewer("export", explained, *(str(tmp_path / "out") if word == "OUT" else word for word in asked))
    assert outcome.status == 2 and words in " ".join(outcome.err.split())


def test_a_folder_without_results_is_said(her2viewer: Run, tmp_path: Path) -> None:
    outcome = her2viewer("export", tmp_path, "--fhir", tmp_path / "out")
    assert outcome.status == 2 and "there are no results in this folder" in outcome.err
    assert list(tmp_path.iterdir()) == []


def test_bundles_of_all_cases_and_one_that_is_in_the_way(
    her2viewer: Run, explained: Path, random_package: ModelPackage, tmp_path: Path
) -> None:
    asked = ["export", explained, "--bundle", tmp_path / "out", "--model", random_package.folder]
    assert her2viewer(*asked).status == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == {f"{case}_evidence.zip" for case in CASES}
    outcome = her2viewer(*asked)
    assert outcome.status == 2 and "is there already" in outcome.err
    assert her2viewer(*asked, "--replace").status == 0
