"""Light and dark: one set of colours each, from which the palette and the style sheet are made."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, Qt, QTemporaryDir, Signal
from PySide6.QtGui import QColor, QFontInfo, QPalette
from PySide6.QtWidgets import QApplication

from her2viewer.export.score_colour import score_hex
from her2viewer.gui.icons import write_caret


class ThemeChoice(StrEnum):
    """What the user wishes; `SYSTEM` follows the desktop."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True)
class Tokens:
    """The colours of one theme. Text on any ground of the theme has a contrast of at least 4.5:1 (a test says so)."""

    window: str
    panel: str
    raised: str
    line: str
    text: str
    quiet: str
    accent: str
    on_accent: str
    warning: str
    warning_ground: str
    error: str
    error_ground: str
    empty: str


LIGHT: Final = Tokens(
    window="#ececec",
    panel="#f7f7f7",
    raised="#ffffff",
    line="#d0d0d0",
    text="#1c1c1c",
    quiet="#5c5c5c",
    accent="#1f5f8b",
    on_accent="#ffffff",
    warning="#6b4a00",
    warning_ground="#fbf0d2",
    error="#8f1d1d",
    error_ground="#fae3e1",
    empty="#dedede",
)
DARK: Final = Tokens(
    window="#1f1f1f",
    panel="#282828",
    raised="#343434",
    line="#454545",
    text="#ececec",
    quiet="#b0b0b0",
    accent="#7db7e0",
    on_accent="#101010",
    warning="#f2d58a",
    warning_ground="#3d3420",
    error="#f5b5ae",
    error_ground="#432725",
    empty="#2e2e2e",
)

SMALLEST_TYPE: Final = 13
"""Pixels."""


def score_colour(index: int, classes: int) -> QColor:
    """The colour of a class by its place among `classes`, as files have it."""
    return QColor(score_hex(index, classes))


def palette_of(tokens: Tokens) -> QPalette:
    """Qt's roles from the tokens."""
    role = QPalette.ColorRole
    colours = {
        role.Window: tokens.window,
        role.WindowText: tokens.text,
        role.Base: tokens.raised,
        role.AlternateBase: tokens.panel,
        role.Text: tokens.text,
        role.Button: tokens.raised,
        role.ButtonText: tokens.text,
        role.BrightText: tokens.error,
        role.Highlight: tokens.accent,
        role.HighlightedText: tokens.on_accent,
        role.Link: tokens.accent,
        role.LinkVisited: tokens.accent,
        role.ToolTipBase: tokens.raised,
        role.ToolTipText: tokens.text,
        role.PlaceholderText: tokens.quiet,
        role.Accent: tokens.accent,
        role.Mid: tokens.line,
        role.Dark: tokens.line,
        role.Light: tokens.raised,
        role.Midlight: tokens.panel,
        role.Shadow: tokens.line,
    }
    palette = QPalette()
    for name, colour in colours.items():
        palette.setColor(name, QColor(colour))
    faint = QColor(tokens.quiet)
    faint.setAlpha(150)
    for name in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, name, faint)
    return palette


def style_sheet(tokens: Tokens, caret: str, type_size: int) -> str:
    """What the palette cannot say: flat panels, an 8 px grid, one weight for emphasis.

    caret: the file of a picture; type_size: pixels.
    """
    return f"""
    QWidget {{ font-size: {type_size}px; }}
    QLabel[emphasis="true"] {{ font-weight: 600; }}
    QLabel[quiet="true"] {{ color: {tokens.quiet}; }}
    QMainWindow, QDialog {{ background: {tokens.window}; }}
    QMainWindow::separator {{ background: {tokens.line}; width: 1px; height: 1px; }}
    QToolTip {{ background: {tokens.raised}; color: {tokens.text}; border: 1px solid {tokens.line}; padding: 4px; }}
    QToolBar {{ background: {tokens.panel}; border: 0; border-bottom: 1px solid {tokens.line}; padding: 4px 8px; spacing: 4px; }}
    QToolBar::separator {{ background: {tokens.line}; width: 1px; margin: 4px 4px; }}
    QToolButton {{ border: 1px solid transparent; border-radius: 4px; padding: 4px 6px; }}
    QToolButton:hover, QToolButton:focus {{ border-color: {tokens.line}; background: {tokens.raised}; }}
    QToolButton:focus {{ border-color: {tokens.accent}; }}
    QToolButton:checked {{ background: {tokens.raised}; border-color: {tokens.accent}; }}
    QMenuBar {{ background: {tokens.panel}; }}
    QMenuBar::item {{ padding: 4px 8px; background: transparent; }}
    QMenuBar::item:selected {{ background: {tokens.accent}; color: {tokens.on_accent}; }}
    QMenu {{ background: {tokens.raised}; border: 1px solid {tokens.line}; padding: 4px; }}
    QMenu::item {{ padding: 4px 24px 4px 8px; }}
    QMenu::icon {{ padding-left: 8px; }}
    QMenu::item:selected {{ background: {tokens.accent}; color: {tokens.on_accent}; }}
    QMenu::item:disabled {{ color: {tokens.quiet}; background: transparent; }}
    QMenu::separator {{ height: 1px; background: {tokens.line}; margin: 4px 0; }}
    QStatusBar {{ background: {tokens.panel}; border-top: 1px solid {tokens.line}; }}
    QStatusBar::item {{ border: 0; }}
    #sidePanel, #sidePanel > QWidget, #sideContent {{ background: {tokens.panel}; }}
    #sidePanel {{ border: 0; border-left: 1px solid {tokens.line}; }}
    QDockWidget {{ background: {tokens.panel}; }}
    #dockTitle {{ background: {tokens.panel}; border-bottom: 1px solid {tokens.line}; }}
    #casesPanel QWidget {{ background: {tokens.panel}; }}
    #casesPanel QListView {{ border: 0; border-top: 1px solid {tokens.line}; border-radius: 0; }}
    #scaleLink {{ color: {tokens.accent}; padding: 2px 4px; text-decoration: underline; }}
    #information, #information > QWidget, #information > QWidget > QWidget {{ background: {tokens.raised}; }}
    #popover, #hint {{ background: {tokens.raised}; border: 1px solid {tokens.line}; border-radius: 4px; }}
    #fold, #smallFold {{ border: 0; padding: 2px 4px 2px 0; }}
    #fold {{ font-weight: 600; }}
    #smallFold {{ color: {tokens.quiet}; }}
    #fold:hover, #fold:focus, #smallFold:hover, #smallFold:focus {{ background: transparent; color: {tokens.accent}; }}
    #modelName {{ color: {tokens.quiet}; padding: 1px 6px; }}
    #modelName:hover, #modelName:focus {{ color: {tokens.text}; }}
    #rule {{ background: {tokens.line}; }}
    #pane {{ border: 1px solid {tokens.line}; background: {tokens.window}; }}
    #pane[focused="true"] {{ border: 1px solid {tokens.quiet}; }}
    #pane[dropTarget="true"] {{ border: 1px solid {tokens.accent}; }}
    #paneHeader {{ background: {tokens.panel}; border-bottom: 1px solid {tokens.line}; }}
    #strip {{ background: {tokens.panel}; border: 1px solid {tokens.line}; border-top: 0; }}
    #strip QScrollArea, #strip QScrollArea > QWidget > QWidget {{ background: transparent; }}
    #compareBar {{ background: {tokens.panel}; border: 1px solid {tokens.line}; border-bottom: 0; }}
    #linkState {{ padding-right: 16px; }}
    #emptyPane {{ background: {tokens.empty}; }}
    #notice {{ background: rgba(0, 0, 0, 150); color: white; border-radius: 4px; padding: 4px 8px; }}
    #score {{ font-size: {round(type_size * 3.4)}px; font-weight: 600; }}
    #against {{ background: {tokens.warning_ground}; color: {tokens.warning}; border-radius: 4px; padding: 8px; }}
    #message[level="info"] {{ background: {tokens.raised}; color: {tokens.text}; }}
    #message[level="warning"] {{ background: {tokens.warning_ground}; color: {tokens.warning}; }}
    #message[level="error"] {{ background: {tokens.error_ground}; color: {tokens.error}; }}
    #message {{ border: 1px solid {tokens.line}; border-radius: 4px; }}
    #message QLabel {{ color: inherit; background: transparent; }}
    #message[level="warning"] QLabel {{ color: {tokens.warning}; }}
    #message[level="error"] QLabel {{ color: {tokens.error}; }}
    #fileRow {{ background: {tokens.panel}; border: 1px solid {tokens.line}; border-radius: 4px; }}
    #fileRow[dropTarget="true"] {{ border-color: {tokens.accent}; }}
    #trouble {{ color: {tokens.error}; }}
    #warning {{ color: {tokens.warning}; }}
    QPushButton {{
        background: {tokens.raised}; color: {tokens.text}; border: 1px solid {tokens.line};
        border-radius: 4px; padding: 5px 12px; min-height: 16px;
    }}
    QPushButton:hover {{ border-color: {tokens.quiet}; }}
    QPushButton:focus {{ border-color: {tokens.accent}; }}
    QPushButton:disabled {{ color: {tokens.quiet}; background: {tokens.panel}; }}
    QPushButton:checked {{ background: {tokens.accent}; color: {tokens.on_accent}; border-color: {tokens.accent}; }}
    QPushButton[primary="true"] {{ background: {tokens.accent}; color: {tokens.on_accent}; border-color: {tokens.accent}; }}
    QPushButton[primary="true"]:disabled {{ background: {tokens.line}; color: {tokens.quiet}; border-color: {tokens.line}; }}
    QPushButton[primary="true"]:focus {{ border: 2px solid {tokens.text}; padding: 4px 11px; }}
    QPushButton[segment="true"] {{ padding: 5px 4px; min-width: 32px; }}
    QLineEdit, QPlainTextEdit, QTextBrowser, QTableView, QListView {{
        background: {tokens.raised}; border: 1px solid {tokens.line}; border-radius: 4px;
    }}
    QLineEdit {{ padding: 4px 8px; min-height: 16px; }}
    QLineEdit:focus {{ border-color: {tokens.accent}; }}
    QComboBox {{
        background: {tokens.raised}; border: 1px solid {tokens.line}; border-radius: 4px; padding: 4px 8px; min-height: 16px;
    }}
    QComboBox:focus {{ border-color: {tokens.accent}; }}
    QComboBox:disabled {{ background: {tokens.panel}; }}
    QComboBox::drop-down {{ border: 0; width: 24px; }}
    QComboBox::down-arrow {{ image: url("{caret}"); width: 12px; height: 12px; }}
    QComboBox QAbstractItemView {{ padding: 4px; }}
    QListView::item {{ padding: 4px; }}
    QScrollBar:vertical {{ width: 8px; background: transparent; margin: 0; }}
    QScrollBar:horizontal {{ height: 8px; background: transparent; margin: 0; }}
    QScrollBar::handle {{ background: {tokens.line}; border-radius: 4px; min-height: 32px; min-width: 32px; }}
    QScrollBar::handle:hover {{ background: {tokens.quiet}; }}
    QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
    QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
    QTableView::item {{ padding: 0 8px; }}
    QTableView {{ gridline-color: {tokens.line}; }}
    QHeaderView::section {{
        background: {tokens.panel}; border: 0; border-bottom: 1px solid {tokens.line}; padding: 4px 8px; font-weight: 600;
    }}
    QProgressBar {{
        background: {tokens.line}; border: 0; border-radius: 3px; max-height: 6px; min-height: 6px;
    }}
    QProgressBar::chunk {{ background: {tokens.accent}; border-radius: 3px; }}
    QSlider:horizontal {{ min-height: 20px; }}
    QSlider::groove:horizontal {{ height: 4px; background: {tokens.line}; border-radius: 2px; }}
    QSlider::sub-page:horizontal {{ background: {tokens.accent}; border-radius: 2px; }}
    QSlider::sub-page:horizontal:disabled {{ background: {tokens.line}; }}
    QSlider::handle:horizontal {{
        background: {tokens.raised}; border: 1px solid {tokens.quiet}; border-radius: 8px;
        width: 14px; height: 14px; margin: -6px 0;
    }}
    QSlider::handle:horizontal:focus {{ border: 2px solid {tokens.accent}; }}
    QScrollArea {{ border: 0; }}
    """


class Theme(QObject):
    """Applies the user's choice to the application and follows the desktop where that is the choice."""

    changed = Signal()

    def __init__(self, application: QApplication, choice: ThemeChoice = ThemeChoice.SYSTEM) -> None:
        super().__init__(application)
        self._application = application
        self._choice = choice
        self._pictures = QTemporaryDir()
        # Never smaller than can be read, and larger where the desktop's type is.
        self._type_size = max(SMALLEST_TYPE, QFontInfo(application.font()).pixelSize())
        application.setStyle("Fusion")
        application.styleHints().colorSchemeChanged.connect(self._on_system_changed)
        self._follows = True
        self._apply()

    @property
    def choice(self) -> ThemeChoice:
        return self._choice

    @property
    def tokens(self) -> Tokens:
        return DARK if self.is_dark else LIGHT

    @property
    def is_dark(self) -> bool:
        if self._choice is ThemeChoice.SYSTEM:
            return self._application.styleHints().colorScheme() == Qt.ColorScheme.Dark
        return self._choice is ThemeChoice.DARK

    def choose(self, choice: ThemeChoice) -> None:
        if choice is not self._choice:
            self._choice = choice
            self._apply()

    def close(self) -> None:
        """Follows the desktop no longer: the window is gone."""
        if self._follows:
            self._follows = False
            self._application.styleHints().colorSchemeChanged.disconnect(self._on_system_changed)

    def _on_system_changed(self) -> None:
        if self._choice is ThemeChoice.SYSTEM:
            self._apply()

    def _apply(self) -> None:
        self._application.setPalette(palette_of(self.tokens))
        caret = write_caret(Path(self._pictures.path()), QColor(self.tokens.quiet))
        self._application.setStyleSheet(style_sheet(self.tokens, caret, self._type_size))
        self.changed.emit()
