"""What the bundle starts: the same entry point as the command `her2viewer`."""

import multiprocessing
import sys

from her2viewer.__main__ import main

if __name__ == "__main__":
    multiprocessing.freeze_support()
    sys.exit(main())
