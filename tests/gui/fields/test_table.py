"""The table of fields: words, sorting, filtering, editing, growing."""

import pytest
from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor
from pytestqt.modeltest import ModelTester

from her2viewer.gui.fields.resolve import Rows
from her2viewer.gui.fields.state import COLOURS, FieldsState
from her2viewer.gui.fields.table import CELLS, DRAWN, EVERY, NO_CALLS, UNSCORED, Column, FieldRow, FieldTable, passes
from her2viewer.gui.theme import score_colour

from .conftest import BROKEN, NO_TISSUE, map_of, score_of

ROLE = Qt.ItemDataRole


def row(
    name: str, score: str = "", probability: float | None = None, drawn: bool = True, no_call: str = ""
) -> FieldRow:
    order = ("0", "1+", "2+", "3+").index(score) if score else -1
    members = (score,) if score else ()
    return FieldRow(name, name, "#00a4b4", score, order, probability, members, no_call, (10, 20), 1.0, drawn)


@pytest.fixture
def table() -> FieldTable:
    made = FieldTable(COLOURS, lambda order: score_colour(order, 4))
    made.set_rows(
        [
            row("Field 10", "2+", 0.6),
            row("Field 9"),
            row("Row 1, column 2", "3+", 0.9, drawn=False),
            row("Field 1", "2+", 0.5),
        ]
    )
    return made


def words(table: FieldTable, column: Column) -> list[str]:
    return [table.index(place, column).data() for place in range(table.rowCount())]


def test_the_model_keeps_qts_rules(table: FieldTable, qtmodeltester: ModelTester) -> None:
    qtmodeltester.check(table)


def test_names_sort_as_people_count_and_scores_by_their_order(table: FieldTable) -> None:
    table.sort(Column.NAME)
    assert words(table, Column.NAME) == ["Field 1", "Field 9", "Field 10", "Row 1, column 2"]
    table.sort(Column.SCORE, Qt.SortOrder.DescendingOrder)
    assert words(table, Column.SCORE) == ["3+", "2+", "2+", "Not scored"]
    assert words(table, Column.PROBABILITY) == ["0.90", "0.60", "0.50", ""]


def test_filters(table: FieldTable) -> None:
    for kind, typed, expected in (
        (EVERY, "", 4),
        (DRAWN, "", 3),
        (CELLS, "", 1),
        ("2+", "", 2),
        (UNSCORED, "", 1),
        (NO_CALLS, "", 0),
        (EVERY, "field 1", 2),
        ("2+", "10", 1),
    ):
        table.set_filter(kind, typed)
        assert table.rowCount() == expected, (kind, typed)
    assert passes(row("a", no_call="The set holds three classes"), NO_CALLS, "three")


def test_rows_come_and_change_and_what_points_at_them_stays_true(table: FieldTable) -> None:
    table.sort(Column.NAME)
    pointer = QPersistentModelIndex(table.index(1, Column.NAME))
    assert pointer.data() == "Field 9"
    rows = [*table.rows, row("Field 2", "0", 0.4), row("Field 3")]
    table.set_rows(rows)
    assert pointer.data() == "Field 9"
    assert words(table, Column.NAME)[:4] == ["Field 1", "Field 2", "Field 3", "Field 9"]
    table.set_rows([one for one in rows if one.key != "Field 1"])
    assert table.rowCount() == 5
    assert table.place("Field 1") is None
    assert table.place("Field 2") == 0


def test_name_and_colour_of_drawn_fields_are_edited(table: FieldTable, qtbot) -> None:
    table.sort(Column.NAME)
    name = table.index(0, Column.NAME)
    assert name.flags() & Qt.ItemFlag.ItemIsEditable
    with qtbot.waitSignal(table.renamed) as renamed:
        assert table.setData(name, "Invasive front")
    assert renamed.args == ["Field 1", "Invasive front"]
    with qtbot.waitSignal(table.recoloured) as recoloured:
        assert table.setData(table.index(0, Column.COLOUR), "#cc79a7")
    assert recoloured.args == ["Field 1", "#cc79a7"]
    assert not table.setData(name, "  ")
    cell = table.index(3, Column.NAME)
    assert not cell.flags() & Qt.ItemFlag.ItemIsEditable


def test_colour_never_stands_without_its_word(table: FieldTable) -> None:
    for place in range(table.rowCount()):
        for column in (Column.COLOUR, Column.SCORE):
            index = table.index(place, column)
            if index.data(ROLE.DecorationRole) is not None:
                assert index.data()
    assert table.index(0, Column.COLOUR).data(ROLE.DecorationRole) == QColor("#00a4b4")
    assert table.headerData(Column.SHARE, Qt.Orientation.Horizontal) == "In shape"
    assert table.rowCount(table.index(0, 0)) == 0
    assert table.columnCount(QModelIndex()) == len(Column)


def test_rows_of_a_map_say_what_became_of_each_cell_and_are_made_once() -> None:
    from her2viewer.scoring.prediction import FieldOfView

    field = FieldOfView(0, 0, 32, 32)
    outcomes = [score_of(field), None, NO_TISSUE, BROKEN, score_of(field, no_call="Too close to call.")]
    score_map = map_of(5, 1, outcomes=outcomes)
    rows = Rows()
    made = rows.of(FieldsState(score_map=score_map))
    assert [one.name for one in made] == [f"Row 1, column {n}" for n in range(1, 6)]
    assert [one.note for one in made] == ["", "Waiting", "No tissue", "Failed", ""]
    assert made[3].more == BROKEN.reason
    assert made[4].no_call == "Too close to call."
    grown = rows.of(FieldsState(score_map=score_map.with_score(1, score_of(field, 3))))
    assert grown[1].score == "3+"
    assert all(after is before for after, before in zip(grown, made, strict=True) if after.key != made[1].key)
