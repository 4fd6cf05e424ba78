"""Device, precision, model and theme."""

from dataclasses import dataclass
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

from her2viewer.gui.bench import ModelWish
from her2viewer.gui.lanes import Lane
from her2viewer.gui.panels.section import quiet
from her2viewer.gui.theme import ThemeChoice
from her2viewer.scoring.package import ModelPackage, bundled_package, open_package

_DEVICES = {"auto": "Automatic: the GPU where there is a working one", "cpu": "CPU", "cuda": "NVIDIA GPU (CUDA)"}
_PRECISIONS = {"fp32": "fp32: the same numbers everywhere", "bf16": "bf16: faster, the difference is measured and said"}
_THEMES = {ThemeChoice.SYSTEM: "As the system", ThemeChoice.LIGHT: "Light", ThemeChoice.DARK: "Dark"}


@dataclass(frozen=True, slots=True)
class Preferences:
    """What the dialog is about."""

    model: ModelWish
    theme: ThemeChoice
    score_on_open: bool
    register_on_open: bool
    hints_again: bool = False


class PreferencesDialog(QDialog):
    """`accepted_with` carries the preferences when the user takes them."""

    accepted_with = Signal(object)

    def __init__(
        self, preferences: Preferences, notices: tuple[str, ...], files: Lane, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Preferences")
        self.setMinimumWidth(560)
        self._files = files
        self.device = _combo(_DEVICES, preferences.model.device)
        self.precision = _combo(_PRECISIONS, preferences.model.precision)
        self.theme = _combo(_THEMES, preferences.theme)
        self.folder = QLineEdit(str(preferences.model.folder or ""))
        self.folder.setPlaceholderText("The model that ships with the app")
        self.folder.setAccessibleName("Model package folder")
        self.folder.textChanged.connect(lambda _: self._say("", trouble=False))
        browse = QPushButton("Browse...")
        browse.clicked.connect(self._on_browse)
        self.verify = QPushButton("Verify")
        self.verify.setToolTip("Check the package and the SHA-256 of its weights")
        self.verify.clicked.connect(self._on_verify)
        self._verdict = QLabel()
        self._verdict.setWordWrap(True)
        self.score_on_open = QCheckBox("Score a pair as soon as it is open")
        self.score_on_open.setChecked(preferences.score_on_open)
        self.score_on_open.setToolTip("Leave it off to judge the field yourself first")
        self.register_on_open = QCheckBox("Register a pair as soon as it is open")
        self.register_on_open.setChecked(preferences.register_on_open)
        self.register_on_open.setToolTip(
            "Finds how the H&E lies on the IHC, in the background; images of one size are taken to show one field"
        )
        self.hints_again = QCheckBox("Show the first-time hints again")
        self.hints_again.setToolTip("Each comes once more, when there is something to try it on")
        notice = quiet("\n".join(notices))
        notice.setWordWrap(True)
        notice.setVisible(bool(notices))
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.folder, 1)
        row.addWidget(browse)
        row.addWidget(self.verify)
        form = QFormLayout()
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(8)
        form.addRow("Theme", self.theme)
        form.addRow("Device", self.device)
        form.addRow("Precision", self.precision)
        form.addRow("", notice)
        form.addRow("Model", row)
        form.addRow("", self._verdict)
        form.addRow("", self.register_on_open)
        form.addRow("", self.score_on_open)
        form.addRow("", self.hints_again)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        buttons.button(QDialogButtonBox.StandardButton.Ok).setProperty("primary", True)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(16)
        layout.addLayout(form)
        layout.addStretch(1)
        layout.addWidget(buttons)
        self._verdict.hide()

    @property
    def preferences(self) -> Preferences:
        """What the dialog says now."""
        text = self.folder.text().strip()
        wish = ModelWish(Path(text) if text else None, self.device.currentData(), self.precision.currentData())
        return Preferences(
            wish,
            ThemeChoice(self.theme.currentData()),
            self.score_on_open.isChecked(),
            self.register_on_open.isChecked(),
            self.hints_again.isChecked(),
        )

    def accept(self) -> None:
        super().accept()
        self.accepted_with.emit(self.preferences)

    def done(self, result: int) -> None:
        self._files.drop("verify")
        super().done(result)

    def _on_browse(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "A model package", self.folder.text())
        if chosen:
            self.folder.setText(chosen)

    def _on_verify(self) -> None:
        folder = self.preferences.model.folder
        self._say("Verifying", trouble=False)
        self._files.submit(
            "verify",
            lambda _: verify(folder),
            lambda words: self._say(words, trouble=False),
            failed=lambda error: self._say(str(error), trouble=True),
        )

    def _say(self, text: str, *, trouble: bool) -> None:
        self._verdict.setText(text)
        self._verdict.setVisible(bool(text))
        self._verdict.setObjectName("trouble" if trouble else "")
        self._verdict.style().unpolish(self._verdict)
        self._verdict.style().polish(self._verdict)
        self.adjustSize()


def verify(folder: Path | None) -> str:
    """In the files lane: opens a package and hashes its weights. Raises PackageError."""
    package: ModelPackage = open_package(folder) if folder is not None else bundled_package()
    package.weights()
    return f"{package.manifest.identity}: complete, and the weights are those it names (SHA-256)."


def _combo(entries: dict[str, str] | dict[ThemeChoice, str], chosen: str) -> QComboBox:
    box = QComboBox()
    for value, title in entries.items():
        box.addItem(title, value)
    box.setCurrentIndex(max(box.findData(chosen), 0))
    return box
