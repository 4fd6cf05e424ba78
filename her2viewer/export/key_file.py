"""The key of a run without names: which name became which. Written only where the user says where to."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from her2viewer.cases.pseudonyms import Alias
from her2viewer.export.files import write_atomic
from her2viewer.export.places import file_within
from her2viewer.export.table import neutralised

COLUMNS: Final = ("case_id", "name", "he_file", "ihc_file")


def write_key(path: Path, given: Sequence[Alias], root: Path | None) -> None:
    """One row a case: what it is called in the results, then its name and files. Raises ExportError."""
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(COLUMNS)
    for alias in given:
        he = "" if alias.pair.he is None else file_within(alias.pair.he, root)
        told = (alias.case_id, alias.pair.case_id, he, file_within(alias.pair.ihc, root))
        rows.writerow(map(neutralised, told))
    with write_atomic(path) as file:
        file.write(out.getvalue().encode("utf-8-sig", "replace"))
