"""Ctrl+K: any command, by the words that somebody would type for it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QFont, QFontMetrics, QIcon, QKeyEvent, QPainter, QPalette
from PySide6.QtWidgets import (
    QDialog,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from her2viewer.gui.actions.actions import Actions
from her2viewer.gui.actions.finding import begins, matches
from her2viewer.gui.actions.ids import ActionId
from her2viewer.gui.actions.specs import SPECS, ActionSpec, key_words
from her2viewer.gui.icons import themed_icon

MOST_ROWS = 8
MOST_LISTED = 100

_COMMAND: Final = Qt.ItemDataRole.UserRole


@dataclass(frozen=True, eq=False, slots=True)
class Command:
    """Something that can be run. `why` says why it cannot be just now; empty where it can."""

    id: str
    text: str
    tip: str
    words: str
    keys: str
    icon: str
    run: Callable[[], object]
    why: str = ""


Source = Callable[[], Sequence[Command]]
"""More commands than the actions are, asked for each time the search opens: recent cases, for example."""


class CommandSearch(QDialog):
    """A line to type in and the commands that are meant; Enter runs the chosen one. `ran`: a Command was run."""

    ran = Signal(object)

    def __init__(self, actions: Actions, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("commandSearch")
        self.setWindowTitle("Find a command")
        self._actions = actions
        self._sources: list[Source] = []
        self._recent: tuple[str, ...] = ()
        self._commands: tuple[Command, ...] = ()
        self.line = QLineEdit()
        self.line.setPlaceholderText("What would you like to do? For example: heatmap, gpu, save figure")
        self.line.setAccessibleName("Find a command")
        self.line.setClearButtonEnabled(True)
        self.line.textChanged.connect(self._refill)
        self.line.installEventFilter(self)
        self.list = QListWidget()
        self.list.setAccessibleName("Commands")
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setUniformItemSizes(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setItemDelegate(_CommandDelegate(self.list))
        self.list.itemClicked.connect(lambda _: self._run())
        self._none = QLabel("No command is known by these words.")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(8)
        for widget in (self.line, self._none, self.list):
            layout.addWidget(widget)
        self.setFixedWidth(560)
        self._gather()
        self._refill("")

    def add_source(self, source: Source) -> None:
        """Takes in commands that are no actions."""
        self._sources.append(source)

    def set_recent(self, ids: Sequence[str]) -> None:
        """The commands used last, the latest first: they stand before others."""
        self._recent = tuple(ids)

    def open_over(self, window: QWidget) -> None:
        """Shows it in the upper middle of a window, empty."""
        self._gather()
        self.line.clear()
        self._refill("")
        centre = window.mapToGlobal(window.rect().center())
        self.move(centre.x() - self.width() // 2, window.mapToGlobal(window.rect().topLeft()).y() + 80)
        self.show()
        self.line.setFocus()

    def _gather(self) -> None:
        commands = [self._of_action(spec) for spec in SPECS if spec.id is not ActionId.FIND_COMMAND]
        for source in self._sources:
            commands += source()
        self._commands = tuple(commands)

    def _of_action(self, spec: ActionSpec) -> Command:
        action = self._actions[spec.id]
        why = "" if action.isEnabled() else self._actions.reason(spec.id) or "Not possible just now."
        return Command(
            spec.id, spec.text.rstrip("."), spec.tip, spec.words, key_words(spec), spec.icon, action.trigger, why
        )

    def _refill(self, typed: str) -> None:
        self.list.clear()
        for command in self._meant(typed)[:MOST_LISTED]:
            icon = themed_icon(command.icon, self.palette())
            item = QListWidgetItem(icon, command.text, self.list)
            item.setData(_COMMAND, command)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{command.text}, {command.why or command.tip}")
            if command.why:
                item.setFlags(Qt.ItemFlag.NoItemFlags)
        self._none.setVisible(self.list.count() == 0)
        self.list.setVisible(self.list.count() > 0)
        self.list.setFixedHeight(max(min(self.list.count(), MOST_ROWS), 1) * max(self.list.sizeHintForRow(0), 1) + 4)
        self.adjustSize()
        self._step(1, start=-1)

    def _meant(self, typed: str) -> Sequence[Command]:
        """Those that can be run first; of these the ones used last, then those whose name itself was typed."""
        meant = [one for one in self._commands if matches(one, typed)]
        places = {name: place for place, name in enumerate(self._recent)}
        return sorted(
            meant,
            key=lambda one: (bool(one.why), places.get(one.id, len(places)), not begins(one.text, typed)),
        )

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            match event.key():
                case Qt.Key.Key_Down:
                    self._step(1)
                    return True
                case Qt.Key.Key_Up:
                    self._step(-1)
                    return True
                case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                    self._run()
                    return True
        return super().eventFilter(watched, event)

    def _step(self, by: int, start: int | None = None) -> None:
        """Chooses the next entry that can be run."""
        row = (self.list.currentRow() if start is None else start) + by
        while 0 <= row < self.list.count():
            if self.list.item(row).flags() & Qt.ItemFlag.ItemIsEnabled:
                self.list.setCurrentRow(row)
                return
            row += by

    def _run(self) -> None:
        item = self.list.currentItem()
        if item is None or not item.flags() & Qt.ItemFlag.ItemIsEnabled:
            return
        command: Command = item.data(_COMMAND)
        self.hide()
        self.ran.emit(command)
        command.run()


class _CommandDelegate(QStyledItemDelegate):
    """The name with its keys at the right, and below it what it does, or why it cannot be done."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        metrics: QFontMetrics = option.fontMetrics
        return QSize(200, 2 * metrics.height() + 12)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        command: Command = index.data(_COMMAND)
        drawn: Any = option  # its fields are not in PySide's stubs
        area, palette, font = QRect(drawn.rect), QPalette(drawn.palette), QFont(drawn.font)
        role, middle = QPalette.ColorRole, Qt.AlignmentFlag.AlignVCenter
        chosen = bool(drawn.state & QStyle.StateFlag.State_Selected) and not command.why
        painter.save()
        if chosen:
            painter.fillRect(area, palette.color(role.Highlight))
        ink = palette.color(QPalette.ColorGroup.Active, role.HighlightedText if chosen else role.Text)
        quiet = ink if chosen else palette.color(QPalette.ColorGroup.Active, role.PlaceholderText)
        mode = QIcon.Mode.Disabled if command.why else QIcon.Mode.Selected if chosen else QIcon.Mode.Normal
        icon: QIcon = index.data(Qt.ItemDataRole.DecorationRole)
        icon.paint(painter, QRect(area.left() + 8, area.center().y() - 8, 16, 16), mode=mode)
        metrics = QFontMetrics(font)
        line = QRect(area.left() + 36, area.top() + 4, area.width() - 44, metrics.height())
        keys = QRect(line)
        keys.setLeft(line.right() - metrics.horizontalAdvance(command.keys))
        painter.setPen(quiet)
        painter.drawText(keys, middle, command.keys)
        name = line.adjusted(0, 0, -keys.width() - 8, 0)
        painter.setPen(quiet if command.why else ink)
        painter.drawText(name, middle, metrics.elidedText(command.text, Qt.TextElideMode.ElideRight, name.width()))
        painter.setPen(quiet)
        below = line.translated(0, metrics.height() + 2)
        words = f"Not now: {command.why}" if command.why else command.tip
        painter.drawText(below, middle, metrics.elidedText(words, Qt.TextElideMode.ElideRight, below.width()))
        painter.restore()
