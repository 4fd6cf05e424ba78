"""A library that can no longer be read is set aside, and the last copy of it takes its place. Nothing is deleted."""

import shutil
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from her2viewer.cases.library.database import BACKUP_SUFFIX, open_database
from her2viewer.cases.library.library import LOG_SUFFIX
from her2viewer.cases.log import ActionLog
from her2viewer.errors import DamagedLibrary, LibraryError

_PARTS: Final = ("", "-wal", "-shm")
"""What SQLite keeps of one database."""


@dataclass(frozen=True, slots=True)
class Rescue:
    """What was done. aside: where the damaged file lies now. copied: when the copy that took its place was made, UTC, ISO 8601,
    or None where there was none and the library begins anew.
    """

    aside: Path
    copied: str | None

    @property
    def sentence(self) -> str:
        """For the user."""
        kept = f"The damaged library was kept as {self.aside.name}."
        if self.copied is None:
            return f"{kept} There is no copy of it; a new library was begun. What was read stands in its log."
        return f"{kept} The copy of {self.copied[:16].replace('T', ' ')} UTC took its place; what came later stands in its log."


def rescue(path: Path) -> Rescue:
    """Sets a damaged library aside, and puts its last copy in its place. Its log stays and goes on, and is told of it.

    Raises LibraryError where the library can be read (then there is nothing to do), or a file cannot be moved.
    """
    try:
        open_database(path).close()
    except DamagedLibrary:
        pass
    else:
        raise LibraryError("the case library can be read", path=path, remedy="go on using it")
    now = datetime.now(UTC)
    aside = _free(path.with_name(f"{path.name}.damaged-{now:%Y%m%d-%H%M%S}"))
    copy = path.with_name(path.name + BACKUP_SUFFIX)
    try:
        for part in _PARTS:
            with suppress(FileNotFoundError):
                path.with_name(path.name + part).rename(aside.with_name(aside.name + part))
        copied = _taken(copy, path)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise LibraryError(f"it cannot be set aside ({reason})", path=path, remedy="close what uses it") from error
    log = ActionLog(path.with_name(path.name + LOG_SUFFIX))
    log.append("library restored", {"copy_of": copied, "aside": aside.name})
    return Rescue(aside, copied)


def _taken(copy: Path, path: Path) -> str | None:
    """Puts a copy of the copy in place where it can be read; when it was made."""
    if not copy.is_file():
        return None
    draft = path.with_name(path.name + ".tmp")
    shutil.copyfile(copy, draft)
    try:
        open_database(draft).close()
    except LibraryError:
        for part in _PARTS:
            draft.with_name(draft.name + part).unlink(missing_ok=True)
        return None
    draft.replace(path)
    return datetime.fromtimestamp(copy.stat().st_mtime, UTC).isoformat(timespec="seconds")


def _free(path: Path) -> Path:
    """A name that nothing has; two in one second are told apart."""
    number, found = 1, path
    while found.exists():
        number += 1
        found = path.with_name(f"{path.name}-{number}")
    return found
