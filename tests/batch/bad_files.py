"""Twenty ways in which one pair of a folder is bad, and a folder of many pairs with some of each."""

import os
import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from her2viewer.batch.options import BatchOptions
from her2viewer.batch.row import BatchRow, score_pair
from her2viewer.batch.run import BatchSummary, run_batch
from her2viewer.cases.pair import Pair
from her2viewer.scoring.field_scorer import FieldScorer

Spoil = Callable[[Path, Path], None]
"""Makes a good pair (H&E, IHC) bad."""


def _write(data: bytes) -> Spoil:
    return lambda he, ihc: ihc.write_bytes(data) and None  # type: ignore[func-returns-value]


def _cut(share: float) -> Spoil:
    def cut(he: Path, ihc: Path) -> None:
        data = ihc.read_bytes()
        ihc.write_bytes(data[: int(len(data) * share)])

    return cut


def _png_of(width: int, height: int, body: bytes = b"") -> bytes:
    """A PNG's head that says so, with whatever behind it."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def _directory(he: Path, ihc: Path) -> None:
    ihc.unlink()
    ihc.mkdir()


def _dangling(he: Path, ihc: Path) -> None:
    ihc.unlink()
    ihc.symlink_to(ihc.with_name("nowhere.png"))


def _loop(he: Path, ihc: Path) -> None:
    ihc.unlink()
    ihc.symlink_to(ihc)


def _pipe(he: Path, ihc: Path) -> None:
    ihc.unlink()
    os.mkfifo(ihc)


def _twice(he: Path, ihc: Path) -> None:
    shutil.copy(he, ihc)


def _tiny(he: Path, ihc: Path) -> None:
    cv2.imwrite(str(ihc), np.zeros((4, 4, 3), np.uint8))


def _jpeg_cut(he: Path, ihc: Path) -> None:
    _, coded = cv2.imencode(".jpg", np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))
    ihc.write_bytes(coded.tobytes()[:300])


KINDS: Final[dict[str, Spoil]] = {
    "missing": lambda he, ihc: ihc.unlink(),
    "missing H&E": lambda he, ihc: he.unlink(),
    "empty": _write(b""),
    "cut in its head": _cut(0.01),
    "cut in the middle": _cut(0.5),
    "text": _write(b"this is not an image\n" * 100),
    "a web page": _write(b"<!DOCTYPE html><html><body>404</body></html>"),
    "a folder": _directory,
    "a link to nowhere": _dangling,
    "a link to itself": _loop,
    "a pipe": _pipe,
    "the same picture twice": _twice,
    "four pixels": _tiny,
    "a bomb": _write(_png_of(60_000, 60_000, zlib.compress(bytes(1000)))),
    "no width": _write(_png_of(0, 64)),
    "nonsense behind a PNG's head": _write(_png_of(64, 64, b"\xff" * 500)),
    "a JPEG cut short": _jpeg_cut,
    "a PDF": _write(b"%PDF-1.7\n" + bytes(500)),
    "an archive": _write(b"PK\x03\x04" + bytes(500)),
    "zeros": _write(bytes(100_000)),
}


def spoiled(pairs: list[Pair], every: int) -> dict[str, str]:
    """Spoils every so many of the pairs, the kinds in turn. Returns the kind by case id."""
    names = list(KINDS)
    found = {}
    for number, pair in enumerate(pairs[every - 1 :: every]):
        name = names[number % len(names)]
        KINDS[name](*pair.both)
        found[pair.case_id] = name
    return found


def check_run(pairs: list[Pair], bad: dict[str, str], scorer: FieldScorer, out: Path) -> BatchSummary:
    """Runs them. Every good row is that of its pair alone, to 1e-5, and every bad row says why."""
    rows: dict[str, BatchRow] = {}
    options = BatchOptions(out, overlay=False)
    summary = run_batch(pairs, scorer, options, lambda row: rows.__setitem__(row.pair.case_id, row))
    assert len(rows) == len(pairs) and summary.failed == len(bad), (summary, bad)
    for pair in pairs:
        row = rows[pair.case_id]
        if pair.case_id in bad:
            kind = bad[pair.case_id]
            assert row.error is not None and "fault in HER2 Viewer" not in row.error, (kind, row.error)
            assert row.error.endswith(".") and str(pair.ihc.parent) not in row.error, (kind, row.error)
        else:
            alone = score_pair(pair, scorer, options)
            assert row.result is not None and alone.result is not None, row.error
            assert row.result.score == alone.result.score
            for name, share in row.result.probabilities.items():
                assert abs(share - alone.result.probabilities[name]) <= 1e-5, (pair.case_id, name)
    return summary
