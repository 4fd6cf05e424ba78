"""The fields panel: what it teaches, editing in place, filters, and its two shapes."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QBoxLayout, QComboBox, QLineEdit

from her2viewer.gui.actions.ids import ActionId as Id
from her2viewer.gui.app import App
from her2viewer.gui.fields.resolve import NO_PAIR, TEACHING
from her2viewer.gui.fields.table import Column

from .conftest import LEFT, Hand, map_of


def cell(hand: Hand, key: str, column: Column):
    panel = hand.app.window.fields_panel
    place = panel.listing.table.place(key)
    assert place is not None
    index = panel.listing.table.index(place, column)
    panel.listing._view.scrollTo(index)
    return panel.listing._view.visualRect(index).center()


def test_an_empty_panel_teaches(app: App, hand: Hand) -> None:
    panel = app.window.fields_panel
    assert panel.objectName() == "fieldsPanel"
    assert panel._teaching.text() == TEACHING
    assert "Press R and drag" in TEACHING and "right-click tissue to score a spot" in TEACHING
    hand.add()
    hand.follow()
    assert panel._teaching.isHidden()


def test_without_a_pair_it_says_what_to_open(app: App) -> None:
    assert app.window.fields_panel._teaching.text() == NO_PAIR
    assert not app.window.actions_[Id.DRAW_RECTANGLE].isEnabled()


def test_choosing_a_tool_opens_it_and_the_action_hides_it(app: App, hand: Hand) -> None:
    panel = app.window.fields_panel
    hand.shortcut(Qt.Key.Key_R)
    assert panel.isVisible()
    app.window.actions_[Id.PANEL_FIELDS].trigger()
    assert not panel.isVisible()
    hand.shortcut(Qt.Key.Key_E)
    assert panel.isVisible()


def test_a_name_is_typed_into_the_table(hand: Hand) -> None:
    added = hand.add()
    hand.follow()
    view = hand.app.window.fields_panel.listing._view
    place = cell(hand, added.id, Column.NAME)
    hand.qtbot.mouseClick(view.viewport(), LEFT, pos=place)
    hand.qtbot.mouseDClick(view.viewport(), LEFT, pos=place)
    editor = view.findChild(QLineEdit)
    assert editor is not None
    editor.selectAll()
    hand.qtbot.keyClicks(editor, "Dense core")
    hand.qtbot.keyClick(editor, Qt.Key.Key_Return)
    hand.qtbot.waitUntil(lambda: hand.only.name == "Dense core")
    assert hand.only.score is None
    hand.shortcut(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert hand.only.name == "Field 1"


def test_letters_typed_into_a_name_choose_no_tool(hand: Hand) -> None:
    added = hand.add()
    hand.follow()
    hand.app.window.fields_panel.listing.edit_name(added.id)
    editor = hand.app.window.fields_panel.listing._view.findChild(QLineEdit)
    hand.qtbot.keyClicks(editor, "rep")
    assert hand.fields.tool is None


def test_a_colour_is_chosen_from_named_ones(hand: Hand) -> None:
    added = hand.add()
    hand.follow()
    view = hand.app.window.fields_panel.listing._view
    place = cell(hand, added.id, Column.COLOUR)
    hand.qtbot.mouseClick(view.viewport(), LEFT, pos=place)
    hand.qtbot.mouseDClick(view.viewport(), LEFT, pos=place)
    box = view.findChild(QComboBox)
    assert box is not None
    box.setCurrentIndex(box.findText("Vermilion"))
    box.activated.emit(box.currentIndex())
    assert hand.only.colour == "#d55e00"


def test_filter_and_search_narrow_the_list_and_say_so(hand: Hand) -> None:
    from dataclasses import replace

    hand.add()
    hand.app.store.change(fields=replace(hand.fields, score_map=map_of(8, 8)))
    hand.follow()
    panel = hand.app.window.fields_panel
    assert panel.listing._count.text() == "65 fields"
    panel.listing.filter.setCurrentIndex(panel.listing.filter.findText("Score 3+"))
    panel.listing.filter.activated.emit(panel.listing.filter.currentIndex())
    assert panel.listing._count.text() == "16 of 65 fields"
    hand.qtbot.keyClicks(panel.listing.search, "row 2")
    assert panel.listing._count.text() == "2 of 65 fields"
    panel.listing.search.clear()
    panel.listing.filter.setCurrentIndex(panel.listing.filter.findText("Drawn fields"))
    panel.listing.filter.activated.emit(panel.listing.filter.currentIndex())
    assert [row.name for row in panel.listing.table.rows] == ["Field 1"]


def test_delete_in_the_table_takes_the_field(hand: Hand) -> None:
    added = hand.add()
    hand.follow()
    view = hand.app.window.fields_panel.listing._view
    hand.qtbot.mouseClick(view.viewport(), LEFT, pos=cell(hand, added.id, Column.SCORE))
    hand.app.window.fields_panel.listing.delete_wanted.emit()
    assert len(hand.fields.annotations) == 0


def test_wide_it_lies_narrow_it_stands(hand: Hand) -> None:
    panel = hand.app.window.fields_panel
    assert panel._body.direction() == QBoxLayout.Direction.LeftToRight
    panel.setParent(None)
    panel.resize(328, 700)
    panel.show()
    QApplication.processEvents()
    assert panel._body.direction() == QBoxLayout.Direction.TopToBottom
    assert panel.width() == 328  # nothing in it asks for more
