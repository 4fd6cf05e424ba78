"""What a file says of itself, in the real window: the label only when it is asked for."""

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from her2viewer.errors import ImageError
from her2viewer.gui.app import App
from her2viewer.gui.cases.information import PRIVACY, facts
from her2viewer.imaging.flat import FlatImage
from her2viewer.imaging.source import PixelSize
from her2viewer.scoring.stains import Stain
from tests.imaging.slides import write_aperio_slide

from ..conftest import opened

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def slides(app: App, qtbot: QtBot, tmp_path: Path) -> App:
    files = [
        write_aperio_slide(tmp_path / f"S1_{end}.svs", (2048, 1536), seed=i) for i, end in enumerate(("HE", "HER2"))
    ]
    opened(app, qtbot, (files[0], files[1]))
    return app


def said(app: App) -> dict[str, str]:
    return {name.text(): value.text() for name, value in app.information.popover._rows._rows}


def test_a_slide_says_where_it_comes_from(slides: App, qtbot: QtBot) -> None:
    qtbot.mouseClick(slides.information._buttons[Stain.IHC], LEFT)
    rows = said(slides)
    assert rows["File"] == "S1_HER2.svs" and rows["Size"].startswith("2,048 x 1,536 px")
    assert rows["Objective power"] == "20" and rows["Scanner"] == "SS1234"
    assert rows["Pixel size"] == "0.5 µm (Aperio SVS)"
    assert slides.window.rect().contains(slides.information.popover.geometry())


def test_the_label_is_shown_only_when_it_is_asked_for(slides: App, qtbot: QtBot) -> None:
    popover = slides.information.popover
    qtbot.mouseClick(slides.information._buttons[Stain.HE], LEFT)
    assert popover._privacy.text() == PRIVACY and popover._privacy.isVisible()
    assert popover._pictures.count() == 0
    qtbot.mouseClick(popover.ask, LEFT)
    qtbot.waitUntil(lambda: popover._pictures.count() > 0)
    names = [popover._pictures.itemAt(place).widget().text() for place in range(0, popover._pictures.count(), 2)]
    assert names[0] == "label" and set(names) == {"label", "macro", "thumbnail"}
    popover.dismiss()
    qtbot.mouseClick(slides.information._buttons[Stain.HE], LEFT)
    assert popover._pictures.count() == 0, "hidden again the next time"


def test_a_plain_picture_has_no_label(app: App, qtbot: QtBot, pair: tuple[Path, Path]) -> None:
    opened(app, qtbot, pair)
    qtbot.keyClick(app.window, Qt.Key.Key_I)
    assert said(app)["Pixel size"] == "not known" and said(app)["Format"] == "PNG"
    assert app.information.popover.ask.isHidden() and app.information.popover._privacy.isHidden()
    qtbot.keyClick(app.window, Qt.Key.Key_I)
    assert app.information.popover.isHidden()


def test_a_damaged_label_is_said(slides: App, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: object, name: str) -> None:
        raise ImageError(f"the picture '{name}' is damaged", path="S1_HE.svs", remedy="copy the slide again")

    image = slides.store.state.image(Stain.HE)
    assert image is not None
    monkeypatch.setattr(type(image.source), "associated_image", refuse)
    popover = slides.information.popover
    qtbot.mouseClick(slides.information._buttons[Stain.HE], LEFT)
    qtbot.mouseClick(popover.ask, LEFT)
    qtbot.waitUntil(lambda: popover._pictures.count() == 1)
    assert "is damaged; copy the slide again" in popover._pictures.itemAt(0).widget().text()


def test_a_thousand_properties_and_a_long_one_are_cut() -> None:
    source = FlatImage(Path("x"), np.zeros((2, 2, 3), np.uint8), kind="PNG", sha256="0" * 64)
    source.properties = {f"p{number}": "v" * 1000 for number in range(1000)}
    rows = facts(source, PixelSize(0.25, "test"))
    assert len(rows) <= 301 and rows[-1][1].endswith("more")
    assert max(len(value) for _, value in rows) <= 403
