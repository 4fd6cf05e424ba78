"""Where drawn fields are kept: with their case in the library, in a file beside the settings while there is none."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from her2viewer.cases.library.library import Library
from her2viewer.cases.pair import pair_files
from her2viewer.errors import LibraryError
from her2viewer.gui.library.keeper import Keeper, kept_or_none

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Shelved:
    """Fields as GeoJSON. `same_images`: drawn on the very images; otherwise their scores are of others."""

    fields: str
    same_images: bool


class Shelf(Protocol):
    """Keeps the fields of a pair (H&E, IHC) as GeoJSON. Both methods read files: on the window's thread at its end alone."""

    def read(self, he: Path, ihc: Path) -> Shelved | None: ...

    def keep(self, he: Path, ihc: Path, fields: str) -> bool: ...


class NoShelf:
    """Keeps nothing: implements Shelf where there is no library."""

    def read(self, he: Path, ihc: Path) -> Shelved | None:
        return None

    def keep(self, he: Path, ihc: Path, fields: str) -> bool:
        return False


class LibraryShelf:
    """Fields lie on the IHC, so that they hold for the case however its H&E lies on it. Implements Shelf."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper

    def read(self, he: Path, ihc: Path) -> Shelved | None:
        """What is kept of the pair; None where nothing is, or the library cannot be asked.

        Images that were written anew are another case: what was drawn where they lay before comes with them, without scores.
        """

        def work(library: Library, case: int) -> Shelved | None:
            fields = library.fields(case)
            if fields is not None:
                return Shelved(fields, same_images=True)
            places = he.resolve(), ihc.resolve()
            for found in library.search(pair_files(he, ihc).case_id, most=50):
                other = found.case
                if other.id != case and other.he is not None and (other.he.path, other.ihc.path) == places:
                    fields = library.fields(other.id)
                    return None if fields is None else Shelved(fields, same_images=False)
            return None

        return self._of(he, ihc, work)

    def keep(self, he: Path, ihc: Path, fields: str) -> bool:
        """Whether it is kept now."""

        def work(library: Library, case: int) -> bool:
            library.keep_fields(case, fields)
            return True

        return bool(self._of(he, ihc, work))

    def _of(self, he: Path, ihc: Path, work: Callable[[Library, int], _Result]) -> _Result | None:
        def asked(library: Library) -> _Result | None:
            kept = library.open_case(pair_files(he, ihc))
            if kept.ihc.path != ihc.resolve():
                raise LibraryError("the stains are swapped", path=ihc, remedy="swap them back")
            return work(library, kept.id)

        return kept_or_none(self._keeper, asked)
