"""Where this user's library is."""

from pathlib import Path
from typing import Final

import platformdirs

LIBRARY: Final = "library.db"


def library_path() -> Path:
    """On this machine, in the folder that the system gives to the app's data of this user."""
    return Path(platformdirs.user_data_dir("HER2 Viewer", appauthor=False)) / LIBRARY
