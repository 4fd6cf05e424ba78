"""The window in use, with the bundled model on phantoms: what the user guide shows of it is photographed here."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from her2viewer.gui.actions.ids import ActionId
from her2viewer.gui.app import App
from her2viewer.gui.cases.cases import CaseStatus
from her2viewer.gui.cases.shown import resolve_cases
from her2viewer.gui.frame.docks import Panel
from her2viewer.gui.frame.hints import HINTS
from her2viewer.gui.settings import Settings
from her2viewer.gui.state import ModelPhase, ScorePhase
from her2viewer.gui.theme import ThemeChoice
from her2viewer.scoring.stains import Stain
from tests.imaging.slides import write_aperio_slide
from training.phantom.pair import MPP, make_phantom

from ..conftest import opened, write
from ..guide import Photograph

Key = Qt.Key
LEFT = Qt.MouseButton.LeftButton
SEED = 7


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Path:
    """Six phantom pairs in BCI's layout; small where no picture is kept."""
    root = tmp_path_factory.mktemp("guide") / "phantoms"
    for index in range(6):
        phantom = make_phantom(SEED, index, 1024 if pytestconfig.getoption("--guide") else 384)
        for folder, image in (("HE", phantom.he), ("IHC", phantom.ihc)):
            write(root / folder / f"{index:05}_train_{phantom.label}.png", image)
    (root / "IHC" / "00004.txt").write_text("no image")
    return root


@pytest.fixture
def real(qtbot: QtBot, qapp: QApplication, settings: Settings, phantoms: Path) -> Iterator[App]:
    """The whole app with its own model, a window of 1440 x 900, and the phantoms listed."""
    settings.hints_gone = [hint.id for hint in HINTS]
    settings.theme = ThemeChoice.LIGHT
    app = App(qapp, settings)
    app.window.resize(1440, 900)
    app.start()
    qtbot.waitUntil(lambda: app.store.state.model.phase is ModelPhase.READY)
    app.cases.open_folder(phantoms)
    qtbot.waitUntil(lambda: app.store.state.pair is not None)
    yield app
    app.window.close()


def score(app: App, qtbot: QtBot) -> None:
    qtbot.keyClick(app.window, Key.Key_S)
    qtbot.waitUntil(lambda: app.store.state.scoring.phase is ScorePhase.SCORED)
    qtbot.waitUntil(lambda: app.store.state.drawn.attribution is not None)
    settled(app, qtbot)


def settled(app: App, qtbot: QtBot) -> None:
    """Nothing is read any more and everything that is seen is there."""
    views = [pane.view for pane in app.window.panes.values()]
    QApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)
    qtbot.waitUntil(lambda: not app.lanes.files.busy and all(view.mosaic.settled for view in views))


def page(app: App, qtbot: QtBot) -> None:
    before = app.store.state.pair
    qtbot.keyClick(app.window, Key.Key_J)
    qtbot.waitUntil(lambda: app.store.state.pair != before)
    settled(app, qtbot)


def test_cases_paged_and_scored(real: App, qtbot: QtBot, phantoms: Path, guide_picture: Photograph) -> None:
    for _ in range(3):
        score(real, qtbot)
        page(real, qtbot)
    score(real, qtbot)
    broken = phantoms / "IHC" / "00005_train_broken.png"
    (phantoms / "HE" / broken.name).write_bytes((phantoms / "IHC" / "00004.txt").read_bytes())
    broken.write_bytes(b"no image")
    real.cases.open_folder(phantoms)
    qtbot.waitUntil(lambda: len(real.store.state.cases.pairs) == 7)
    rows = resolve_cases(real.store.state).rows
    qtbot.waitUntil(lambda: real.store.state.cases.outcome(rows[-1].pair).status is CaseStatus.FAILED)
    settled(real, qtbot)
    picture = guide_picture(real.window, "cases")
    assert (picture.width(), picture.height()) == (1440, 900)
    states = [row.state.split()[0] for row in resolve_cases(real.store.state).rows]
    assert states.count("scored") + states.count("no") == 4 and states[-1].startswith("failed")
    broken.unlink()
    (phantoms / "HE" / broken.name).unlink()


def test_the_pixel_size_typed_and_membranes_measured(real: App, qtbot: QtBot, guide_picture: Photograph) -> None:
    settled(real, qtbot)
    popover = real.scale.popover
    qtbot.mouseClick(real.scale._links[Stain.IHC], LEFT)
    qtbot.keyClicks(popover.line, "0,0001")
    qtbot.keyClick(popover.line, Key.Key_Return)
    assert "finer than light shows" in popover.trouble.text()
    guide_picture(real.window, "pixel-size")
    qtbot.keyClicks(popover.line, str(MPP))
    qtbot.keyClick(popover.line, Key.Key_Return)
    assert popover.isHidden()
    real.window.actions_[ActionId.RULE_1].trigger()
    assert real.window.status_line._zoom == "40x"
    real.window.zoom_by(4)
    view = real.window.panes[Stain.IHC].view
    real.scale.set_ruler(on=True)
    settled(real, qtbot)
    for start, end in ((QPoint(120, 300), QPoint(300, 360)), (QPoint(200, 480), QPoint(246, 480))):
        qtbot.mousePress(view.viewport(), LEFT, pos=start)
        qtbot.mouseMove(view.viewport(), end)
        qtbot.mouseRelease(view.viewport(), LEFT, pos=end)
    image = real.store.state.image(Stain.IHC)
    assert image is not None and len(real.scale.rulers.of(image.source)) == 2
    guide_picture(real.window, "ruler")


def test_full_screen_with_the_tissue_alone(real: App, qtbot: QtBot, guide_picture: Photograph) -> None:
    score(real, qtbot)
    qtbot.keyClick(real.window, Key.Key_F11)
    screen = real.window.screen().size()
    qtbot.waitUntil(lambda: real.window.size() == screen)
    qtbot.keyClick(real.window, Key.Key_F11, Qt.KeyboardModifier.ShiftModifier)
    real.window.resize(1440, 900)
    qtbot.waitUntil(lambda: real.window.body.width() == 1440)
    settled(real, qtbot)
    assert not real.window.docks.is_shown(Panel.CASES) and real.window.tool_bar.isHidden()
    guide_picture(real.window, "full-screen")
    qtbot.keyClick(real.window, Key.Key_Escape)
    assert real.window.docks.is_shown(Panel.CASES)


def test_dark(real: App, qtbot: QtBot, guide_picture: Photograph) -> None:
    score(real, qtbot)
    page(real, qtbot)
    score(real, qtbot)
    real.choose_theme(ThemeChoice.DARK)
    button = real.window.explain_panel.findChild(QPushButton, "class_0")
    qtbot.waitUntil(lambda: button.height() >= button.sizeHint().height())
    guide_picture(real.window, "dark")
    real.choose_theme(ThemeChoice.LIGHT)


def test_a_command_found_by_its_purpose(real: App, qtbot: QtBot, guide_picture: Photograph) -> None:
    settled(real, qtbot)
    qtbot.keyClick(real.window, Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    search = real.window.command_search
    qtbot.keyClicks(search.line, "membrane")
    assert search.list.count() >= 4
    guide_picture(search, "command-search")


def test_what_a_slide_says_of_itself(
    real: App, qtbot: QtBot, tmp_path: Path, phantoms: Path, guide_picture: Photograph
) -> None:
    phantom = make_phantom(SEED, 1, 384)
    he = write_aperio_slide(tmp_path / "S26-1_HE.svs", (6000, 4000), mpp=0.5, picture=phantom.he)
    ihc = write_aperio_slide(tmp_path / "S26-1_HER2.svs", (6000, 4000), mpp=0.5, picture=phantom.ihc)
    opened(real, qtbot, (he, ihc))
    settled(real, qtbot)
    qtbot.keyClick(real.window, Key.Key_I)
    popover = real.information.popover
    rows = {name.text(): value.text() for name, value in popover._rows._rows}
    assert rows["Pixel size"].startswith("0.5 µm") and rows["Objective power"] == "20"
    assert popover._privacy.isVisible() and popover._pictures.count() == 0, "no label before it is asked for"
    qtbot.mouseClick(popover.ask, LEFT)
    qtbot.waitUntil(lambda: popover._pictures.count() >= 4)
    qtbot.waitUntil(lambda: popover._pictures.itemAt(1).widget().visibleRegion().boundingRect().height() > 40)
    guide_picture(real.window, "image-information")
    real.window.actions_[ActionId.IMAGE_INFORMATION].trigger()
    qtbot.waitUntil(popover.isHidden)
    assert real.window.actions_[ActionId.OBJECTIVE_10].isEnabled(), "the slide knows its scale"
