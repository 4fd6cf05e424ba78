"""How the files of a batch's folder are called."""

import hashlib
from pathlib import Path
from typing import Final

from her2viewer.cases.names import same
from her2viewer.export.files import safe_name

TABLE: Final = "results.csv"
LIST: Final = "results.json"
STORE: Final = "results.db"
LOG: Final = "results.log.jsonl"

PICTURE: Final = "_overlay.png"
EXPLANATION: Final = "_explanation.json"
ARRAYS: Final = "_maps.npz"
RESULT: Final = ".json"
"""How the names of a pair's files end; they begin with `file_stem` of its case id."""


def file_stem(case_id: str) -> str:
    """The name of a case's files without their endings; never that of the tables."""
    stem = safe_name(case_id)
    if same(stem) != Path(LIST).stem:
        return stem
    return f"{stem}-{hashlib.sha256(case_id.encode()).hexdigest()[:8]}"
