"""The evidence of scored fields, within a bound of memory: what was looked at longest ago goes first and is computed again."""

from collections import OrderedDict
from typing import Final

from her2viewer.scoring.evidence import Evidence
from her2viewer.scoring.prediction import FieldOfView

MOST_BYTES: Final = 64_000_000
"""Some 400 fields of a 224 x 224 model."""


class EvidenceKeep:
    """By the field that was scored, in level-0 px of the IHC; of one pair, one model and one alignment."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._kept: OrderedDict[FieldOfView, Evidence] = OrderedDict()
        self.bytes = 0

    def get(self, field: FieldOfView) -> Evidence | None:
        """The evidence of a field; None where there is none any more."""
        evidence = self._kept.get(field)
        if evidence is not None:
            self._kept.move_to_end(field)
        return evidence

    def put(self, field: FieldOfView, evidence: Evidence) -> None:
        self._drop(field)
        self._kept[field] = evidence
        self.bytes += _size(evidence)
        while self.bytes > self._most and len(self._kept) > 1:
            self._drop(next(iter(self._kept)))

    def clear(self) -> None:
        self._kept.clear()
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    def _drop(self, field: FieldOfView) -> None:
        dropped = self._kept.pop(field, None)
        if dropped is not None:
            self.bytes -= _size(dropped)


def _size(evidence: Evidence) -> int:
    return evidence.network_input.nbytes + evidence.class_maps.nbytes
