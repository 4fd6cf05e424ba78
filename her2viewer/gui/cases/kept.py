"""Scores of this session, kept with their case: paging back shows what was there."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from her2viewer.gui.cases.cases import CaseKey
from her2viewer.scoring.evidence import Evidence
from her2viewer.scoring.prediction import ModelIdentity

MOST_BYTES: Final = 64 * 2**20

Stamps = tuple[tuple[int, int], ...]
"""Of each file its length in bytes and when it was last written (ns): whether it is still the one that was scored."""


@dataclass(frozen=True, eq=False, slots=True)
class _Kept:
    stamps: Stamps
    evidence: Evidence
    nbytes: int


class KeptScores:
    """Evidence by (H&E, IHC), the longest unused dropped first, within a limit of bytes."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._kept: OrderedDict[CaseKey, _Kept] = OrderedDict()
        self.nbytes = 0

    def keep(self, key: CaseKey, stamps: Stamps, evidence: Evidence) -> None:
        """Keeps a score in place of the one before."""
        self._drop(key)
        nbytes = evidence.network_input.nbytes + evidence.class_maps.nbytes
        self._kept[key] = _Kept(stamps, evidence, nbytes)
        self.nbytes += nbytes
        while self.nbytes > self._most and len(self._kept) > 1:
            self._drop(next(iter(self._kept)))

    def find(self, key: CaseKey, stamps: Stamps, model: ModelIdentity) -> Evidence | None:
        """What was kept, where the files are still those and the model is the one in use."""
        kept = self._kept.get(key)
        if kept is None or kept.stamps != stamps or kept.evidence.prediction.model != model:
            return None
        self._kept.move_to_end(key)
        return kept.evidence

    def _drop(self, key: CaseKey) -> None:
        dropped = self._kept.pop(key, None)
        self.nbytes -= dropped.nbytes if dropped is not None else 0
