"""Bad input, one by one, through the real window: one clear sentence, nothing that stands is lost, the rest goes on."""

import math
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from her2viewer.cases.score_map import CellState
from her2viewer.cases.shape import Shape
from her2viewer.gui.app import App
from her2viewer.gui.controllers.exporting import ExportWish
from her2viewer.gui.pane.pyramid import DAMAGED
from her2viewer.gui.pane.viewpoint import Viewpoint
from her2viewer.gui.resolve.score import resolve_score
from her2viewer.gui.scale.resolution import resolve_mpp
from her2viewer.gui.state import ScorePhase
from her2viewer.imaging import slide_opening
from her2viewer.imaging.faults import Unreadable
from her2viewer.scoring.stains import Stain

from ..imaging import pictures
from ..imaging.slides import WRITERS, write_aperio_slide, write_slide
from ..imaging.test_tiled_tiff import spoil
from .conftest import opened
from .fields.conftest import Hand
from .scale.test_room import type_scale

SIZE = (4096, 3072)
TILE = 256
ACROSS = SIZE[0] // TILE


@pytest.fixture(scope="module")
def written_slides(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """(H&E, IHC): two slides of tiles, full of colour; no two tiles alike. The far view needs the smaller level alone."""
    folder, rng = tmp_path_factory.mktemp("slides"), np.random.default_rng(1)

    def made(name: str) -> Path:
        blocks = rng.integers(60, 240, (SIZE[1] // 64, SIZE[0] // 64, 3), np.uint8)
        picture = cv2.resize(blocks, SIZE, interpolation=cv2.INTER_NEAREST)
        return write_slide(folder / name, SIZE, levels=2, picture=picture)

    return made("S1_HE.tif"), made("S1_HER2.tif")


@pytest.fixture
def slides(written_slides: tuple[Path, Path], tmp_path: Path) -> tuple[Path, Path]:
    """Copies that may be spoilt."""
    he, ihc = (Path(shutil.copy(path, tmp_path)) for path in written_slides)
    return he, ihc


def said(app: App, qtbot: QtBot, words: str) -> str:
    """Waits for a message with these words; it is one clear sentence with its file."""
    qtbot.waitUntil(lambda: words in app.window.messages.text)
    text: str = app.window.messages.text
    assert "Traceback" not in text and "Error" not in text
    return text


def alive(app: App, qtbot: QtBot) -> None:
    """The window goes on: the pair that stands is scored again."""
    app.scoring.score()
    qtbot.waitUntil(lambda: app.store.state.scoring.phase is ScorePhase.SCORED)
    assert app.window.isVisible()


def truncated(folder: Path) -> Path:
    path = write_aperio_slide(folder / "bad.svs", SIZE)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path


def mrxs_alone(folder: Path) -> Path:
    path = folder / "bad.mrxs"
    path.write_bytes(pictures.encoded(pictures.tissue(), "JPEG"))
    return path


def vms_alone(folder: Path) -> Path:
    path = folder / "bad.vms"
    path.write_text("[Virtual Microscope Specimen]\nNoJpegColumns=1\nNoJpegRows=1\nImageFile=bad.jpg\n")
    return path


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (truncated, "bad.svs: the TIFF data are damaged, incomplete"),
        (mrxs_alone, 'bad.mrxs: the folder "bad" with the slide\'s data is missing'),
        (vms_alone, 'bad.vms: the file "bad.jpg" with the slide\'s data is missing'),
    ],
)
def test_a_slide_that_is_not_whole_is_refused_and_the_pair_stays(
    app: App, qtbot: QtBot, pair: tuple[Path, Path], tmp_path: Path, make: Callable[[Path], Path], words: str
) -> None:
    opened(app, qtbot, pair)
    app.images.open({Stain.IHC: make(tmp_path)})
    assert ";" in said(app, qtbot, words), "and what to do"
    assert tuple(image.source.path for image in app.store.state.pair or ()) == pair
    alive(app, qtbot)


def no_tiles_of_our_own(path: Path) -> Any:
    raise Unreadable("kept for OpenSlide", "")


@pytest.mark.parametrize("reader", ["own", "OpenSlide"])
def test_a_tile_that_fails_costs_itself_alone(
    app: App, qtbot: QtBot, slides: tuple[Path, Path], tmp_path: Path, reader: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    he, ihc = slides
    spoil(ihc, page=0, tile=2 * ACROSS + 3)
    if reader == "OpenSlide":
        monkeypatch.setattr(slide_opening, "TiledTiff", no_tiles_of_our_own)
    opened(app, qtbot, (he, ihc))
    hand = Hand(app, qtbot)
    app.window.panes[Stain.IHC].view.go(Viewpoint(3.5 * TILE, 2.5 * TILE, 1.0))
    text = said(app, qtbot, "S1_HER2.tif: a part of the slide is damaged")
    assert text.count("S1_HER2.tif") == 1, "said once"
    # A field on it says so and has no score; one beside it is scored.
    broken = hand.room.editor.add(Shape.rectangle(3 * TILE, 2 * TILE, TILE, TILE))
    assert broken is not None
    hand.room.scoring.score()
    qtbot.waitUntil(lambda: app.store.state.scoring.phase is ScorePhase.FAILED)
    assert "S1_HER2.tif: a part of the slide is damaged" in resolve_score(app.store.state).text
    whole = hand.room.editor.add(Shape.rectangle(0, 0, TILE, TILE))
    assert whole is not None
    hand.room.scoring.score()
    qtbot.waitUntil(lambda: hand.fields.annotations[whole.id].score is not None)
    assert hand.fields.annotations[broken.id].score is None
    # In a grid the same: one cell failed and says why, the others are scored.
    hand.room.editor.select(hand.add(2 * TILE, TILE, 3 * TILE, 3 * TILE).id)
    hand.grid(TILE)
    score_map = hand.grid_done()
    states = [score_map.state(index) for index in range(len(score_map.cells))]
    assert states.count(CellState.FAILED) == 1 and states.count(CellState.SCORED) == 8
    failed = score_map.outcomes[states.index(CellState.FAILED)]
    assert "a part of the slide is damaged" in getattr(failed, "reason", "")


def test_a_slide_whose_far_view_is_damaged_opens_with_what_can_be_read(
    app: App, qtbot: QtBot, slides: tuple[Path, Path]
) -> None:
    spoil(slides[1], page=1, tile=0)
    opened(app, qtbot, slides)
    said(app, qtbot, "S1_HER2.tif: a part of the slide is damaged")
    image = app.store.state.image(Stain.IHC)
    assert image is not None
    assert (image.overview[:200, :200] == DAMAGED).all() and not (image.overview[600:] == DAMAGED).all()
    app.scoring.score()
    qtbot.waitUntil(lambda: app.store.state.scoring.phase is ScorePhase.SCORED)


def test_a_slide_on_a_drive_that_vanishes(
    app: App, qtbot: QtBot, slides: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every read of the slide's file fails while it is open, and works again later, as with a drive that is plugged in again."""
    opened(app, qtbot, slides)
    source = app.store.state.pair[1].source  # type: ignore[index]
    stored = source._stored  # type: ignore[attr-defined]

    def gone(*_: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as away:
        away.setattr(stored, "read", gone)
        for x in (1000.0, 3000.0):
            app.window.panes[Stain.IHC].view.go(Viewpoint(x, 1500, 0.5))
        text = said(app, qtbot, "S1_HER2.tif: the slide cannot be read any more (Input/output error)")
        assert "check that its drive is connected" in text
        app.scoring.score()
        qtbot.waitUntil(lambda: app.store.state.scoring.phase is ScorePhase.FAILED)
        assert "cannot be read any more" in str(app.store.state.scoring.error)
    alive(app, qtbot)
    with monkeypatch.context() as away:
        away.setattr(stored, "read", gone)
        app.exporting.export(ExportWish(tmp_path / "out.png", tuple(Stain), True, True))
        said(app, qtbot, "cannot be read any more")
    assert not (tmp_path / "out.png").exists()
    alive(app, qtbot)


def test_a_slide_that_is_cut_short_while_it_is_open(
    app: App, qtbot: QtBot, slides: tuple[Path, Path], pair: tuple[Path, Path]
) -> None:
    opened(app, qtbot, slides)
    os.truncate(slides[1], 4096)
    app.scoring.score()
    qtbot.waitUntil(lambda: app.store.state.scoring.phase is ScorePhase.FAILED)
    assert "S1_HER2.tif" in str(app.store.state.scoring.error)
    opened(app, qtbot, pair)
    alive(app, qtbot)


@pytest.mark.parametrize("mpp", [0.0, 1e-9, 1e6, float("nan"), -0.25])
@pytest.mark.parametrize("kind", ["Aperio SVS", "OME-TIFF"])
def test_an_absurd_scale_in_a_file_is_no_scale(app: App, qtbot: QtBot, tmp_path: Path, kind: str, mpp: float) -> None:
    path = WRITERS[kind](tmp_path / "S1_HER2.tif", (1024, 768), mpp=mpp)
    app.images.open({Stain.IHC: path})
    qtbot.waitUntil(lambda: app.store.state.image(Stain.IHC) is not None)
    assert resolve_mpp(app.store.state, Stain.IHC) is None
    assert app.scale._links[Stain.IHC].text() in ("no scale known", "no scale")
    source = app.store.state.image(Stain.IHC).source  # type: ignore[union-attr]
    if not (kind == "Aperio SVS" and math.isnan(mpp)):  # OpenSlide passes that over as if nothing stood there
        assert source.notes == (f"the file says {mpp:.4g} micrometres per pixel, which cannot be",)
    type_scale(app, qtbot, "0.5", both=False)
    assert resolve_mpp(app.store.state, Stain.IHC).um == 0.5  # type: ignore[union-attr]


@pytest.mark.parametrize("text", ["0", "-0.25", "1e-9", "1e6", "nan", "inf", "half a micrometre", ""])
def test_an_absurd_scale_that_is_typed_is_refused_where_it_is_typed(
    app: App, qtbot: QtBot, pair: tuple[Path, Path], text: str
) -> None:
    opened(app, qtbot, pair)
    type_scale(app, qtbot, text)
    popover = app.scale.popover
    assert popover.isVisible() and not popover.trouble.isHidden()
    assert ";" in popover.trouble.text(), "and what to type"
    assert resolve_mpp(app.store.state, Stain.IHC) is None
    popover.dismiss()
    alive(app, qtbot)
