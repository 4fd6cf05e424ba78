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
