"""Choosing a pair: two files, seen before they are opened, with what is wrong said beside them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QImage, QPixmap
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from her2viewer.cases.names import guess_stain
from her2viewer.errors import UserError
from her2viewer.gui.controllers.images import Opener
from her2viewer.gui.lanes import Context, Lane
from her2viewer.gui.panels.section import heading, quiet
from her2viewer.imaging.identity import same_picture
from her2viewer.imaging.source import ImageSource, RGBImage
from her2viewer.imaging.thumbnail import thumbnail
from her2viewer.scoring.stains import Stain

THUMBNAIL = 96
_COMPARE = "compare the pair"
FILE_FILTER = (
    "Images and slides (*.png *.jpg *.jpeg *.tif *.tiff *.bmp *.webp *.svs *.ndpi *.mrxs *.scn *.bif *.btf *.dcm *.czi)"
    ";;All files (*)"
)


@dataclass(frozen=True, eq=False, slots=True)
class Preview:
    """What is seen of a file before it is opened. `source` is closed again: it has facts, and no pixels."""

    picture: RGBImage
    words: str
    source: ImageSource


def look_at(opener: Opener, path: Path, context: Context) -> Preview:
    """In the files lane: a thumbnail and a line on a file. Raises ImageError."""
    context.token.check()
    with opener(path) as source:
        width, height = source.size
        mpp = f", {source.mpp.um:.3g} µm/px" if source.mpp is not None else ""
        notes = f"; {'; '.join(source.notes)}" if source.notes else ""
        words = f"{source.format}, {width} x {height} px{mpp}{notes}"
        return Preview(thumbnail(source, THUMBNAIL), words, source)


class FileRow(QFrame):
    """One stain's file: a thumbnail, a path, and what there is to say of it."""

    changed = Signal()

    def __init__(self, stain: Stain, folder: str, opener: Opener, files: Lane) -> None:
        super().__init__()
        self.setObjectName("fileRow")
        self.setAcceptDrops(True)
        self._stain = stain
        self._folder = folder
        self._opener = opener
        self._files = files
        self.preview: Preview | None = None
        self._picture = QLabel()
        self._picture.setFixedSize(THUMBNAIL, THUMBNAIL)
        self._picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.line = QLineEdit()
        self.line.setPlaceholderText(f"Choose or drop the {stain.caption} image")
        self.line.setAccessibleName(f"{stain.caption} file")
        self.line.textChanged.connect(self._on_text)
        self.browse = QPushButton("Browse...")
        self.browse.setAccessibleName(f"Browse for the {stain.caption} image")
        self.browse.clicked.connect(self._on_browse)
        self._words = quiet()
        self._words.setWordWrap(True)
        grid = QGridLayout(self)
        grid.setContentsMargins(8, 8, 8, 8)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(4)
        grid.addWidget(self._picture, 0, 0, 3, 1)
        grid.addWidget(heading(stain.caption), 0, 1)
        grid.addWidget(self.line, 1, 1)
        grid.addWidget(self.browse, 1, 2)
        grid.addWidget(self._words, 2, 1, 1, 2, Qt.AlignmentFlag.AlignTop)
        grid.setColumnStretch(1, 1)
        grid.setRowMinimumHeight(2, 36)
        grid.setRowStretch(2, 1)

    @property
    def path(self) -> Path | None:
        text = self.line.text().strip().strip('"')
        return Path(text) if text else None

    def _on_browse(self) -> None:
        start = str(self.path.parent) if self.path is not None else self._folder
        chosen, _ = QFileDialog.getOpenFileName(self, f"The {self._stain.caption} image", start, FILE_FILTER)
        if chosen:
            self.line.setText(chosen)

    def _on_text(self) -> None:
        self.preview = None
        self._picture.setPixmap(QPixmap())
        self._say("", trouble=False)
        path = self.path
        topic = f"look {self._stain}"
        if path is None:
            self._files.drop(topic)
        else:
            self._files.submit(
                topic,
                lambda context: look_at(self._opener, path, context),
                self._on_preview,
                failed=lambda error: self._say(_sentence(error), trouble=True),
            )
        self.changed.emit()

    def _on_preview(self, preview: Preview) -> None:
        self.preview = preview
        rows, columns, _ = preview.picture.shape
        image = QImage(preview.picture.data, columns, rows, 3 * columns, QImage.Format.Format_RGB888)
        self._picture.setPixmap(QPixmap.fromImage(image))
        self._say(preview.words, trouble=False)
        self.changed.emit()

    def _say(self, text: str, *, trouble: bool) -> None:
        self._words.setText(text)
        self._words.setObjectName("trouble" if trouble else "")
        self._words.setProperty("quiet", not trouble)
        self._words.style().unpolish(self._words)
        self._words.style().polish(self._words)

    def forget(self) -> None:
        """Stops looking at files."""
        self._files.drop(f"look {self._stain}")

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if len([url for url in event.mimeData().urls() if url.isLocalFile()]) == 1:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        self.line.setText(event.mimeData().urls()[0].toLocalFile())


class OpenPairDialog(QDialog):
    """Two rows of files. `chosen` carries them when the user opens them."""

    chosen = Signal(object)

    def __init__(self, folder: str, opener: Opener, files: Lane, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Open a pair")
        self.setMinimumWidth(640)
        self._files = files
        self._compared: tuple[Preview, Preview] | None = None
        self._same = False
        self.rows: Mapping[Stain, FileRow] = {stain: FileRow(stain, folder, opener, files) for stain in Stain}
        self._hint = QLabel()
        self._hint.setWordWrap(True)
        self._hint.setObjectName("warning")
        self.swap = QPushButton("Swap")
        self.swap.setToolTip("Exchange the two files")
        self.swap.clicked.connect(self._on_swap)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Open | QDialogButtonBox.StandardButton.Cancel)
        self.open_button = buttons.button(QDialogButtonBox.StandardButton.Open)
        self.open_button.setProperty("primary", True)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        bottom = QHBoxLayout()
        bottom.addWidget(self.swap)
        bottom.addWidget(buttons, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(8)
        for row in self.rows.values():
            layout.addWidget(row)
            row.changed.connect(self._check)
        layout.addWidget(self._hint)
        layout.addSpacing(8)
        layout.addLayout(bottom)
        self._check()

    def set_files(self, files: Mapping[Stain, Path]) -> None:
        """Fills in what stands in the panes now."""
        for stain, path in files.items():
            self.rows[stain].line.setText(str(path))

    def accept(self) -> None:
        files = {stain: path for stain, row in self.rows.items() if (path := row.path) is not None}
        super().accept()
        self.chosen.emit(files)

    def done(self, result: int) -> None:
        for row in self.rows.values():
            row.forget()
        self._files.drop(_COMPARE)
        super().done(result)

    def _on_swap(self) -> None:
        first, second = (row.line for row in self.rows.values())
        was = first.text()
        first.setText(second.text())
        second.setText(was)

    def _check(self) -> None:
        """What is missing or doubtful, in words; opening is possible when both files can be read."""
        he, ihc = (self.rows[stain] for stain in Stain)
        ready, hint = False, ""
        if he.preview is not None and ihc.preview is not None:
            previews = (he.preview, ihc.preview)
            if previews == self._compared:
                ready = not self._same
            else:
                self._compare(previews)
        if not ready and self._same and he.preview is not None and ihc.preview is not None:
            hint = "Both rows hold the same picture: choose the other stain of this tissue in one of them."
        elif (he.path and guess_stain(he.path) is Stain.IHC) or (ihc.path and guess_stain(ihc.path) is Stain.HE):
            hint = "By their names the two files look swapped."
        self._hint.setText(hint)
        self._hint.setVisible(bool(hint))
        self.open_button.setEnabled(ready)

    def _compare(self, previews: tuple[Preview, Preview]) -> None:
        """In the files lane: two copies of one slide are told by reading them."""
        self._same = False

        def answered(same: bool) -> None:
            self._compared, self._same = previews, same
            self._check()

        he, ihc = previews
        self._files.submit(_COMPARE, lambda _: same_picture(he.source, ihc.source), answered)


def _sentence(error: UserError) -> str:
    """An error without the file's name, which stands beside it."""
    return f"{error.what[:1].upper()}{error.what[1:]}; {error.remedy}."
