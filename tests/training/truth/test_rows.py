"""Rows on disk: read back as they were, cut off where a kill left half a line, never mixed with another run's."""

from dataclasses import replace
from pathlib import Path

import pytest

from her2viewer.errors import ExportError
from training.truth.maps import MapName
from training.truth.metrics import Marks
from training.truth.rows import PAIRS, MapRow, PairFile, PairRow, merged

FACTS = {"seed": 505, "tolerance_um": 10.0, "raster": 256}
DENSITY = MapRow(MapName("DAB density"), {"ihc": Marks(1.0, 0.4, 0.5)})
CAM = MapRow(MapName("Grad-CAM", "layer4"), {"ihc": Marks(0.0, 0.25, 0.3)}, positive=3.5, peak=0.9, ihc_share=0.75)


def row(index: int = 0, model: str = "aa", maps: tuple[MapRow, ...] = (DENSITY, CAM)) -> PairRow:
    return PairRow(model, index, "2+", "1+", 12, {"ihc": 0.2}, {"ihc": 0.3}, 0.5, maps)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    file = PairFile(tmp_path / "run", FACTS)
    file.append([row(0), row(1)])
    file.append([row(0, "bb")])
    assert PairFile(tmp_path / "run", FACTS).read() == [row(0), row(0, "bb"), row(1)]


def test_a_line_that_a_kill_broke_off_is_cut(tmp_path: Path) -> None:
    PairFile(tmp_path, FACTS).append([row(0), row(1)])
    whole = (tmp_path / PAIRS).read_bytes()
    (tmp_path / PAIRS).write_bytes(whole[:-30])
    again = PairFile(tmp_path, FACTS)
    assert again.read() == [row(0)]
    again.append([row(1)])
    assert (tmp_path / PAIRS).read_bytes() == whole


def test_maps_made_later_join_their_pair() -> None:
    found = merged([row(3, maps=(DENSITY,)), row(2), row(3, maps=(CAM,))])
    assert [one.index for one in found] == [2, 3]
    assert found[1] == replace(row(3), seconds=1.0)


@pytest.mark.parametrize("fact", ["seed", "tolerance_um", "raster"])
def test_a_run_that_judges_otherwise_is_refused(tmp_path: Path, fact: str) -> None:
    PairFile(tmp_path, FACTS).append([row()])
    with pytest.raises(ExportError, match="other phantoms"):
        PairFile(tmp_path, FACTS | {fact: 7})
    assert PairFile(tmp_path, FACTS).read() == [row()]


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportError, match="cannot be written"):
        PairFile(tmp_path / "file" / "run", FACTS)
