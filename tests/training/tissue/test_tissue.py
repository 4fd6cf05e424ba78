import csv
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from her2viewer.errors import PairError, UserError
from her2viewer.scoring.membrane.rule import CLASSES
from training.__main__ import app
from training.data.index import index_folder
from training.phantom.pair import make_phantom
from training.tissue.cells import find_cells
from training.tissue.restain import as_it_is, restained
from training.tissue.separation import Separated, background, density_of, separate, vectors_of
from training.tissue.writing import cores_of, write_tiles


def core(label: str, number: int, side: int = 512) -> np.ndarray:
    """A phantom's IHC on bare glass stands in for a core: (side + 200, side + 200, 3) uint8 RGB."""
    drawn = (make_phantom(3, k, side) for k in range(number, number + 60))
    phantom = next(one for one in drawn if one.label == label and (one.cells.tumour_id > 0).mean() > 0.4)
    out = np.empty((side + 200, side + 200, 3), np.uint8)
    out[:] = phantom.slide.ihc.white.astype(np.uint8)
    out[100:-100, 100:-100] = phantom.ihc
    return out


@pytest.fixture(scope="module")
def cores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cores")
    for grade, label in ((1, "1+"), (3, "3+")):
        cv2.imwrite(str(folder / f"{grade}_core.png"), core(label, grade)[..., ::-1])
    (folder / "notes.txt").write_text("not a core")
    return folder


def separated(image: np.ndarray) -> Separated:
    density = density_of(image, background(image))
    return separate(density, *vectors_of(density))


def test_a_mixture_is_taken_apart_into_what_was_mixed() -> None:
    rng = np.random.default_rng(0)
    h_vector, d_vector = (np.array(v, np.float32) / np.linalg.norm(v) for v in ((0.65, 0.63, 0.42), (0.3, 0.5, 0.8)))
    blue, brown = rng.uniform(0, 0.8, (2, 40, 40)).astype(np.float32)
    blue[:10], brown[10:20] = 0, 0
    found = separate(blue[..., None] * h_vector + brown[..., None] * d_vector, h_vector, d_vector)
    assert np.abs(found.haematoxylin - blue).max() < 1e-5 and np.abs(found.dab - brown).max() < 1e-5
    assert np.abs(found.rest).max() < 1e-5


def test_no_amount_is_negative_and_the_rest_makes_up_for_it() -> None:
    density = np.random.default_rng(1).uniform(0, 1, (30, 30, 3)).astype(np.float32)
    h_vector, d_vector = (np.array(v, np.float32) / np.linalg.norm(v) for v in ((0.65, 0.63, 0.42), (0.3, 0.5, 0.8)))
    found = separate(density, h_vector, d_vector)
    assert found.haematoxylin.min() >= 0 and found.dab.min() >= 0
    again = found.haematoxylin[..., None] * h_vector + found.dab[..., None] * d_vector + found.rest
    assert np.abs(again - density).max() < 1e-5


@pytest.mark.parametrize("white", [(178, 175, 170), (240, 239, 247), (255, 254, 252)])
def test_the_background_is_the_bare_glass(white: tuple[int, int, int]) -> None:
    image = np.full((200, 200, 3), white, np.uint8)
    image[50:150, 50:150] = (120, 90, 70)
    assert background(image) == pytest.approx(white, abs=1)


def test_the_vectors_of_both_stains_are_read_off_an_image_that_shows_them() -> None:
    phantom = make_phantom(3, next(k for k in range(40) if make_phantom(3, k, 512).label == "3+"), 512)
    density = density_of(phantom.ihc, phantom.slide.ihc.white)
    _, brown = vectors_of(density)
    assert float(brown @ phantom.slide.dab) > 0.98


def test_cells_share_the_tumour_out_among_them_without_overlap(cores: Path) -> None:
    image = cv2.imread(str(cores / "3_core.png"))
    assert image is not None
    cells = find_cells(np.random.default_rng(0), separated(np.ascontiguousarray(image[100:-100, 100:-100, ::-1])))
    assert len(cells.tumour) > 60
    assert set(np.unique(cells.tumour_id)) - {0} <= set(range(1, len(cells.tumour) + 1))
    assert (cells.tumour_id[cells.wall] > 0).all()
    area = np.bincount(cells.tumour_id.ravel())[1:]
    assert 100 < np.median(area[area > 0]) < 900  # px of 0.46 um: 5 to 16 um across


@pytest.mark.parametrize("source", ["1_core.png", "3_core.png"])
def test_restaining_gives_the_brown_of_its_label_whatever_the_core_had(cores: Path, source: str) -> None:
    image = cv2.imread(str(cores / source))
    assert image is not None
    stains = separated(np.ascontiguousarray(image[100:-100, 100:-100, ::-1]))
    brown = {}
    for target in CLASSES:
        made = restained(np.random.default_rng(4), stains, target)
        assert made is not None and made.label in CLASSES
        density = density_of(made.ihc, np.percentile(made.ihc.reshape(-1, 3), 98, axis=0).astype(np.float32))
        brown[made.label] = float(np.percentile((density[..., 2] - density[..., 0]), 97))
        assert made.he.shape == made.ihc.shape == (512, 512, 3)
    # 0 and 1+ differ by less than tissue does; the others must not.
    assert brown["3+"] > 1.3 * brown["2+"] > 1.3 * max(brown.get("0", 0), brown.get("1+", 0))


def test_a_tile_left_as_it_is_keeps_its_brown(cores: Path) -> None:
    for name, low, high in (("3_core.png", 0.25, 2.0), ("1_core.png", 0.0, 0.25)):
        image = cv2.imread(str(cores / name))
        assert image is not None
        stains = separated(np.ascontiguousarray(image[100:-100, 100:-100, ::-1]))
        he, ihc = as_it_is(np.random.default_rng(0), stains)
        density = density_of(ihc, np.percentile(ihc.reshape(-1, 3), 98, axis=0).astype(np.float32))
        assert low < np.percentile(density[..., 2] - density[..., 0], 97) < high
        # The rendered H&E is pink: green is taken away most.
        mean = he.reshape(-1, 3).mean(axis=0)
        assert mean[1] < mean[0] and mean[1] < mean[2]


def test_tiles_are_written_with_their_core_and_the_same_again(cores: Path, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        done = list(
            write_tiles(cores_of(cores), tmp_path / folder, count=8, seed=1, mpp=0.7, test_cores=["3_"], workers=1)
        )
    with (tmp_path / "a" / "manifest.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(done) >= 6
    assert {row["group"] for row in rows if row["split"] == "test"} == {"3_core"}
    assert {row["group"] for row in rows if row["split"] == "train"} == {"1_core"}
    for row in rows:
        assert (tmp_path / "a" / row["he"]).read_bytes() == (tmp_path / "b" / row["he"]).read_bytes()
        assert (tmp_path / "a" / row["ihc"]).read_bytes() == (tmp_path / "b" / row["ihc"]).read_bytes()
    found = index_folder(tmp_path / "a")
    assert {pair.label for pair in found.pairs} == {row["label"] for row in rows} and not found.refused


def test_a_folder_without_cores_and_an_unknown_test_core_are_said(cores: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["tissue", str(tmp_path), "--out", str(tmp_path / "out")])
    assert isinstance(result.exception, PairError)
    with pytest.raises(UserError, match="no core's name begins with '9_'"):
        list(write_tiles(cores_of(cores), tmp_path / "out", count=2, seed=1, mpp=0.5, test_cores=["9_"]))
