"""A row becomes plain data: what is to be written of a pair, as bytes, so that any thread, process or machine can make it."""

import io
from dataclasses import dataclass, replace

from her2viewer.batch.drawing import encoded_drawing
from her2viewer.batch.names import ARRAYS, EXPLANATION, PICTURE, RESULT, file_stem
from her2viewer.batch.options import BatchOptions
from her2viewer.batch.row import BatchRow, guarded
from her2viewer.export.explanation import ExplanationDocument, save_arrays
from her2viewer.export.results import json_text


@dataclass(frozen=True, slots=True)
class EncodedRow:
    """A row without pixels, and its files in the order in which they are to be written: the ending of the name, the bytes.

    The result comes last, since it says that the pair is done. A failed row has no files. Pickles: it may come from another
    process. Nothing is read out of the bytes again.
    """

    row: BatchRow
    files: tuple[tuple[str, bytes], ...]


def encode(row: BatchRow, options: BatchOptions) -> EncodedRow:
    """Draws, compresses and formats what is to be written of a row. Never raises: a bug becomes the row's error."""
    if row.result is None or row.resumed:
        return EncodedRow(_light(row), ())
    found = guarded(row.pair, lambda: _encoded(row, options))
    return found if isinstance(found, EncodedRow) else EncodedRow(found, ())


def endings(options: BatchOptions) -> tuple[str, ...]:
    """How the files of a scored pair end, in the order in which they are written."""
    return (
        *((PICTURE,) if options.overlay else ()),
        *((ARRAYS, EXPLANATION) if options.explain else ()),
        RESULT,
    )


def _encoded(row: BatchRow, options: BatchOptions) -> EncodedRow:
    assert row.result is not None
    made: dict[str, bytes] = {}
    if row.drawing is not None:
        made[PICTURE] = encoded_drawing(row.drawing, row.pair.case_id, options)
    if row.explanation is not None:
        arrays = io.BytesIO()
        save_arrays(arrays, row.explanation)
        made[ARRAYS] = arrays.getvalue()
        name = file_stem(row.pair.case_id) + ARRAYS
        made[EXPLANATION] = ExplanationDocument.of(row.explanation, row.result, name).text.encode()
    made[RESULT] = json_text(row.result).encode()
    return EncodedRow(_light(row), tuple((ending, made[ending]) for ending in endings(options)))


def _light(row: BatchRow) -> BatchRow:
    """Without pixels."""
    return replace(row, drawing=None, explanation=None)
