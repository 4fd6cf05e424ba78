"""What happens when something goes wrong that nobody foresaw: it is logged, and a report can be copied."""

import logging
import logging.handlers
import platform
import sys
import threading
import traceback
from pathlib import Path
from types import TracebackType

import platformdirs
from PySide6.QtCore import QMessageLogContext, QObject, QtMsgType, Signal, qInstallMessageHandler, qVersion

from her2viewer import __version__

LOG = logging.getLogger("her2viewer")

_QT_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}


def log_path() -> Path:
    """Where this user's log is."""
    return Path(platformdirs.user_log_dir("HER2 Viewer", appauthor=False)) / "her2viewer.log"


def start_log(path: Path) -> None:
    """Logs to a file of at most 1 MB, with two older ones kept. Where it cannot be written the app runs without."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.handlers.RotatingFileHandler(path, maxBytes=1_000_000, backupCount=2, encoding="utf-8")
    except OSError:
        return
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(threadName)s: %(message)s"))
    LOG.addHandler(handler)
    LOG.setLevel(logging.INFO)


def report_of(error: BaseException) -> str:
    """The text of a report: versions, then the traceback. It holds no image, but may name files: the user reads it first."""
    trace = "".join(traceback.format_exception(error))
    return f"HER2 Viewer {__version__}, Python {platform.python_version()}, Qt {qVersion()}, {platform.platform()}\n\n{trace}"


class CrashReporter(QObject):
    """Catches what nobody else did, on any thread. `reported` is heard on the window's thread: the signal hops over."""

    reported = Signal(str)

    def install(self) -> None:
        """Takes the places of the interpreter's and Qt's handlers."""
        sys.excepthook = self._on_exception
        threading.excepthook = self._on_thread_exception
        qInstallMessageHandler(_log_qt)

    def uninstall(self) -> None:
        """Gives the places back."""
        sys.excepthook = sys.__excepthook__
        threading.excepthook = threading.__excepthook__
        qInstallMessageHandler(None)

    def report(self, error: BaseException) -> None:
        """Logs an error and shows its report. Callable on any thread."""
        text = report_of(error)
        LOG.error(text)
        self.reported.emit(text)

    def _on_exception(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        self.report(error)

    def _on_thread_exception(self, arguments: threading.ExceptHookArgs) -> None:
        if arguments.exc_value is not None:
            self.report(arguments.exc_value)


def _log_qt(kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
    LOG.log(_QT_LEVELS.get(kind, logging.WARNING), "Qt: %s", message)
