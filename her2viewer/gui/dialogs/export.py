"""Choosing what to export and where to."""

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from her2viewer.export.files import safe_name
from her2viewer.gui.controllers.exporting import ExportWish
from her2viewer.gui.panels.section import quiet
from her2viewer.scoring.stains import Stain

_WHICH = (
    ("H&E and IHC side by side", tuple(Stain)),
    ("H&E", (Stain.HE,)),
    ("IHC HER2", (Stain.IHC,)),
)
_FORMATS = (("PNG: exact", ".png"), ("TIFF: exact, for further work", ".tif"), ("JPEG: small, not exact", ".jpg"))

_NAMELESS = "overlay"


def no_names_box(checked: bool) -> QCheckBox:
    """The choice whether names are left out, as every dialog of an export has it."""
    box = QCheckBox("Leave out the names of the case and its files")
    box.setChecked(checked)
    box.setToolTip("The case is called by a hash of its images; whoever has the images can find it again")
    return box


class ExportDialog(QDialog):
    """`chosen` carries the wish when the user takes it."""

    chosen = Signal(object)

    def __init__(
        self,
        folder: Path,
        name: str,
        *,
        map_on: bool,
        field: str = "",
        no_names: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        """field: what the field is called that the score is of; empty for the whole image."""
        super().__init__(parent)
        self.setWindowTitle("Export the annotated picture")
        self.setMinimumWidth(560)
        self.which = QComboBox()
        for title, stains in _WHICH:
            self.which.addItem(title, stains)
        self.format = QComboBox()
        for title, suffix in _FORMATS:
            self.format.addItem(title, suffix)
        self.with_map = QCheckBox("Draw the map over the tissue, with its legend")
        self.with_map.setChecked(map_on)
        self.with_result = QCheckBox("Write the result beside it, as JSON")
        self.with_result.setChecked(True)
        self.folder = QLineEdit(str(folder))
        self.folder.setAccessibleName("Folder")
        browse = QPushButton("Browse...")
        browse.clicked.connect(self._on_browse)
        self.name = QLineEdit(safe_name(name))
        self.name.setAccessibleName("File name without ending")
        self._proposed = self.name.text()
        self.no_names = no_names_box(no_names)
        self.no_names.toggled.connect(self._on_names)
        self._on_names(no_names)
        self._hint = QLabel()
        self._hint.setObjectName("warning")
        self._hint.setWordWrap(True)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.folder, 1)
        row.addWidget(browse)
        form = QFormLayout()
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(8)
        form.addRow("Picture", self.which)
        form.addRow("", self.with_map)
        form.addRow("Format", self.format)
        form.addRow("Folder", row)
        form.addRow("Name", self.name)
        form.addRow("", self.with_result)
        form.addRow("", self.no_names)
        form.addRow("", self._hint)
        of = f"Of {field} alone, the field whose score is shown. " if field else ""
        note = quiet(
            f"{of}At the resolution of the source, with score, probabilities, model and the research-use line."
        )
        note.setWordWrap(True)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.export = buttons.addButton("Export", QDialogButtonBox.ButtonRole.AcceptRole)
        self.export.setProperty("primary", True)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(16)
        layout.addWidget(note)
        layout.addLayout(form)
        layout.addStretch(1)
        layout.addWidget(buttons)
        for line in (self.folder, self.name):
            line.textChanged.connect(self._check)
        self.format.currentIndexChanged.connect(self._check)
        self._check()

    @property
    def wish(self) -> ExportWish:
        """What the dialog says now."""
        path = Path(self.folder.text().strip()) / f"{self.name.text().strip()}{self.format.currentData()}"
        return ExportWish(
            path,
            tuple(self.which.currentData()),
            self.with_map.isChecked(),
            self.with_result.isChecked(),
            self.no_names.isChecked(),
        )

    def accept(self) -> None:
        super().accept()
        self.chosen.emit(self.wish)

    def _on_names(self, without: bool) -> None:
        """The name that was proposed is that of the case; one that the user typed stays."""
        if self.name.text() in (self._proposed, _NAMELESS):
            self.name.setText(_NAMELESS if without else self._proposed)

    def _on_browse(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "Export into", self.folder.text())
        if chosen:
            self.folder.setText(chosen)

    def _check(self) -> None:
        """Whether it can be written as far as can be told now, and what would be replaced."""
        name, folder = self.name.text().strip(), self.folder.text().strip()
        hint = ""
        if not name or not folder:
            hint = "Choose a folder and a name."
        elif safe_name(name) != name:
            hint = f"Not every system can store this name; '{safe_name(name)}' would do."
        elif not Path(folder).is_dir():
            hint = "There is no such folder."
        elif self.wish.path.exists():
            hint = f"{self.wish.path.name} is there already and will be replaced."
        self._hint.setText(hint)
        self._hint.setVisible(bool(hint))
        self.export.setEnabled(bool(name) and safe_name(name) == name and Path(folder).is_dir())
