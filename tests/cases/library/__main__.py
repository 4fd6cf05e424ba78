"""`python -m tests.cases.library [KILLS]`: kills a process that saves readings, so many times; the long form of the test."""

import sys
import tempfile
from pathlib import Path

from tests.cases.library.test_kills import check_kills

if __name__ == "__main__":
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    with tempfile.TemporaryDirectory() as folder:
        check_kills(Path(folder), kills)
    print(f"{kills} kills while saving: the library opened each time, nothing that was kept is gone, the log is whole.")
