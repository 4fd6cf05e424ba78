"""The window with the real scorer: on a package with random weights, and on real images where they and a model are here."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from her2viewer.cases.case import open_pair
from her2viewer.errors import ImageError, PackageError
from her2viewer.gui.app import App
from her2viewer.gui.bench import ModelWish
from her2viewer.gui.picture import window_picture
from her2viewer.gui.settings import Settings
from her2viewer.gui.state import ModelPhase, ScorePhase
from her2viewer.scoring.package import ModelPackage, bundled_package, write_package
from her2viewer.scoring.stains import Stain
from tests.scoring.conftest import manifest, random_network

from .conftest import opened


@pytest.fixture(scope="module")
def random_package(tmp_path_factory: pytest.TempPathFactory) -> ModelPackage:
    tensors = random_network().state_dict().items()
    arrays = {name: tensor.numpy() for name, tensor in tensors if tensor.is_floating_point()}
    return write_package(tmp_path_factory.mktemp("models") / "random", manifest(), arrays, "# Random weights\n")


def test_picture_of_the_window(qapp: QApplication, random_package: ModelPackage, pair, tmp_path: Path) -> None:
    out = tmp_path / "window.png"
    window_picture(out, pair, model=ModelWish(random_package.folder, "cpu"), size=(1280, 800))
    picture = cv2.imread(str(out))
    assert picture.shape == (800, 1280, 3)
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 1000
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["window.png"]


def test_picture_says_what_is_wrong(qapp: QApplication, random_package: ModelPackage, pair, tmp_path: Path) -> None:
    with pytest.raises(ImageError):
        window_picture(
            tmp_path / "w.png", (pair[0], tmp_path / "no.png"), model=ModelWish(random_package.folder, "cpu")
        )
    with pytest.raises(PackageError):
        window_picture(tmp_path / "w.png", pair, model=ModelWish(tmp_path, "cpu"))
    assert not (tmp_path / "w.png").exists()


def test_the_window_shows_the_scorers_numbers_on_a_real_pair(
    qtbot: QtBot, qapp: QApplication, settings: Settings, shared_data: Path
) -> None:
    try:
        package = bundled_package()
    except PackageError:
        pytest.skip("no model ships with this checkout yet")
    from her2viewer.scoring.scorer import Scorer

    pair = (shared_data / "bci/HE/test/00052_test_3+.png", shared_data / "bci/IHC/test/00052_test_3+.png")
    settings.model = ModelWish(None, "cpu")
    app = App(qapp, settings)
    app.start()
    qtbot.waitUntil(lambda: app.store.state.model.phase is ModelPhase.READY, timeout=60_000)
    opened(app, qtbot, pair)
    app.scoring.score()
    qtbot.waitUntil(lambda: app.store.state.scoring.phase is ScorePhase.SCORED, timeout=30_000)
    evidence = app.store.state.scoring.evidence
    assert evidence is not None
    with open_pair(*pair) as images:
        expected = Scorer.open(package, "cpu").score(images.read()).prediction
    assert evidence.prediction.probabilities == pytest.approx(expected.probabilities, abs=1e-5)
    app.set_map("2+", "layer3")
    qtbot.waitUntil(lambda: not app.store.state.drawn.pending, timeout=30_000)
    drawn = app.store.state.drawn.attribution
    assert drawn is not None and drawn.stage == "layer3"
    assert app.store.state.image(Stain.HE) is not None
    app.window.close()
