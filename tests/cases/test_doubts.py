from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from her2viewer.cases.doubts import doubt_of, doubts
from her2viewer.cases.pair import Pair, ihc_alone, pair_files
from her2viewer.errors import Cancelled


def picture(path: Path, size: tuple[int, int] = (60, 50), shade: int = 200) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((size[1], size[0], 3), shade, np.uint8))
    return path


def test_a_plain_pair_is_not_doubtful(tmp_path: Path) -> None:
    pair = pair_files(picture(tmp_path / "S1_HE.png"), picture(tmp_path / "S1_IHC.png", shade=90))
    assert doubt_of(pair) is None and doubt_of(ihc_alone(pair.ihc)) is None


@pytest.mark.parametrize(
    ("he", "ihc", "says"),
    [
        (("S1_IHC.png", (60, 50), 1), ("S1_HE.png", (60, 50), 2), "sounds like the IHC HER2: swapped?"),
        (("S1_HE.png", (60, 50), 1), ("S1_IHC.png", (60, 50), 1), "the same bytes"),
        (("S1_HE.png", (60, 50), 1), ("S1_IHC.png", (120, 50), 2), "unlike proportions, 60 x 50 and 120 x 50 px"),
        (("S1_1+_HE.png", (60, 50), 1), ("S1_3+_IHC.png", (60, 50), 2), "two labels, 1+ and 3+"),
    ],
)
def test_what_is_odd_is_said(he: tuple, ihc: tuple, says: str, tmp_path: Path) -> None:  # type: ignore[type-arg]
    files = [picture(tmp_path / name, size, shade) for name, size, shade in (he, ihc)]
    told = doubt_of(Pair("S1", *files))
    assert told is not None and says in told


def test_a_file_in_two_pairs_is_doubtful_and_what_cannot_be_read_is_left_to_the_run(tmp_path: Path) -> None:
    he, ihc = picture(tmp_path / "a_HE.png"), picture(tmp_path / "a_IHC.png", shade=1)
    first = pair_files(he, ihc)
    second = replace(pair_files(picture(tmp_path / "b_HE.png", shade=3), ihc), case_id="b")
    missing = Pair("c", tmp_path / "c_HE.png", tmp_path / "c_IHC.png")
    assert doubts([first, second, missing]) == {"b": "a_IHC.png stands in a as well"}

    def stop() -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        doubts([first], stop)
