"""The figures that compare phantoms with real fields: zero for the same fields, larger the further the colours lie apart."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from her2viewer.errors import UserError
from training.__main__ import app
from training.phantom.matching import CHANNELS, Look, compared, compared_with, look_of, real_fields
from training.phantom.pair import SIDE, Phantom


def look(image: np.ndarray) -> Look:
    found = look_of(image)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, phantoms: dict[int, Phantom]) -> Path:
    out = tmp_path_factory.mktemp("real")
    for stain in ("HE", "IHC"):
        (out / stain / "train").mkdir(parents=True)
        for index in (0, 2):
            picture = phantoms[index].he if stain == "HE" else phantoms[index].ihc
            whole = np.tile(picture, (2, 2, 1))
            cv2.imwrite(str(out / stain / "train" / f"{index}.png"), whole[..., ::-1])
    return out


def test_the_same_fields_lie_at_no_distance(phantoms: dict[int, Phantom]) -> None:
    looks = [look(phantoms[index].he) for index in range(4)]
    assert set(compared(looks, looks)["distance"].values()) == {0.0}


def test_a_denser_stain_lies_apart_by_its_density(phantoms: dict[int, Phantom]) -> None:
    one = look(phantoms[0].he)
    darker = type(one)(one.density + np.float32(0.1), one.spectrum)
    distance = compared([one], [darker])["distance"]
    for channel in CHANNELS:
        assert distance[f"density {channel}"] == pytest.approx(0.1, abs=1e-3)
    assert distance["spectrum"] == 0


def test_blur_changes_the_spectrum_alone(phantoms: dict[int, Phantom]) -> None:
    sharp = phantoms[1].he
    found = compared([look(sharp)], [look(cv2.GaussianBlur(sharp, (0, 0), 3))])
    assert found["distance"]["spectrum"] > 0.5
    assert found["distance"]["density total"] < 0.05


def test_bare_glass_has_no_look() -> None:
    assert look_of(np.full((SIDE, SIDE, 3), 240, np.uint8)) is None


def test_a_folder_in_bci_layout(folder: Path) -> None:
    found = real_fields(folder)
    assert {stain: len(fields) for stain, fields in found.items()} == {"HE": 2, "IHC": 2}
    assert found["HE"][0].shape == (SIDE, SIDE, 3)
    assert {stain: len(fields) for stain, fields in real_fields(folder / "IHC").items()} == {"IHC": 2}


def test_a_large_image_gives_fields_that_do_not_overlap(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    cv2.imwrite(str(tmp_path / "core.png"), rng.integers(60, 250, (2 * SIDE, 2 * SIDE, 3), np.uint8))
    fields = real_fields(tmp_path)["IHC"]
    assert 1 <= len(fields) <= 4
    assert len({field.tobytes() for field in fields}) == len(fields)


def test_nothing_to_compare_with(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="BCI layout"):
        compared_with(tmp_path, seed=0, count=1)


def test_from_the_command_line(folder: Path, tmp_path: Path) -> None:
    sheet, figures = tmp_path / "sheet.jpg", tmp_path / "figures.json"
    words = ["phantom", "--count", "1", "--sheet", str(sheet), "--beside", str(folder), "--match", str(folder)]
    result = CliRunner().invoke(app, [*words, "--json", str(figures)])
    assert result.exit_code == 0, result.output
    picture = cv2.imread(str(sheet))
    assert picture is not None
    assert picture.shape[1] > 4 * 500  # H&E and IHC, drawn and real
    found = json.loads(figures.read_text())
    assert set(found["stains"]) == {"HE", "IHC"}
    assert all(figure >= 0 for figure in found["stains"]["HE"]["distance"].values())


def test_a_sheet_that_cannot_be_written(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["phantom", "--count", "1", "--sheet", str(tmp_path / "none" / "sheet.jpg")])
    assert isinstance(result.exception, UserError)
    assert "sheet" in str(result.exception)
