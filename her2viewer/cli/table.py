"""`her2viewer table`: the tables of a folder, made from its rows."""

from pathlib import Path

from her2viewer.batch.names import STORE
from her2viewer.batch.store import RowStore
from her2viewer.batch.tables import write_tables
from her2viewer.cli.terminal import Terminal
from her2viewer.errors import ExportError


def make_tables(folder: Path) -> None:
    """Writes both and says so. Raises ExportError."""
    if not (folder / STORE).is_file():
        raise ExportError(
            f"there are no rows in it ({STORE} is missing)", path=folder, remedy="name the folder that score --out was given"
        )
    store = RowStore(folder)
    try:
        count, files = len(store), write_tables(store)
    finally:
        store.close()
    names = " and ".join(path.name for path in files) or "nothing, since there are no rows"
    Terminal().say(f"{count:,} rows. Written to {folder}: {names}.")
