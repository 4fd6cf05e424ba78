"""What the library holds, as values."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

NOT_ASSESSABLE: Final = "not assessable"
READER_SCORES: Final = ("0", "1+", "2+", "3+", NOT_ASSESSABLE)
"""What a reader may say of a case."""


@dataclass(frozen=True, slots=True)
class KeptFile:
    """An image as it was seen last. `path` is absolute and never leaves the library; `identity` says which bytes they were."""

    path: Path
    identity: str

    @property
    def is_there(self) -> bool:
        """Asks the disk: not on the window's thread."""
        return self.path.is_file()


@dataclass(frozen=True, slots=True)
class KeptCase:
    """A case. `he` is None where the IHC is alone. Times are UTC, ISO 8601; `opened` is empty where it never was. `label` and
    `case_id`: as the file names say them, whatever the title is now.
    """

    id: int
    title: str
    label: str | None
    he: KeptFile | None
    ihc: KeptFile
    notes: str
    tags: tuple[str, ...]
    created: str
    opened: str
    case_id: str = ""


@dataclass(frozen=True, slots=True)
class KeptPrediction:
    """What a model said of the whole case. `document`: the result file's JSON."""

    case: int
    score: str
    no_call: str | None
    model: str
    model_sha256: str
    document: str
    utc: str


class ReadingKind(StrEnum):
    """How a reading stands to the model: made before its score was seen; after, and the same; after, and another."""

    BLIND = "blind"
    AGREED = "agreed"
    OVERRIDE = "override"


@dataclass(frozen=True, slots=True)
class Reading:
    """A reader's own score. `seconds`: from the case's opening to the score, None where not measured. `model_score`: that of the
    model which it is set beside, None where there was none; its name, hash and why it made no call, if it made none. `revealed`:
    whether the reader had seen it.
    """

    id: int
    case: int
    score: str
    reason: str
    reader: str
    seconds: float | None
    model_score: str | None
    revealed: bool
    utc: str
    model: str | None = None
    model_sha256: str | None = None
    model_no_call: str | None = None

    @property
    def kind(self) -> ReadingKind:
        if not self.revealed or self.model_score is None:
            return ReadingKind.BLIND
        return ReadingKind.AGREED if self.score == self.model_score else ReadingKind.OVERRIDE


@dataclass(frozen=True, slots=True)
class FoundCase:
    """A row of a list: the case with its last reading and prediction."""

    case: KeptCase
    reading: Reading | None
    prediction: KeptPrediction | None
