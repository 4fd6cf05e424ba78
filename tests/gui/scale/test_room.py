"""The scale in the real window: typed, refused, remembered, looked through, matched, measured, written."""

import json
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from her2viewer.gui.actions.ids import ActionId
from her2viewer.gui.app import App
from her2viewer.gui.pane.tissue_view import TissueView
from her2viewer.gui.pane.viewpoint import Viewpoint
from her2viewer.gui.scale.resolution import resolve_mpp
from her2viewer.gui.scale.room import scale_reasons
from her2viewer.gui.settings import Settings
from her2viewer.gui.state import State
from her2viewer.scoring.stains import Stain

from ..conftest import AppMaker, opened, tissue
from ..test_pane import pixels_of

LEFT = Qt.MouseButton.LeftButton
Key = Qt.Key


def type_scale(app: App, qtbot: QtBot, text: str, *, both: bool = True, stain: Stain = Stain.IHC) -> None:
    """By the header's link, as a user does."""
    qtbot.mouseClick(app.scale._links[stain], LEFT)
    popover = app.scale.popover
    assert popover.isVisible()
    popover.both.setChecked(both)
    popover.line.clear()
    qtbot.keyClicks(popover.line, text)
    qtbot.keyClick(popover.line, Key.Key_Return)


def drag(qtbot: QtBot, view: TissueView, start: QPoint, end: QPoint) -> None:
    qtbot.mousePress(view.viewport(), LEFT, pos=start)
    qtbot.mouseMove(view.viewport(), end)
    qtbot.mouseRelease(view.viewport(), LEFT, pos=end)


def view_of(app: App, stain: Stain) -> TissueView:
    return app.window.panes[stain].view


def px(app: App, stain: Stain) -> float:
    viewpoint = view_of(app, stain).viewpoint
    assert viewpoint is not None
    return viewpoint.px


@pytest.fixture
def paired(app: App, qtbot: QtBot, pair: tuple[Path, Path]) -> App:
    opened(app, qtbot, pair)
    return app


@pytest.fixture
def scaled(paired: App, qtbot: QtBot) -> App:
    """Both images have 0.25 µm per pixel."""
    type_scale(paired, qtbot, "0.25")
    return paired


def test_without_a_scale_objectives_say_why(paired: App) -> None:
    action = paired.window.actions_[ActionId.OBJECTIVE_10]
    assert not action.isEnabled()
    assert "no scale known" in action.toolTip()
    assert paired.scale._links[Stain.HE].text() in ("no scale known", "no scale")


@pytest.mark.parametrize(
    ("text", "said"), [("0", "0 µm wide"), ("-1", "-1 µm wide"), ("0.0001", "light"), ("500", "coarse")]
)
def test_absurd_figures_are_refused_in_place(paired: App, qtbot: QtBot, text: str, said: str) -> None:
    type_scale(paired, qtbot, text)
    popover = paired.scale.popover
    assert popover.isVisible() and said in popover.trouble.text()
    assert resolve_mpp(paired.store.state, Stain.IHC) is None
    qtbot.keyClicks(popover.line, "0.5")
    assert popover.trouble.isHidden(), "the sentence goes with the first key"
    qtbot.keyClick(popover.line, Key.Key_Escape)
    assert popover.isHidden()


def test_a_typed_scale_reaches_everyone(paired: App, qtbot: QtBot, settings: Settings) -> None:
    app = paired
    type_scale(app, qtbot, "0,46", both=False)
    found = resolve_mpp(app.store.state, Stain.IHC)
    assert found is not None and (found.um, found.origin) == (0.46, "typed by the user")
    assert resolve_mpp(app.store.state, Stain.HE) is None
    assert app.window.panes[Stain.IHC]._scale_bar.isVisible()
    assert app.window.panes[Stain.HE]._scale_bar.isHidden()
    assert app.window.actions_[ActionId.OBJECTIVE_10].isEnabled()
    assert app.window.actions_[ActionId.OBJECTIVE_10].toolTip().endswith("(Alt+3)")
    assert settings.typed_scales.of(app.store.state.slots[Stain.IHC].image.source) == found  # type: ignore[union-attr]


def test_a_typed_scale_outlives_the_window_and_can_be_forgotten(
    make_app: AppMaker, qtbot: QtBot, pair: tuple[Path, Path]
) -> None:
    first = make_app()
    opened(first, qtbot, pair)
    type_scale(first, qtbot, "0.5")
    first.window.close()
    again = make_app()
    opened(again, qtbot, pair)
    found = resolve_mpp(again.store.state, Stain.HE)
    assert found is not None and found.um == 0.5
    qtbot.mouseClick(again.scale._links[Stain.HE], LEFT)
    qtbot.mouseClick(again.scale.popover.forget, LEFT)
    assert resolve_mpp(again.store.state, Stain.HE) is None


def test_a_scan_objective_fills_the_figure(paired: App, qtbot: QtBot) -> None:
    qtbot.mouseClick(paired.scale._links[Stain.HE], LEFT)
    popover = paired.scale.popover
    qtbot.mouseClick(popover.scans[20.0], LEFT)
    assert popover.line.text() == "0.5"
    popover.line.clear()
    qtbot.keyClicks(popover.line, "0.25")
    assert popover.scans[40.0].isChecked() and not popover.scans[20.0].isChecked()


@pytest.mark.parametrize(
    ("action", "objective"),
    [
        (ActionId.OBJECTIVE_2_5, 2.5),
        (ActionId.OBJECTIVE_5, 5),
        (ActionId.OBJECTIVE_10, 10),
        (ActionId.OBJECTIVE_20, 20),
        (ActionId.OBJECTIVE_40, 40),
        (ActionId.RULE_1, 40),
        (ActionId.RULE_2, 10),
        (ActionId.RULE_3, 5),
    ],
)
def test_objectives_show_their_micrometres(scaled: App, action: ActionId, objective: float) -> None:
    scaled.window.actions_[action].trigger()
    for stain in Stain:
        assert px(scaled, stain) * 0.25 == pytest.approx(10 / objective)
    assert scaled.window.status_line._zoom == f"{objective:g}x"


def test_the_resolution_of_both_panes_is_matched(app: App, qtbot: QtBot, other_pair: tuple[Path, Path]) -> None:
    opened(app, qtbot, other_pair)
    type_scale(app, qtbot, "0.5", both=False, stain=Stain.HE)
    assert not app.window.actions_[ActionId.MATCH_RESOLUTION].isEnabled()
    type_scale(app, qtbot, "0.25", both=False, stain=Stain.IHC)
    view_of(app, Stain.HE).setFocus()
    app.window.zoom_by(2)
    app.window.actions_[ActionId.MATCH_RESOLUTION].trigger()
    assert px(app, Stain.HE) * 0.5 == pytest.approx(px(app, Stain.IHC) * 0.25)
    assert not app.store.state.linked and "unlinked" in app.window.messages.text


def test_the_scale_of_a_file_needs_no_typing(app: App, qtbot: QtBot, tmp_path: Path) -> None:
    import tifffile

    files = []
    for stain, seed in ((Stain.HE, 1), (Stain.IHC, 2)):
        path = tmp_path / f"x_{stain.value}.ome.tif"
        metadata = {"axes": "YXS", "PhysicalSizeX": 0.4, "PhysicalSizeXUnit": "µm", "PhysicalSizeY": 0.4}
        tifffile.imwrite(path, tissue(seed, stain=stain), photometric="rgb", ome=True, metadata=metadata)
        files.append(path)
    opened(app, qtbot, (files[0], files[1]))
    shown = app.scale._links[Stain.HE]
    assert shown.text() == "0.4 µm/px" and "OME-XML" in shown.toolTip()
    type_scale(app, qtbot, "0.8", both=True)
    assert resolve_mpp(app.store.state, Stain.HE).um == 0.8  # type: ignore[union-attr]


def test_a_drag_measures_and_the_tissue_stays(scaled: App, qtbot: QtBot) -> None:
    app = scaled
    app.window.actions_[ActionId.OBJECTIVE_40].trigger()
    view = view_of(app, Stain.IHC)
    view.setFocus()
    qtbot.keyClick(app.window, Key.Key_M)
    assert app.window.actions_[ActionId.RULER].isChecked()
    before = view.viewpoint
    drag(qtbot, view, QPoint(60, 100), QPoint(140, 160))
    drag(qtbot, view, QPoint(60, 200), QPoint(100, 200))
    assert view.viewpoint == before
    image = app.store.state.image(Stain.IHC)
    assert image is not None
    first, second = app.scale.rulers.of(image.source)
    ratio = view.devicePixelRatioF()
    assert first.length * 0.25 == pytest.approx(100 * ratio * 0.25, rel=1e-6)  # 40x: an image pixel a device pixel
    assert second.length == pytest.approx(40 * ratio)
    drag(qtbot, view, QPoint(100, 200), QPoint(120, 200))  # its end again
    assert [round(one.length / ratio) for one in app.scale.rulers.of(image.source)] == [100, 60]
    qtbot.keyClick(view, Key.Key_Delete)
    assert app.scale.rulers.of(image.source) == (first,)
    qtbot.mouseClick(view.viewport(), LEFT, pos=QPoint(300, 300))  # a click measures nothing
    assert app.scale.rulers.of(image.source) == (first,)
    qtbot.keyClick(view, Key.Key_Escape)
    assert not app.scale.measuring and app.scale.rulers.of(image.source) == (first,)
    app.window.actions_[ActionId.CLEAR_RULERS].trigger()
    assert app.scale.rulers.of(image.source) == ()


def test_esc_gives_a_measure_up_that_is_being_drawn(scaled: App, qtbot: QtBot) -> None:
    scaled.scale.set_ruler(on=True)
    view = view_of(scaled, Stain.HE)
    qtbot.mousePress(view.viewport(), LEFT, pos=QPoint(60, 100))
    qtbot.mouseMove(view.viewport(), QPoint(90, 140))
    image = scaled.store.state.image(Stain.HE)
    assert image is not None and len(scaled.scale.rulers.of(image.source)) == 1
    qtbot.keyClick(view, Key.Key_Escape)
    assert scaled.scale.rulers.of(image.source) == () and scaled.scale.measuring
    qtbot.mouseRelease(view.viewport(), LEFT, pos=QPoint(90, 140))
    assert scaled.scale.rulers.of(image.source) == ()


def test_rulers_stay_with_their_image(
    scaled: App, qtbot: QtBot, pair: tuple[Path, Path], other_pair: tuple[Path, Path]
) -> None:
    scaled.scale.set_ruler(on=True)
    drag(qtbot, view_of(scaled, Stain.HE), QPoint(60, 100), QPoint(140, 160))
    opened(scaled, qtbot, other_pair)
    image = scaled.store.state.image(Stain.HE)
    assert image is not None and scaled.scale.rulers.of(image.source) == ()
    opened(scaled, qtbot, pair)
    image = scaled.store.state.image(Stain.HE)
    assert image is not None and len(scaled.scale.rulers.of(image.source)) == 1


def test_membrane_widths_are_drawn_to_scale_on_the_ihc_alone(scaled: App, qtbot: QtBot) -> None:
    app = scaled
    app.window.resize(1440, 900)
    app.window.actions_[ActionId.OBJECTIVE_40].trigger()
    app.window.zoom_by(4)
    app.scale.set_ruler(on=True)
    view = view_of(app, Stain.IHC)
    qtbot.waitUntil(lambda: view.mosaic.settled)
    ratio = view.devicePixelRatioF()

    def strokes(stain: Stain) -> list[int]:
        """The lengths of the runs of the marks' colour, one a membrane, in device pixels."""
        drawn = pixels_of(view_of(app, stain).viewport().grab().toImage())[: round(140 * ratio), : round(420 * ratio)]
        marked = (drawn == (176, 112, 62)).all(axis=2).sum(axis=1)
        return sorted({int(run) for run in marked if run})

    assert strokes(Stain.HE) == []
    widths = [membrane * 16 * ratio for membrane in (0.64, 1.0, 2.14)]  # 16 device pixels a micrometre at 160x
    found = strokes(Stain.IHC)
    assert len(found) == 3
    assert found == [pytest.approx(width, abs=2) for width in widths]


def test_without_a_scale_lengths_are_pixels(paired: App, qtbot: QtBot) -> None:
    from her2viewer.gui.scale.ruler import length_words

    assert length_words(132.4, None) == "132 px"
    assert length_words(100, 0.25) == "25.0 µm"
    assert length_words(8.56, 0.25) == "2.14 µm"
    assert length_words(8000, 0.25) == "2.00 mm"
    paired.scale.set_ruler(on=True)
    drag(qtbot, view_of(paired, Stain.IHC), QPoint(60, 100), QPoint(140, 160))


def test_results_carry_the_typed_scale_as_typed(scored_app: App, qtbot: QtBot, tmp_path: Path) -> None:
    from her2viewer.gui.controllers.exporting import ExportWish

    type_scale(scored_app, qtbot, "0.46", both=False)
    wish = ExportWish(tmp_path / "out.png", tuple(Stain), with_map=True, with_result=True)
    scored_app.exporting.export(wish)
    qtbot.waitUntil(lambda: scored_app.window.messages.text.startswith("Written"))
    images = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["images"]
    assert (images["ihc"]["mpp"], images["ihc"]["mpp_origin"]) == (0.46, "typed by the user")
    assert (images["he"]["mpp"], images["he"]["mpp_origin"]) == (None, None)


def test_reasons_of_an_empty_window() -> None:
    reasons = scale_reasons(State())
    assert all(reasons.values())


def test_the_popover_goes_with_its_image(paired: App, qtbot: QtBot, other_pair: tuple[Path, Path]) -> None:
    qtbot.mouseClick(paired.scale._links[Stain.HE], LEFT)
    opened(paired, qtbot, other_pair)
    assert paired.scale.popover.isHidden()


def test_far_presets_are_kept(scaled: App) -> None:
    """A field of 64 µm is tiny at 2.5x; it is shown so nevertheless."""
    view_of(scaled, Stain.HE).go(Viewpoint(128, 128, 1.0))
    scaled.scale.look_through(2.5)
    assert px(scaled, Stain.HE) == pytest.approx(16)
