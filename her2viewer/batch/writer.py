"""The folder of results: a JSON and a picture per pair as they come, the tables at the end, what is kept on resuming."""

import hashlib
import json
import tempfile
from pathlib import Path
from typing import Final

from her2viewer.batch.drawing import save_drawing
from her2viewer.batch.options import BatchOptions
from her2viewer.batch.row import BatchRow, guarded, written
from her2viewer.cases.names import same
from her2viewer.cases.pair import Pair
from her2viewer.errors import ExportError
from her2viewer.export.explanation import ExplanationDocument, write_arrays, write_explanation
from her2viewer.export.files import safe_name, write_atomic
from her2viewer.export.places import file_within, without_places
from her2viewer.export.results import SCHEMA, ResultDocument, read_json, write_json
from her2viewer.export.table import csv_row, failed_row, write_csv

TABLE: Final = "results.csv"
LIST: Final = "results.json"
_HEAD_BYTES: Final = 200


class BatchWriter:
    """Writes the rows of one run into `options.out`. `add` and `close` belong to one thread, `finished` to any.

    Every pair's files are whole as soon as `add` returns, the JSON last: a run that is killed has lost nothing but its
    tables, and `resume` takes the results up again. The tables list all results in the folder and the failures of this run.
    """

    def __init__(self, options: BatchOptions) -> None:
        """Makes the folder. Raises ExportError where it cannot be written, or holds results and is not to be resumed."""
        self._options = options
        self._rows: list[BatchRow] = []
        self._own: set[Path] = set()
        _make_writable(options.out)
        found = _results_in(options.out)
        if not options.resume and (found or (options.out / TABLE).exists() or (options.out / LIST).exists()):
            raise ExportError(
                "there are results in this folder already",
                path=options.out.resolve(),
                remedy="choose another folder, or go on with these results (on the command line: --resume)",
            )
        self._earlier = found

    def finished(self, pair: Pair) -> BatchRow | None:
        """The row of a pair whose result is in the folder and was made of the same bytes by the same model, or None.

        Where pictures or explanations are wanted and this pair's is not there, it counts as not finished.
        """
        options = self._options
        document = self._earlier.get(self._json(pair))
        if not options.resume or options.model is None or document is None:
            return None
        files = [self._json(pair)]
        if options.overlay:
            files.append(self._picture(pair))
        if options.explain:
            files += self._explanation(pair)
        images = document.images
        try:
            he = _sha256(pair.he) if pair.he is not None else None
            same_bytes = he == (images.he.sha256 if images.he is not None else None)
            same_bytes = same_bytes and _sha256(pair.ihc) == images.ihc.sha256
        except OSError:  # opening the pair will say it better
            return None
        if (document.alignment is not None) != (options.align and pair.he is not None):
            return None
        if not same_bytes or document.model.sha256 != options.model.sha256 or not all(f.is_file() for f in files):
            return None
        document = document.model_copy(update={"case_id": pair.case_id, "label": pair.label})
        return BatchRow(pair, document, None, 0.0, tuple(files), resumed=True)

    def add(self, row: BatchRow) -> BatchRow:
        """Writes the pair's files and takes the row into the tables. Returns the row without its pixels.

        A bug while drawing becomes the row's error. Raises ExportError where a file cannot be written (what is full for
        one pair is full for the next); the row is then in no table.
        """
        row = guarded(row.pair, lambda: self._written(row), raising=(ExportError,))
        self._rows.append(row)
        return row

    def _written(self, row: BatchRow) -> BatchRow:
        if row.result is None or row.resumed:
            return written(row, row.files)
        files = []
        if row.drawing is not None:
            files.append(self._claim(self._picture(row.pair)))
            save_drawing(files[-1], row.drawing, row.pair.case_id, self._options)
        if row.explanation is not None:
            document, arrays = map(self._claim, self._explanation(row.pair))
            write_arrays(arrays, row.explanation)
            write_explanation(document, ExplanationDocument.of(row.explanation, row.result, arrays.name))
            files += [document, arrays]
        # Last, since it says that the pair is done.
        files.append(self._claim(self._json(row.pair)))
        write_json(files[-1], row.result)
        return written(row, tuple(files))

    def close(self) -> tuple[Path, ...]:
        """Writes the tables anew and returns their paths; none where there is nothing to list. Raises ExportError."""
        own = {self._json(row.pair) for row in self._rows}
        earlier = [document for path, document in sorted(self._earlier.items()) if path not in own]
        if not earlier and not self._rows:
            return ()
        table, listing = self._options.out / TABLE, self._options.out / LIST
        write_csv(table, [*map(csv_row, earlier), *(self._cells(row) for row in self._rows)])
        objects = [*map(_plain, earlier), *(self._object(row) for row in self._rows)]
        with write_atomic(listing) as file:
            file.write((json.dumps(objects, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "replace"))
        return table, listing

    def _cells(self, row: BatchRow) -> dict[str, str | int | float | None]:
        if row.result is not None:
            return csv_row(row.result)
        pair = row.pair
        error = row.error or "not scored"
        return failed_row(pair.case_id, pair.he, pair.ihc, error, label=pair.label, root=self._options.root)

    def _object(self, row: BatchRow) -> dict[str, object]:
        if row.result is not None:
            return _plain(row.result)
        pair, root = row.pair, self._options.root
        return {
            "schema": SCHEMA,
            "case_id": pair.case_id,
            "label": pair.label,
            "images": {
                stain: {"file": file_within(path, root)}
                for stain, path in (("he", pair.he), ("ihc", pair.ihc))
                if path is not None
            },
            "error": without_places(row.error or "not scored"),
        }

    def _json(self, pair: Pair) -> Path:
        return self._options.out / f"{file_stem(pair.case_id)}.json"

    def _picture(self, pair: Pair) -> Path:
        return self._options.out / f"{file_stem(pair.case_id)}_overlay.png"

    def _explanation(self, pair: Pair) -> tuple[Path, Path]:
        """What questions a pair's score, and its maps as arrays."""
        stem = file_stem(pair.case_id)
        return self._options.out / f"{stem}_explanation.json", self._options.out / f"{stem}_maps.npz"

    def _claim(self, path: Path) -> Path:
        """The path, where nothing stands that a user may have put there."""
        if not self._options.resume and path not in self._own and path.exists():
            raise ExportError("a file of this name is there already", path=path, remedy="choose an empty folder")
        self._own.add(path)
        return path


def file_stem(case_id: str) -> str:
    """The name of a case's files without their endings; never that of the tables."""
    stem = safe_name(case_id)
    if same(stem) != Path(LIST).stem:
        return stem
    return f"{stem}-{hashlib.sha256(case_id.encode()).hexdigest()[:8]}"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _plain(document: ResultDocument) -> dict[str, object]:
    return document.model_dump(mode="json", by_alias=True)


def _results_in(folder: Path) -> dict[Path, ResultDocument]:
    """The result files of a folder. What is no result file, or a damaged one, is passed over."""
    found = {}
    for path in folder.glob("*.json"):
        try:
            with path.open("rb") as file:
                if SCHEMA.encode() not in file.read(_HEAD_BYTES) or path.name == LIST:
                    continue
            found[path] = read_json(path)
        except (OSError, ExportError):
            continue
    return found


def _make_writable(folder: Path) -> None:
    """Makes the folder and tries it, before hours of work are done for it. Raises ExportError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except (FileExistsError, NotADirectoryError) as error:
        raise ExportError("is a file, not a folder", path=folder, remedy="choose a folder for the results") from error
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ExportError(
            f"results cannot be written there ({reason})", path=folder, remedy="choose another folder for the results"
        ) from error
