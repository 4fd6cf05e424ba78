"""The fields of view, tied to the window: tools, layers, context menu, panel, files. The composition root makes one."""

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final

from PySide6.QtCore import QEvent, QObject, QPointF, QTimer
from PySide6.QtGui import QGuiApplication, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QMenu, QWidget

from her2viewer.cases.annotations import Annotations
from her2viewer.cases.score_map import ScoreMap
from her2viewer.cases.shape import Shape, ShapeKind
from her2viewer.errors import ExportError
from her2viewer.gui.actions.ids import ActionId as Id
from her2viewer.gui.bench import Bench
from her2viewer.gui.fields.context import ContextMenu, entry
from her2viewer.gui.fields.editing import FieldEditor
from her2viewer.gui.fields.files import Dialogs, FieldFiles
from her2viewer.gui.fields.gridding import GridScoring
from her2viewer.gui.fields.keeping import Keeping
from her2viewer.gui.fields.layer import Drawn, FieldsLayer
from her2viewer.gui.fields.outdated import Now, now
from her2viewer.gui.fields.placing import Placing, alignment_of
from her2viewer.gui.fields.pointer import Pointer, handle_at
from her2viewer.gui.fields.rescoring import Rescoring
from her2viewer.gui.fields.resolve import TOOL_ACTIONS, Rows, can_pause, enabled_actions, resolve_fields
from her2viewer.gui.fields.scoring import FieldScoring
from her2viewer.gui.fields.sketch import Sketch
from her2viewer.gui.fields.state import ToolId, cell_key
from her2viewer.gui.fields.tools import BoxTool, DrawingTool, FreeHandTool, PolygonTool
from her2viewer.gui.fields.unscored import Unscored
from her2viewer.gui.library.shelf import Shelf
from her2viewer.gui.pane.layer import ContextWish, Sight, Touch
from her2viewer.gui.pane.tissue_view import TissueView
from her2viewer.gui.parts import Parts
from her2viewer.gui.resolve.map import overlay_visible
from her2viewer.gui.state import State
from her2viewer.scoring.stains import Stain

_logger = logging.getLogger(__name__)

SOON_MS: Final = 60
"""The panel follows the state this much later, once for many changes."""
SELDOM_MS: Final = 400
"""With thousands of rows, while a grid runs."""
MANY_ROWS: Final = 1_500


class FieldsRoom(QObject):
    """Everything about fields. `handlers` are for the window's actions; `close` before the lanes are closed."""

    def __init__(self, parts: Parts, bench: Bench, shelf: Shelf | None = None) -> None:
        store, lanes, window = parts.store, parts.lanes, parts.window
        super().__init__(window)
        self._store = store
        self._window = window
        self._views: list[TissueView] = [pane.view for pane in window.panes.values()]
        messages = window.messages
        self.panel = window.fields_panel
        self.editor = FieldEditor(store, messages)
        self.scoring = FieldScoring(store, parts.scoring, self.editor, messages)
        self.grid = GridScoring(store, lanes, bench, messages)
        self.rescoring = Rescoring(store, lanes, bench, self.scoring, self.grid, messages)
        dialogs = Dialogs(window)
        self.files = FieldFiles(store, lanes.files, messages, self.grid, dialogs.save, dialogs.open)
        folder = parts.settings.fields_folder
        self.keeping = Keeping(store, lanes.files, folder, messages, self.panel.show_note, shelf)
        self.context = ContextMenu(window)
        self.context.fillers.append(self._fill_context)
        self._sketch = Sketch(self.placing, self._repaint)
        self._layer = FieldsLayer(self._drawn, self.placing, self._sketch)
        self._pointer = Pointer(self.editor, self.placing, _surface, self._on_click, self._on_double_click)
        drawing = (self._sketch, self.editor.add, self._lay_tool_aside, messages)
        self._tools: dict[ToolId, DrawingTool] = {
            ToolId.RECTANGLE: BoxTool(ShapeKind.RECTANGLE, *drawing),
            ToolId.ELLIPSE: BoxTool(ShapeKind.ELLIPSE, *drawing),
            ToolId.POLYGON: PolygonTool(*drawing),
            ToolId.FREE_HAND: FreeHandTool(*drawing),
        }
        self._rows = Rows()
        self._unscored = Unscored()
        self._listed: tuple[Annotations, ScoreMap | None, Now] | None = None
        self._refresh = QTimer(self, singleShot=True)
        self._refresh.timeout.connect(self._show)

    def tie(self) -> dict[Id, Callable[[], object]]:
        """Ties everything to the window; returns what each of the room's actions does."""
        for view in self._views:
            view.add_layer(self._layer)
            view.context_wanted.connect(self._on_context)
            view.installEventFilter(self)
            view.viewport().installEventFilter(self)
            view.set_resting_tool(self._pointer)
            view.tool_changed.connect(self._on_tool_taken)
        panel, editor = self.panel, self.editor
        panel.listing.chosen.connect(self._on_row)
        panel.scoring_wanted.connect(lambda key: self.scoring.score(key or None))
        panel.grid_wanted.connect(self.start_grid)
        panel.pause_wanted.connect(self.grid.pause)
        panel.resume_wanted.connect(self.grid.resume)
        panel.stop_wanted.connect(self.grid.stop)
        panel.retry_wanted.connect(self.grid.retry)
        panel.rescoring_wanted.connect(self.rescoring.start)
        panel.remove_map_wanted.connect(self.grid.remove)
        panel.listing.delete_wanted.connect(editor.delete)
        panel.grid_changed.connect(lambda grid: self._change(grid=grid))
        panel.style_changed.connect(lambda style: self._change(style=style))
        panel.listing.table.renamed.connect(editor.rename)
        panel.listing.table.recoloured.connect(editor.recolour)
        actions = self._window.actions_
        for action in (Id.IMPORT_FIELDS, Id.EXPORT_FIELDS, Id.LOAD_MAP, Id.SAVE_MAP):
            panel.files_menu.addAction(actions[action])
        self._window.score_panel.whole_requested.connect(self.scoring.show_whole)
        self._store.listen(self._on_change)
        self._show()
        self._show_actions()
        return self._handlers()

    def _handlers(self) -> dict[Id, Callable[[], object]]:
        drawing = {action: partial(self.choose_tool, tool) for tool, action in TOOL_ACTIONS.items()}
        return {
            **drawing,
            Id.DELETE_FIELD: self.editor.delete,
            Id.SCORE_FIELD: self.scoring.score,
            Id.SCORE_OUTDATED: self.rescoring.start,
            Id.WHOLE_IMAGE: self.scoring.show_whole,
            Id.GRID: self.start_grid,
            Id.PAUSE_GRID: self.pause_or_resume,
            Id.IMPORT_FIELDS: self.files.import_geojson,
            Id.EXPORT_FIELDS: self.files.export_geojson,
            Id.SAVE_MAP: self.files.save_map,
            Id.LOAD_MAP: self.files.load_map,
        }

    def close(self) -> None:
        """Keeps what was drawn. A disk that is full is said in the log: the window is closing."""
        self._refresh.stop()
        try:
            self.keeping.close()
        except ExportError as error:
            _logger.warning("%s", error)

    def placing(self, sight: Sight) -> Placing | None:
        """How fields lie in a pane; None while only one image is there."""
        alignment = alignment_of(self._store.state)
        return Placing(sight.stain, alignment) if alignment is not None else None

    def choose_tool(self, tool: ToolId) -> None:
        """Takes a drawing tool, or lays it aside where it is chosen already."""
        self.editor.choose_tool(tool)

    def start_grid(self) -> None:
        """A grid over the selected field, or over the whole image."""
        selected = self.editor.selected
        self._reveal()
        self.grid.start(selected.shape if selected is not None else None)

    def pause_or_resume(self) -> None:
        if can_pause(self._store.state):
            self.grid.pause()
        else:
            self.grid.resume()

    def centre(self, key: str) -> None:
        """Brings a field into the middle of the panes, no closer and no farther than it is."""
        fields, pair = self._store.state.fields, self._store.state.pair
        box = fields.box(key)
        view = self._window.panes[Stain.IHC].view
        if box is None or pair is None or view.viewpoint is None:
            return
        view.go(replace(view.viewpoint, x=box.x + box.width / 2, y=box.y + box.height / 2))
        if not self._store.state.linked:
            self._centre_he(box.x + box.width / 2, box.y + box.height / 2)

    def _centre_he(self, x: float, y: float) -> None:
        view = self._window.panes[Stain.HE].view
        placing = self.placing(view)
        if placing is not None and view.viewpoint is not None:
            at_x, at_y = placing.to_image([(x, y)])[0].tolist()
            view.go(replace(view.viewpoint, x=at_x, y=at_y))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            # A key that the tool takes is no shortcut meanwhile: Esc, arrows, Return.
            tool = watched.tool if isinstance(watched, TissueView) else None
            if isinstance(tool, (DrawingTool, Pointer)) and tool.wants(event):
                event.accept()
                return True
        elif event.type() == QEvent.Type.MouseButtonRelease and isinstance(event, QMouseEvent):
            view = next((view for view in self._views if view.viewport() is watched), None)
            if view is not None and self._store.state.fields.tool is None:
                QTimer.singleShot(0, self, partial(self._pointer.clicked, _touch(view, event)))
        return super().eventFilter(watched, event)

    def _take_tool(self, tool: ToolId | None) -> None:
        self._pointer.drop()
        for other in self._tools.values():
            other.drop()
        for view in self._views:
            # Another room's tool is not ours to take away.
            if tool is not None or view.tool in self._tools.values():
                view.set_tool(self._tools[tool] if tool is not None else None)

    def _on_tool_taken(self, tool: object) -> None:
        """Another room's tool has the mouse: none of ours is chosen any more."""
        chosen = self._store.state.fields.tool
        if chosen is not None and tool is not self._tools[chosen] and tool is not None:
            self._sketch.clear()
            self._change(tool=None)

    def _lay_tool_aside(self) -> None:
        self._change(tool=None)

    def _drawn(self) -> Drawn:
        """The fields as they are drawn, without the map while the user looks beneath it."""
        state = self._seen()
        fields = state.fields
        if state.overlay_held_away:
            fields = replace(fields, style=replace(fields.style, visible=False))
        explained = state.drawn.attribution is not None and overlay_visible(state)
        return Drawn(fields, now(state), state.scoring.key if explained else None)

    def _on_change(self, old: State, new: State) -> None:
        if old.fields.tool is not new.fields.tool:
            self._take_tool(new.fields.tool)
        if old.pair != new.pair:
            self._sketch.clear()
        if new.fields.tool not in (None, old.fields.tool):
            self._reveal()
        shown = _seen(old) != _seen(new)
        if shown:
            self._repaint()
        hidden = old.model_hidden != new.model_hidden
        if hidden or shown or old.model is not new.model or old.pair != new.pair or old.scoring.key != new.scoring.key:
            self._show_actions()
            many = new.fields.score_map is not None and len(new.fields.score_map.cells) > MANY_ROWS
            if not self._refresh.isActive():
                self._refresh.start(SELDOM_MS if many and new.fields.run.active else SOON_MS)

    def _seen(self) -> State:
        """The state as it may be seen: without scores while the model is hidden."""
        state = self._store.state
        return replace(state, fields=self._unscored.of(state.fields)) if state.model_hidden else state

    def _show(self) -> None:
        """The panel, as the state has it now."""
        state = self._seen()
        fields = state.fields
        self.panel.show_fields(resolve_fields(state))
        listed, present = self._listed, now(state)
        if (
            listed is None
            or listed[0] is not fields.annotations
            or listed[1] is not fields.score_map
            or listed[2] != present
        ):
            self._listed = (fields.annotations, fields.score_map, present)
            self.panel.listing.show_rows(self._rows.of(fields, present))
        self.panel.listing.select(fields.selected)

    def _show_actions(self) -> None:
        state, actions = self._store.state, self._window.actions_
        actions.set_enabled(enabled_actions(state))
        actions.set_checked({action: tool is state.fields.tool for tool, action in TOOL_ACTIONS.items()})

    def _reveal(self) -> None:
        self.panel.reveal_wanted.emit()

    def _repaint(self) -> None:
        for view in self._views:
            view.repaint_layers()

    def _on_row(self, key: str) -> None:
        self.editor.select(key)
        self.centre(key)
        self.scoring.show(key)

    def _on_click(self, at: tuple[float, float]) -> None:
        key = self._key_at(at)
        self.editor.select(key)
        if key is not None:
            self.scoring.show(key)

    def _on_double_click(self, at: tuple[float, float]) -> bool:
        key = self._key_at(at)
        if key is None:
            return False
        self.editor.select(key)
        self.scoring.score(key)
        return True

    def _key_at(self, at: tuple[float, float]) -> str | None:
        """The drawn field at a place of the IHC, or the cell of the map that is shown there."""
        fields = self._seen().fields
        annotation = fields.annotations.at(*at)
        score_map = fields.score_map
        cell = score_map.cell_at(*at) if score_map is not None and fields.style.visible else None
        if cell is not None and score_map is not None:
            # A region holds its grid: the smaller of the two is meant.
            frame = score_map.cells[cell].field
            if annotation is None or frame.width * frame.height < annotation.shape.area:
                return cell_key(cell)
        return annotation.id if annotation is not None else None

    def _on_context(self, wish: ContextWish) -> None:
        if not self._sketch:
            self.context.open(wish)

    def _fill_context(self, menu: QMenu, wish: ContextWish) -> None:
        placing = self.placing(wish.sight)
        if placing is None:
            entry(menu, "copyPosition", "Copy position", partial(self._copy_position, wish))
            return
        at = placing.to_ihc(*wish.at)
        fields, state = self._store.state.fields, self._store.state
        ready = state.model.facts is not None and not state.model_hidden
        size = self._store.state.pair[1].source.size if self._store.state.pair is not None else (0, 0)
        on_image = 0 <= at[0] < size[0] and 0 <= at[1] < size[1]
        tip = "" if ready else "The model is hidden: give your own score first" if state.model_hidden else _LOADING
        here = entry(menu, "scoreHere", "Score here", partial(self.scoring.score_here, *at), tip or _HERE)
        here.setEnabled(ready and on_image)
        annotation = fields.annotations.at(*at)
        key = self._key_at(at)
        if key is not None:
            entry(menu, "scoreField", f"Score {fields.title(key)}", partial(self._score, key), tip).setEnabled(ready)
        menu.addSeparator()
        where = annotation.title if annotation is not None else "the whole image"
        region: Shape | None = annotation.shape if annotation is not None else None
        grid = entry(menu, "gridHere", f"Grid of fields in {where}...", partial(self._grid_in, region), _GRID)
        grid.setEnabled(ready)
        menu.addSeparator()
        if annotation is not None:
            handle = self._corner_at(wish, placing)
            if annotation.id == fields.selected and annotation.shape.has_vertices and not annotation.locked:
                if handle is not None:
                    entry(
                        menu,
                        "removeCorner",
                        "Take this corner away",
                        partial(self.editor.remove_vertex, annotation.id, handle),
                    )
                else:
                    entry(menu, "addCorner", "Add a corner here", partial(self.editor.add_vertex, annotation.id, at))
            entry(menu, "renameField", f"Rename {annotation.title}", partial(self._rename, annotation.id))
            entry(menu, "deleteField", f"Delete {annotation.title}", partial(self.editor.delete, annotation.id))
            menu.addSeparator()
        entry(menu, "copyPosition", "Copy position", partial(self._copy_position, wish))

    def _corner_at(self, wish: ContextWish, placing: Placing) -> int | None:
        annotation = self.editor.selected
        if annotation is None:
            return None
        return handle_at(wish.sight, wish.sight.to_screen(*wish.at), placing, annotation)

    def _score(self, key: str) -> None:
        self.editor.select(key)
        self.scoring.score(key)

    def _grid_in(self, region: Shape | None) -> None:
        self._reveal()
        self.grid.start(region)

    def _rename(self, key: str) -> None:
        self._reveal()
        self.editor.select(key)
        self._show()
        self.panel.listing.edit_name(key)

    def _copy_position(self, wish: ContextWish) -> None:
        x, y = wish.at
        QGuiApplication.clipboard().setText(f"{wish.sight.stain.caption} {x:.1f}, {y:.1f} px")

    def _change(self, **changes: object) -> None:
        self._store.change(fields=replace(self._store.state.fields, **changes))  # type: ignore[arg-type]


_LOADING: Final = "The model is still being loaded"
_HERE: Final = "A field around this place, drawn and scored; its size is set in the fields panel"
_GRID: Final = "Scored field by field, to a map; the size of its fields is set in the fields panel"


def _seen(state: State) -> tuple[object, ...]:
    """What the layers are drawn from."""
    return (
        state.fields,
        alignment_of(state),
        state.model.facts.identity if state.model.facts is not None else None,
        overlay_visible(state),
        state.overlay_held_away,
        state.drawn.attribution,
        state.model_hidden,
    )


def _surface(sight: Sight) -> QWidget:
    """The widget that a pane draws on."""
    assert isinstance(sight, TissueView)
    return sight.viewport()


def _touch(view: TissueView, event: QMouseEvent) -> Touch:
    position = QPointF(event.position())
    return Touch(view, view.from_screen(position), position, event.button(), event.modifiers())
