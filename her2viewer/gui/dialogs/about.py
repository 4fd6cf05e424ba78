"""Who made this, and under which licences it comes."""

from importlib import metadata
from typing import Final

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QTextBrowser, QVBoxLayout, QWidget

from her2viewer import RESEARCH_USE, __version__

_PARTS: Final = (
    ("PySide6_Essentials", "LGPL-3.0"),
    ("pyqtgraph", "MIT"),
    ("torch", "BSD-3-Clause"),
    ("numpy", "BSD-3-Clause"),
    ("opencv-python-headless", "Apache-2.0"),
    ("Pillow", "MIT-CMU"),
    ("tifffile", "BSD-3-Clause"),
    ("safetensors", "Apache-2.0"),
    ("superqt", "BSD-3-Clause"),
    ("QtAwesome", "MIT; Phosphor icons: MIT"),
    ("pydantic", "MIT"),
    ("typer", "MIT"),
    ("rich", "MIT"),
    ("platformdirs", "MIT"),
    ("shapely", "BSD-3-Clause; GEOS: LGPL-2.1"),
)


class AboutDialog(QDialog):
    """The version, and the parts the app is made of. The model has a dialog of its own."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("About HER2 Viewer")
        self.resize(720, 560)
        words = QLabel(
            f"HER2 Viewer {__version__}. H&E and HER2 IHC side by side, with a field-level score that can be questioned.\n"
            f"{RESEARCH_USE}"
        )
        words.setWordWrap(True)
        parts = QTextBrowser()
        parts.setOpenLinks(False)
        rows = "\n".join(f"| {name} | {_version(name)} | {licence} |" for name, licence in _PARTS)
        parts.setMarkdown(
            "HER2 Viewer itself is under the MIT licence. It is made with:\n\n"
            f"| part | version | licence |\n|---|---|---|\n{rows}\n"
        )
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(16)
        for widget in (words, parts, buttons):
            layout.addWidget(widget)


def _version(distribution: str) -> str:
    """The installed version; a frozen bundle may not carry it."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""
