"""The part of the state that is about the case on screen and its reading, and what the library knows of others."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from types import MappingProxyType

from her2viewer.cases.library.records import FoundCase, KeptCase, KeptPrediction, Reading
from her2viewer.errors import UserError
from her2viewer.gui.library.undoing import UndoOrder


class LibraryPhase(Enum):
    """Where the case library stands."""

    OPENING = auto()
    OPEN = auto()
    FAILED = auto()


@dataclass(frozen=True, eq=False, slots=True)
class ReadingState:
    """`case`: the one on screen, None until the library has said which it is. `reading`: its last one; `prediction`: the last
    that was kept of it. `known`: cases of the library by where their images (H&E, IHC) are. `blind`: the model is hidden until
    the reader has scored.
    """

    blind: bool = False
    phase: LibraryPhase = LibraryPhase.OPENING
    error: UserError | None = None
    case: KeptCase | None = None
    reading: Reading | None = None
    prediction: KeptPrediction | None = None
    known: Mapping[tuple[Path | None, Path], FoundCase] = field(default_factory=lambda: MappingProxyType({}))
    tags: tuple[str, ...] = ()
    """Every tag of the library, the most used first."""
    order: UndoOrder = UndoOrder()  # noqa: RUF009  immutable
    undo_label: str = ""
    redo_label: str = ""

    @property
    def hides(self) -> bool:
        """Whether what the model says of the case on screen is hidden. Not without a library: nothing could reveal it."""
        return self.blind and self.phase is not LibraryPhase.FAILED and self.reading is None

    def hides_case(self, he: Path | None, ihc: Path) -> bool:
        """The same of any case, by where its images are; one that is not known was not read."""
        if not self.blind or self.phase is LibraryPhase.FAILED:
            return False
        found = self.known.get((he, ihc)) or self.known.get((ihc, he or ihc))
        return found is None or found.reading is None
