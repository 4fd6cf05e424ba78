"""Cells of a score map on the screen: colours, text, threshold, ten thousand of them."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication

from her2viewer.cases.score_map import ScoreMap
from her2viewer.gui.fields.map_painter import BELOW, FAILED, NO_CALL, NO_TISSUE, WAITING, codes
from her2viewer.gui.fields.reading import alignment_name
from her2viewer.gui.fields.state import MapStyle
from her2viewer.gui.theme import score_colour
from her2viewer.imaging.affine import Affine
from her2viewer.imaging.alignment import Alignment
from her2viewer.imaging.thin_plate import ThinPlate
from her2viewer.scoring.prediction import FieldOfView
from her2viewer.scoring.stains import Stain

from ..test_pane import pixels_of
from .conftest import BROKEN, Hand, map_of, score_of
from .conftest import NO_TISSUE as NOTHING_THERE

FIELD = FieldOfView(0, 0, 32, 32)


def picture(hand: Hand, stain: Stain = Stain.IHC) -> np.ndarray:
    return pixels_of(hand.view(stain).viewport().grab().toImage())


def show(hand: Hand, score_map: ScoreMap | None, stain: Stain = Stain.IHC, **style: object) -> np.ndarray:
    hand.app.store.change(
        fields=replace(hand.fields, score_map=score_map, style=MapStyle(**{"opacity": 1.0, **style})),  # type: ignore[arg-type]
        overview_map=False,
    )
    return picture(hand, stain)


def colour_at(hand: Hand, image: np.ndarray, at: tuple[float, float], stain: Stain = Stain.IHC) -> tuple[int, ...]:
    point = hand.point(at, stain)
    return tuple(int(value) for value in image[point.y(), point.x()])


def rgb(colour: QColor) -> tuple[int, ...]:
    return colour.red(), colour.green(), colour.blue()


def test_codes_say_class_or_why_there_is_none() -> None:
    outcomes = [
        score_of(FIELD, 3, 0.9),
        score_of(FIELD, 1, 0.4),
        None,
        NOTHING_THERE,
        BROKEN,
        score_of(FIELD, 1, 0.9, no_call="Too close."),
    ]
    score_map = map_of(6, 1, outcomes=outcomes)
    assert codes(score_map, 0.0).tolist() == [3, 1, WAITING, NO_TISSUE, FAILED, NO_CALL]
    assert codes(score_map, 0.5).tolist() == [3, BELOW, WAITING, NO_TISSUE, FAILED, NO_CALL]


@pytest.mark.parametrize("stain", list(Stain))
def test_cells_have_the_colour_of_their_score_in_both_panes(hand: Hand, stain: Stain) -> None:
    score_map = map_of(8, 8)
    image = show(hand, score_map, stain)
    for index in (0, 9, 18, 35, 62):
        cell = score_map.cells[index].field
        at = (cell.x + 4, cell.y + 4)  # its text stands in the middle
        assert colour_at(hand, image, at, stain) == rgb(score_colour(index % 4, 4))


def test_threshold_opacity_and_hiding(hand: Hand) -> None:
    bare = show(hand, None)
    score_map = map_of(8, 8)
    below, at = next((i, c.field) for i, c in enumerate(score_map.cells) if score_map.outcomes[i].probability < 0.5)
    place = (at.x + 10, at.y + 4)
    full = show(hand, score_map)
    assert colour_at(hand, full, place) == rgb(score_colour(below % 4, 4))
    some = show(hand, score_map, threshold=0.5)
    assert colour_at(hand, some, place) == colour_at(hand, bare, place)
    half = show(hand, score_map, opacity=0.5)
    mixed = [(a + b) / 2 for a, b in zip(colour_at(hand, bare, place), rgb(score_colour(below % 4, 4)), strict=True)]
    assert colour_at(hand, half, place) == pytest.approx(mixed, abs=2)
    hidden = show(hand, score_map, visible=False)
    assert colour_at(hand, hidden, place) == colour_at(hand, bare, place)


def test_space_held_looks_beneath_the_map(hand: Hand) -> None:
    bare = show(hand, None)
    show(hand, map_of(8, 8))
    hand.app.store.change(overlay_held_away=True)
    assert colour_at(hand, picture(hand), (44, 36)) == colour_at(hand, bare, (44, 36))


def test_the_score_stands_in_a_cell_as_text_where_there_is_room(hand: Hand) -> None:
    ones = [score_of(FIELD, 1)] * 16
    with_text = show(hand, map_of(4, 4, 64, outcomes=ones))
    point = hand.point((32, 32))
    middle = with_text[point.y() - 8 : point.y() + 8, point.x() - 12 : point.x() + 12].reshape(-1, 3)
    assert (middle > 240).all(axis=1).any()  # white letters on their plate
    small = show(hand, map_of(32, 32, 8, outcomes=[score_of(FIELD, 1)] * 1024))
    corner, end = hand.point((10, 10)), hand.point((240, 240))
    inside = small[corner.y() : end.y(), corner.x() : end.x()].reshape(-1, 3)
    assert not (inside > 240).all(axis=1).any()


def test_ten_thousand_cells_are_all_there(hand: Hand) -> None:
    score_map = map_of(100, 100, 2)
    hand.app.store.change(fields=replace(hand.fields, style=MapStyle(opacity=1.0)))
    hand.view().go(replace(hand.view().viewpoint, x=100, y=100, px=200 / 300 / hand.view().devicePixelRatioF()))
    QApplication.processEvents()
    image = show(hand, score_map)
    for index in range(0, 10_000, 997):
        cell = score_map.cells[index].field
        assert colour_at(hand, image, (cell.x + 1, cell.y + 1)) == rgb(score_colour(index % 4, 4)), index


@pytest.mark.parametrize("bent", [False, True])
def test_on_the_he_the_map_lies_as_the_images_do(hand: Hand, bent: bool) -> None:
    turned = Affine.similarity(degrees=20, shift=(6, -4), about=(128, 128))
    warp = None
    if bent:
        corners = np.array([(0, 0), (256, 0), (256, 256), (0, 256), (128, 128)], float)
        warp = ThinPlate.through(corners, corners + np.array([(0, 0), (0, 0), (0, 0), (0, 0), (12, 6)]))
    alignment = Alignment(turned, warp, "automatic")
    state = hand.app.store.state
    hand.app.store.change(registration=replace(state.registration, alignment=alignment))
    made = map_of(8, 8)
    score_map = replace(made, basis=replace(made.basis, alignment=alignment_name(alignment)))
    image = show(hand, score_map, Stain.HE)
    for index in (18, 27, 36, 45):
        field = score_map.cells[index].field
        x, y = alignment.to_he([(field.x + 5, field.y + 5)])[0].tolist()
        assert colour_at(hand, image, (x, y), Stain.HE) == rgb(score_colour(index % 4, 4)), index


def test_an_outdated_map_is_crossed_and_not_filled(hand: Hand) -> None:
    score_map = map_of(8, 8)
    filled = show(hand, score_map)
    state = hand.app.store.state
    moved = replace(state.registration, alignment=Alignment(Affine(tx=9), None, "by hand"))
    hand.app.store.change(registration=moved)
    crossed = show(hand, score_map)
    colour = np.array(rgb(score_colour(2, 4)))
    left, top, right, bottom = 2 * 32 + 2, 2 * 32 + 2, 3 * 32 - 2, 3 * 32 - 2
    first, last = hand.point((left, top)), hand.point((right, bottom))

    def share(image: np.ndarray) -> float:
        inside = image[first.y() : last.y(), first.x() : last.x()].astype(int)
        return float((np.abs(inside - colour).max(axis=2) < 12).mean())

    assert share(filled) > 0.5 > share(crossed) > 0.05
