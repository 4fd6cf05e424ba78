"""What an index says to others: a JSON with every file's hash, and a table that can be indexed again."""

import csv
import hashlib
import io
import json
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from her2viewer.cases.pairing import Pair
from her2viewer.errors import ExportError
from her2viewer.scoring.stains import Stain
from training.data.cache import file_hash
from training.data.index import Index
from training.data.search import files_of
from training.files import replacing

SCHEMA: Final = "her2viewer.index/1"


def file_hashes(pairs: Sequence[Pair]) -> list[tuple[str, ...]]:
    """The SHA-256 of each pair's one or two files, H&E first. Raises ImageError where one cannot be read."""
    with ThreadPoolExecutor(4) as workers:
        return list(workers.map(lambda pair: tuple(map(file_hash, files_of(pair).values())), pairs))


def index_document(index: Index, hashes: Sequence[tuple[str, ...]], audit: dict[str, Any] | None) -> dict[str, Any]:
    """`index.json`: counts, every pair with its files' hashes, every refusal. Paths are relative to the folder.

    `sha256` is one hash over all pairs (label, split and files' hashes, sorted), the same wherever the data lies.
    """
    rows = sorted(
        "\t".join((pair.split or "", pair.label or "", *own)) for pair, own in zip(index.pairs, hashes, strict=True)
    )
    return {
        "schema": SCHEMA,
        "root": index.root.resolve().name,
        "sha256": hashlib.sha256("\n".join(rows).encode()).hexdigest(),
        "counts": {split: dict(sorted(counts.items())) for split, counts in sorted(index.counts().items())},
        "remarks": list(index.remarks),
        "pairs": [
            {"case_id": pair.case_id, "label": pair.label, "split": pair.split, "group": pair.group}
            | {
                str(stain): {"file": relative(path, index.base), "sha256": digest}
                for (stain, path), digest in zip(files_of(pair).items(), own, strict=True)
            }
            for pair, own in zip(index.pairs, hashes, strict=True)
        ],
        "refused": [
            {"file": relative(refusal.path, index.base), "reason": refusal.reason} for refusal in index.refused
        ],
        "audit": audit,
    }


def write_json(path: Path, document: dict[str, Any]) -> None:
    """Raises ExportError where it cannot be written."""
    _write(path, json.dumps(document, indent=1, ensure_ascii=False) + "\n")


def write_manifest(path: Path, pairs: Iterable[Pair]) -> None:
    """A CSV of pairs that `index`, `fit` and `evaluate` take; files are named from the CSV's own folder."""
    columns = ("case_id", "he", "ihc", "label", "split", "group")
    lines: list[dict[str, str | None]] = []
    for pair in pairs:
        files = {str(stain): relative(file, path.resolve().parent) for stain, file in files_of(pair).items()}
        facts = {"case_id": pair.case_id, "label": pair.label, "split": pair.split, "group": pair.group}
        lines.append(facts | {str(stain): files.get(str(stain), "") for stain in Stain})
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    _write(path, buffer.getvalue())


def relative(path: Path, base: Path) -> str:
    """A path seen from a folder, with '/'. Raises ExportError where both are on different drives."""
    try:
        return Path(os.path.relpath(path.resolve(), base.resolve())).as_posix()
    except ValueError as error:
        raise ExportError(
            "it lies on another drive, so that no relative path leads to it", path=path, remedy="write to its own drive"
        ) from error


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as draft:
            draft.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ExportError(
            f"it cannot be written ({error.strerror or error})",
            path=path,
            remedy="choose a folder with room and the right",
        ) from error
