"""The one family of errors that a user can meet and mend.

Each says in one sentence what is wrong, which file it is about, and what to do. Anything else that is raised is a
bug and ends in a report. The text names a file, never its folder, so that it may stand in an export.
"""

import functools
from pathlib import Path


class UserError(Exception):
    """What is wrong (`what`, no full stop), the file it is about (`path`, or None) and what to do (`remedy`)."""

    def __init__(self, what: str, *, path: Path | str | None = None, remedy: str) -> None:
        self.what = what
        self.path = Path(path) if path is not None else None
        self.remedy = remedy
        super().__init__(what, path, remedy)

    def __reduce__(self) -> tuple[functools.partial["UserError"], tuple[()]]:
        # Errors come back from other processes too; by default only positional arguments would.
        return functools.partial(type(self), self.what, path=self.path, remedy=self.remedy), ()

    def __str__(self) -> str:
        subject = f"{self.path.name}: " if self.path is not None else ""
        return f"{subject}{self.what}; {self.remedy}."


class ImageError(UserError):
    """An image that cannot be opened, or must not be."""


class PairError(UserError):
    """Two images that do not make a pair, or a folder without pairs."""


class StainVectorError(UserError):
    """Stain vectors that cannot tell two dyes apart."""


class PackageError(UserError):
    """A model package that is incomplete, changed or of another schema."""


class ExportError(UserError):
    """A result that could not be written. What stood there before is untouched."""


class ClusterError(UserError):
    """A Dask cluster that cannot be reached, was lost or cannot do the work. The rows that came before stand."""


class LibraryError(UserError):
    """A case library or a log that cannot be read, written or trusted."""


class DamagedLibrary(LibraryError):
    """A case library that can no longer be read; it was left as it is."""


class AnnotationError(UserError):
    """A shape that cannot stand, a grid that cannot be laid, or a file of either that cannot be read."""


class Cancelled(Exception):
    """The user asked for the work to stop. Not an error: nothing is shown."""
