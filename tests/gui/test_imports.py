"""The window stands before torch: nothing of the gui may pull it in."""

import subprocess
import sys

SCRIPT = """
import importlib, pkgutil, sys
import her2viewer.gui
for module in pkgutil.walk_packages(her2viewer.gui.__path__, "her2viewer.gui."):
    importlib.import_module(module.name)
print([name for name in ("torch", "torchvision", "matplotlib", "scipy") if name in sys.modules])
"""


def test_importing_the_gui_imports_no_torch() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


EMIT = """
import os
os.environ["QT_QPA_PLATFORM"] = "offscreen"
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction
from her2viewer.gui.app import application
application()
class Speaker(QObject):
    said = Signal(int)
speaker = Speaker()
speaker.said.connect(lambda _: None)
action = QAction("x")
for number in range(100_000):
    speaker.said.emit(number)
    action.setText("y")
    action.setEnabled(number % 2 == 0)
print("alive")
"""


def test_a_hundred_thousand_calls_do_not_end_the_app() -> None:
    """PySide6 6.12.0 gives away references to True and None; under Python 3.11 that ends the app (see pyproject.toml)."""
    done = subprocess.run([sys.executable, "-c", EMIT], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip() == "alive", done.stderr[-400:]
    assert done.returncode == 0
