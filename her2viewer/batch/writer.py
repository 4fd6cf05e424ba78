"""The folder of results: each pair's files and row as they come, the tables at the end, what is kept on going on."""

import hashlib
import json
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from her2viewer.batch.encode import EncodedRow, endings
from her2viewer.batch.names import LIST, TABLE, file_stem
from her2viewer.batch.options import BatchOptions
from her2viewer.batch.results_log import ResultsLog
from her2viewer.batch.row import BatchRow, written
from her2viewer.batch.store import RowStore, StoredRow
from her2viewer.batch.tables import write_tables
from her2viewer.cases.pair import Pair
from her2viewer.errors import ExportError
from her2viewer.export.files import DRAFTS, write_atomic
from her2viewer.export.places import file_within, without_places
from her2viewer.export.results import SCHEMA, ResultDocument, json_text
from her2viewer.export.table import failed_row

_AT_ONCE: Final = 8
"""Files that are written at a time."""
_DEAD_AFTER_SECONDS: Final = 3600
"""No file takes so long to be written, by the window beside this run either."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A row that stands if the pair's files still have these bytes: SHA-256 of the H&E (None without one) and the IHC."""

    row: BatchRow
    hashes: tuple[str | None, str | None]


class BatchWriter:
    """Writes the rows of one run into `options.out`. `add`, `close` and `release` belong to one thread, `finished` to any.

    Every pair's files are whole and its row is kept as soon as `add` returns: a run that is killed has lost nothing but its
    tables, and `resume` takes the rows up again. The tables list all rows of the folder. One run at a time holds a folder.
    """

    def __init__(self, options: BatchOptions) -> None:
        """Makes the folder. Raises ExportError where it cannot be written, another run is writing there, or it holds results
        and is not to be resumed.
        """
        self._options = options
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="file")
        _make_writable(options.out)
        tables = [options.out / name for name in (TABLE, LIST)]
        self._store = RowStore(options.out)
        _sweep(options.out)
        self._log = ResultsLog(options.out)
        if not options.resume and (len(self._store) or any(path.exists() for path in tables)):
            self.release()
            raise ExportError(
                "there are results in this folder already",
                path=options.out.resolve(),
                remedy="choose another folder, or go on with these results (on the command line: --resume)",
            )

    def finished(self, pair: Pair) -> BatchRow | None:
        """The row of a pair whose result is kept and was made of the same bytes by the same model in the same way, or None.

        Where a picture or an explanation is wanted and is not there any more, or a file was changed, it counts as not finished.
        """
        kept = self.kept(pair)
        try:
            return kept.row if kept is not None and hashes(pair) == kept.hashes else None
        except OSError:  # opening the pair will say it better
            return None

    def kept(self, pair: Pair) -> Kept | None:
        """As `finished`, but for the bytes of the images, which are left to be looked at: it reads none of them."""
        options = self._options
        stored = self._store.find(pair.case_id) if options.resume and options.model is not None else None
        if stored is None or stored.result is None or options.model is None:
            return None
        if stored.model_sha256 != options.model.sha256 or not options.covers(_wanted(stored)):
            return None
        files = tuple(self._file(pair, ending) for ending in endings(options))
        try:
            if files[-1].read_text(encoding="utf-8") != stored.result or not all(file.is_file() for file in files):
                return None
        except (OSError, ValueError):
            return None
        document = ResultDocument.model_validate_json(stored.result)
        document = document.model_copy(update={"case_id": pair.case_id, "label": pair.label})
        row = BatchRow(pair, document, None, 0.0, files, resumed=True)
        return Kept(row, (stored.he_sha256, stored.ihc_sha256))

    def add(self, encoded: EncodedRow, place: int | None = None) -> BatchRow:
        """Writes the pair's files and then keeps the row, which it returns with their paths.

        place: where it stands in the tables, for rows that come in another order; see `RowStore.put`.

        Raises ExportError where a file cannot be written (what is full for one pair is full for the next); the row is then
        not kept.
        """
        return self.add_all([(encoded, place)])[0]

    def add_all(self, rows: Sequence[tuple[EncodedRow, int | None]]) -> list[BatchRow]:
        """As `add` for each, sooner: files are written side by side, rows kept together. Where it raises, no row is kept."""
        fresh = [encoded for encoded, _ in rows if not encoded.row.resumed]
        # A disk does several files in the time of one, since each is waited for.
        write = map if len(fresh) < 2 else self._pool.map
        files = dict(zip(map(id, fresh), write(self._write, fresh), strict=True))
        for encoded, _ in rows:
            if encoded.row.resumed:
                self._relabel(encoded.row)
            else:
                self._tell(encoded, files[id(encoded)])
        kept = [
            (self._stored(encoded.row, tuple(path.name for path in files[id(encoded)])), place)
            for encoded, place in rows
            if not encoded.row.resumed
        ]
        if kept:
            self._store.put_all(kept)
        return [
            encoded.row if encoded.row.resumed else written(encoded.row, files[id(encoded)]) for encoded, _ in rows
        ]

    def _tell(self, encoded: EncodedRow, files: tuple[Path, ...]) -> None:
        """Before the row: one that is kept has its entry in the log, whatever becomes of the process between the two."""
        row = encoded.row
        if row.result is None:
            self._log.failed(row.pair.case_id, without_places(row.error or "not scored"))
        else:
            parts = {path.name: data for path, (_, data) in zip(files, encoded.files, strict=True)}
            self._log.scored(row.result, parts)

    def _write(self, encoded: EncodedRow) -> tuple[Path, ...]:
        files = []
        for ending, data in encoded.files:
            files.append(self._claim(self._file(encoded.row.pair, ending), encoded.row.pair.case_id))
            with write_atomic(files[-1]) as file:
                file.write(data)
        return tuple(files)

    def close(self) -> tuple[Path, ...]:
        """Writes the tables anew and returns their paths; none where there is nothing to list. Raises ExportError.

        The rows are kept whatever becomes of the tables. Lets go of the folder.
        """
        try:
            return write_tables(self._store)
        finally:
            self.release()

    def release(self) -> None:
        """Lets go of the folder without tables; leaves no empty store behind. Harmless when done twice."""
        empty = False
        with suppress(ExportError, ValueError):
            empty = not len(self._store)
        self._pool.shutdown()
        self._store.close()
        if empty:
            with suppress(OSError):
                self._store.path.unlink(missing_ok=True)

    def _relabel(self, row: BatchRow) -> None:
        """A label that was corrected since is taken over, in the pair's own file too."""
        assert row.result is not None
        stored = self._store.find(row.pair.case_id)
        if stored is not None and stored.result != json_text(row.result):
            data = json_text(row.result).encode()
            with write_atomic(row.files[-1]) as file:
                file.write(data)
            self._log.relabelled(row.result, {row.files[-1].name: data})
            self._store.put(self._stored(row, stored.files, stored.wanted))

    def _stored(self, row: BatchRow, files: tuple[str, ...], wanted: str | None = None) -> StoredRow:
        result = row.result
        wanted = wanted or json.dumps(self._options.wanted)
        if result is None:
            error = without_places(row.error or "not scored")
            failed = json.dumps({"cells": self._cells(row), "object": self._object(row)})
            return StoredRow(row.pair.case_id, None, None, None, wanted, None, error, failed, (), row.seconds)
        he = None if result.images.he is None else result.images.he.sha256
        ihc, model = result.images.ihc.sha256, result.model.sha256
        return StoredRow(
            row.pair.case_id, he, ihc, model, wanted, json_text(result), None, None, files, row.seconds
        )  # fmt: skip

    def _cells(self, row: BatchRow) -> dict[str, str | int | float | None]:
        pair, error = row.pair, row.error or "not scored"
        return failed_row(pair.case_id, *pair.shown, error, label=pair.label, root=self._root(pair))

    def _object(self, row: BatchRow) -> dict[str, object]:
        pair, root = row.pair, self._root(row.pair)
        he, ihc = pair.shown
        return {
            "schema": SCHEMA,
            "case_id": pair.case_id,
            "label": pair.label,
            "images": {
                stain: {"file": file_within(path, root)}
                for stain, path in (("he", he), ("ihc", ihc))
                if path is not None
            },
            "error": without_places(row.error or "not scored"),
        }

    def _root(self, pair: Pair) -> Path | None:
        """Names that stand in place of others lie in no folder."""
        return None if pair.names else self._options.root

    def _file(self, pair: Pair, ending: str) -> Path:
        return self._options.out / f"{file_stem(pair.case_id)}{ending}"

    def _claim(self, path: Path, case_id: str) -> Path:
        """The path, where nothing stands that a user may have put there."""
        if not self._options.resume and path.exists() and self._store.find(case_id) is None:
            raise ExportError("a file of this name is there already", path=path, remedy="choose an empty folder")
        return path


def _wanted(stored: StoredRow) -> dict[str, object]:
    found = json.loads(stored.wanted)
    return found if isinstance(found, dict) else {}


def hashes(pair: Pair) -> tuple[str | None, str]:
    """SHA-256 of both files' bytes. Raises OSError."""
    return None if pair.he is None else _sha256(pair.he), _sha256(pair.ihc)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sweep(folder: Path) -> None:
    """Removes what a run that was killed had only begun to write."""
    for draft in folder.glob(DRAFTS):
        with suppress(OSError):
            if time.time() - draft.stat().st_mtime > _DEAD_AFTER_SECONDS:
                draft.unlink()


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
