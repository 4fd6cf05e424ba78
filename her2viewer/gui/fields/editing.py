"""What the user does to fields: each wish becomes a step of the history, which can be undone."""

from collections.abc import Callable
from dataclasses import replace

from her2viewer.cases.annotation import Annotation, next_name
from her2viewer.cases.annotations import History
from her2viewer.cases.shape import Shape
from her2viewer.errors import AnnotationError
from her2viewer.gui.controllers.messenger import Messenger
from her2viewer.gui.fields.state import FieldsState, ToolId
from her2viewer.gui.store import Store


class FieldEditor:
    """Changes the fields of the state. `selected` and `tool` are wishes of the moment and no steps to be undone."""

    def __init__(self, store: Store, messenger: Messenger) -> None:
        self._store = store
        self._messenger = messenger

    @property
    def fields(self) -> FieldsState:
        return self._store.state.fields

    @property
    def selected(self) -> Annotation | None:
        """The drawn field that is selected."""
        return self.fields.selected_annotation

    def choose_tool(self, tool: ToolId | None) -> None:
        """Takes a tool; a second time lays it aside."""
        self._change(tool=None if tool is self.fields.tool else tool)

    def select(self, key: str | None) -> None:
        """Selects a field or cell by its key."""
        if key != self.fields.selected:
            self._change(selected=key, history=self.fields.history.settled())

    def add(self, shape: Shape, name: str = "") -> Annotation | None:
        """A new field, as far as it lies on the image, selected. None and a message where nothing of it does."""
        size = self._size()
        parts = shape.clipped(size) if size is not None else ()
        if not parts:
            self._messenger.say_error(
                AnnotationError("the field lies outside the image", remedy="draw it on the tissue")
            )
            return None
        annotations = self.fields.annotations
        largest = max(parts, key=lambda part: part.area)
        added = Annotation(largest, name or next_name(one.name for one in annotations.values()))
        history = self.fields.history.changed(f"draw {added.title}", annotations.add(added))
        self._change(history=history, selected=added.id)
        return added

    def move(self, key: str, dx: float, dy: float, gesture: str) -> None:
        """Moves a field by level-0 px of the IHC; moves of one gesture are one step."""
        annotation = self.fields.annotations[key]
        self._edit(annotation, lambda: annotation.moved(dx, dy, self._size()), "move", gesture)

    def reshape(self, start: Annotation, handle: int, to: tuple[float, float], gesture: str) -> bool:
        """Drags a handle of a field as it was when the gesture began. False where the shape cannot stand like that."""
        try:
            reshaped = start.reshaped(handle, to, self._size())
        except AnnotationError:
            return False
        self._step(f"reshape {start.title}", reshaped, gesture)
        return True

    def place(self, start: Annotation, dx: float, dy: float, gesture: str) -> None:
        """Moves a field from where it was when the gesture began."""
        self._edit(start, lambda: start.moved(dx, dy, self._size()), "move", gesture)

    def say_crossing(self) -> None:
        """Says why a corner did not go where it was dragged."""
        self._messenger.say_error(AnnotationError("the outline would cross itself", remedy="drag the corner elsewhere"))

    def settle(self) -> None:
        """The gesture is over: the next one is a step of its own."""
        self._change(history=self.fields.history.settled())

    def add_vertex(self, key: str, at: tuple[float, float]) -> None:
        """One more corner for a polygon, on the side nearest to a place."""
        annotation = self.fields.annotations[key]
        self._edit(annotation, lambda: annotation.with_shape(annotation.shape.with_vertex(at)), "add a corner to")

    def remove_vertex(self, key: str, handle: int) -> None:
        annotation = self.fields.annotations[key]
        self._edit(
            annotation,
            lambda: annotation.with_shape(annotation.shape.without_vertex(handle)),
            "take a corner from",
        )

    def rename(self, key: str, name: str) -> None:
        annotation = self.fields.annotations[key]
        renamed = annotation.named(name)
        self._step(f"rename {annotation.title}", renamed)

    def recolour(self, key: str, colour: str) -> None:
        annotation = self.fields.annotations[key]
        self._step(f"colour {annotation.title}", replace(annotation, colour=colour))

    def delete(self, key: str | None = None) -> None:
        """Takes a field away; the selected one unless another is named."""
        key = key or self.fields.selected
        annotation = self.fields.annotations.get(key or "")
        if annotation is None:
            return
        remaining = self.fields.annotations.remove(annotation.id)
        history = self.fields.history.changed(f"delete {annotation.title}", remaining)
        self._change(history=history, selected=None if self.fields.selected == annotation.id else self.fields.selected)

    def undo(self) -> None:
        self._go(self.fields.history.undo())

    def redo(self) -> None:
        self._go(self.fields.history.redo())

    def _go(self, history: History) -> None:
        selected = self.fields.selected
        lost = selected in self.fields.annotations and selected not in history.present
        self._change(history=history, selected=None if lost else selected)

    def _edit(self, annotation: Annotation, change: Callable[[], Annotation], verb: str, gesture: str = "") -> None:
        try:
            changed = change()
        except AnnotationError as error:
            self._messenger.say_error(error)
            return
        self._step(f"{verb} {annotation.title}", changed, gesture)

    def _step(self, label: str, annotation: Annotation, gesture: str = "") -> None:
        history = self.fields.history
        self._change(history=history.changed(label, history.present.replace(annotation), gesture))

    def _size(self) -> tuple[int, int] | None:
        """(width, height) of the IHC, in whose pixels fields stand."""
        pair = self._store.state.pair
        return pair[1].source.size if pair is not None else None

    def _change(self, **changes: object) -> None:
        self._store.change(fields=replace(self.fields, **changes))  # type: ignore[arg-type]
