"""Fields as they are drawn: where they are, in both panes, with text, handles and the scored rectangle."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtGui import QColor

from her2viewer.cases.shape import Shape
from her2viewer.gui.frame.docks import Panel
from her2viewer.gui.theme import score_colour
from her2viewer.imaging.affine import Affine
from her2viewer.imaging.alignment import Alignment
from her2viewer.scoring.stains import Stain

from ..test_pane import pixels_of
from .conftest import Hand, score_of

CYAN = (0, 164, 180)


def picture(hand: Hand, stain: Stain = Stain.IHC) -> np.ndarray:
    return pixels_of(hand.view(stain).viewport().grab().toImage())


def has_near(
    image: np.ndarray, hand: Hand, at: tuple[float, float], colour: tuple[int, int, int], stain: Stain, off: int = 12
) -> bool:
    """Whether a colour, or one less than `off` from it, is drawn within two pixels of a level-0 position."""
    point = hand.point(at, stain)
    box = image[max(point.y() - 2, 0) : point.y() + 3, max(point.x() - 2, 0) : point.x() + 3].reshape(-1, 3).astype(int)
    return bool((np.abs(box - colour).max(axis=1) < off).any())


@pytest.fixture
def hand(hand: Hand) -> Hand:
    hand.app.store.change(overview_map=False)
    hand.app.window.docks[Panel.CASES].hide()
    return hand


@pytest.mark.parametrize("stain", list(Stain))
def test_an_outline_stands_where_the_field_is_in_both_panes(hand: Hand, stain: Stain) -> None:
    hand.add(40, 80, 100, 60)
    hand.room.editor.select(None)
    image = picture(hand, stain)
    for at in ((40, 95), (140, 95), (90, 140), (115, 80)):
        assert has_near(image, hand, at, CYAN, stain, off=50)  # a line between two screen pixels is smoothed
    assert not has_near(image, hand, (90, 110), CYAN, stain, off=50)


def test_on_a_turned_he_it_lies_as_the_tissue_does(hand: Hand) -> None:
    alignment = Alignment(Affine.similarity(degrees=25, shift=(8, 3), about=(128, 128)), None, "automatic")
    hand.app.store.change(registration=replace(hand.app.store.state.registration, alignment=alignment))
    hand.add(90, 90, 80, 60)
    hand.room.editor.select(None)
    image = picture(hand, Stain.HE)
    for at in ((90, 110), (170, 110), (130, 150)):
        x, y = alignment.to_he([at])[0].tolist()
        assert has_near(image, hand, (x, y), CYAN, Stain.HE, off=50)  # a slanting line is smoothed


def test_a_scored_field_is_filled_lightly_and_named_with_its_score(hand: Hand) -> None:
    added = hand.add(40, 80, 100, 60)
    hand.room.editor.select(None)
    before = picture(hand)
    history = hand.fields.history.scored(added.id, added.shape, score_of(added.shape.bounds, 3))
    hand.app.store.change(fields=replace(hand.fields, history=history))
    after = picture(hand)
    point = hand.point((90, 110))
    was, now = before[point.y(), point.x()].astype(float), after[point.y(), point.x()].astype(float)
    colour = score_colour(3, 4)
    fill = np.array([colour.red(), colour.green(), colour.blue()])
    assert now == pytest.approx(was + (fill - was) * 56 / 255, abs=3)
    label_before, label_after = (
        image[hand.point((40, 80)).y() - 22 : hand.point((40, 80)).y() - 4] for image in (before, after)
    )
    plate = (np.abs(label_after.astype(int) - 20).max(axis=2) < 60).sum()
    assert plate > (np.abs(label_before.astype(int) - 20).max(axis=2) < 60).sum()  # it has become longer


def test_handles_stand_on_the_selected_field_alone(hand: Hand) -> None:
    hand.add(40, 80, 60, 50)
    first = hand.only
    hand.add(150, 80, 60, 50)
    hand.room.editor.select(first.id)
    image = picture(hand)
    white = (255, 255, 255)
    for x, y in first.shape.handles().tolist():
        assert has_near(image, hand, (x, y), white, Stain.IHC)
    assert not has_near(image, hand, (210, 130), white, Stain.IHC)


def test_the_rectangle_that_was_scored_is_shown_around_other_shapes(hand: Hand) -> None:
    added = hand.room.editor.add(Shape.polygon([(60, 60), (180, 60), (60, 180)]))
    assert added is not None
    bare = picture(hand)
    assert not has_near(bare, hand, (180, 120), CYAN, Stain.IHC, off=50)
    score = score_of(added.shape.bounds, 1)
    hand.app.store.change(fields=replace(hand.fields, history=hand.fields.history.scored(added.id, added.shape, score)))
    image = picture(hand)
    assert any(has_near(image, hand, (180, y), CYAN, Stain.IHC, off=50) for y in range(100, 170, 4))  # it is dashed


def test_colour_and_name_are_the_users(hand: Hand) -> None:
    added = hand.add(40, 80, 100, 60)
    hand.room.editor.select(None)
    hand.room.editor.recolour(added.id, "#cc79a7")
    pink = QColor("#cc79a7")
    assert has_near(picture(hand), hand, (40, 95), (pink.red(), pink.green(), pink.blue()), Stain.IHC)


def test_thousands_of_fields_are_drawn_and_only_those_in_view(hand: Hand) -> None:
    from her2viewer.cases.annotation import Annotation

    size = 256 / 50
    many = [
        Annotation(Shape.rectangle(c * size, r * size, size - 1, size - 1), f"{r} {c}")
        for r in range(50)
        for c in range(50)
    ]
    history = hand.fields.history.changed("import", hand.fields.annotations.add(*many))
    hand.app.store.change(fields=replace(hand.fields, history=history))
    image = picture(hand)
    for r, c in ((0, 0), (25, 25), (49, 49)):
        assert has_near(image, hand, (c * size + 2, r * size), CYAN, Stain.IHC)


def test_half_drawn_shapes_are_seen_in_both_panes(hand: Hand) -> None:
    before = {stain: picture(hand, stain) for stain in Stain}
    hand.room._sketch.put(np.array([(60.0, 60.0), (180.0, 60.0), (180.0, 180.0)]), closed=False)
    for stain in Stain:
        assert not np.array_equal(before[stain], picture(hand, stain))
    hand.room._sketch.clear()
    for stain in Stain:
        assert np.array_equal(before[stain], picture(hand, stain))
