"""What `python -m training` offers, and that it says so at once."""

import subprocess
import sys

from typer.testing import CliRunner

from training.__main__ import PANELS, app


def test_help_lists_every_command_in_the_order_of_its_use() -> None:
    said = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"}).output
    names = [word for panel, commands in PANELS.items() for word in (panel, *(one.__name__ for one in commands))]
    first_words = [
        words[0] if len(words) > 1 else "" for words in (line.strip("│ ").split() for line in said.splitlines())
    ]
    listed = [word for word in first_words if word in names]
    assert listed == [name for name in names if name not in PANELS]
    assert all(panel in said for panel in PANELS)


def test_help_waits_for_no_library_of_the_training() -> None:
    heavy = "{'torch', 'lightning', 'cv2', 'sklearn'}"
    code = f"import sys, training.__main__; sys.exit(', '.join({heavy} & set(sys.modules)) or 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and not done.stderr, done.stderr
