import subprocess
import sys


def test_no_export_loads_torch_or_qt() -> None:
    code = (
        "import sys, her2viewer.export.annotated, her2viewer.export.table;"
        "sys.exit(sorted({'torch', 'PySide6', 'pyqtgraph'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
