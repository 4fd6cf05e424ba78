from pathlib import Path

import cv2
import numpy as np
import pytest

from her2viewer.cases import case
from her2viewer.cases.case import open_pair
from her2viewer.errors import ImageError, PairError
from her2viewer.imaging.flat import FlatImage
from her2viewer.scoring.prediction import FieldOfView
from her2viewer.scoring.stains import Stain
from tests.scoring.conftest import tissue


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    he, ihc = tmp_path / "a_HE.png", tmp_path / "a_IHC.png"
    cv2.imwrite(str(he), tissue(1, (64, 48))[..., ::-1])
    cv2.imwrite(str(ihc), tissue(2, (60, 50), "ihc")[..., ::-1])
    return he, ihc


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[FlatImage]:
    """Every image that is opened, so that a test can see that it was closed."""
    sources: list[FlatImage] = []
    real = case.open_image

    def watched(path: Path) -> object:
        sources.append(real(path))
        return sources[-1]

    monkeypatch.setattr(case, "open_image", watched)
    return sources


def is_closed(source: FlatImage) -> bool:
    try:
        source.read(0, 0, 0, 1, 1)
    except ValueError:
        return True
    return False


def test_both_whole_images_are_read_as_they_are(files: tuple[Path, Path], opened: list[FlatImage]) -> None:
    with open_pair(*files) as pair:
        field = pair.read()
        assert (pair.source(Stain.HE), pair.source(Stain.IHC)) == (pair.he, pair.ihc)
        assert (pair.he.path, pair.ihc.path) == files
    np.testing.assert_array_equal(field.pixels[Stain.HE], tissue(1, (64, 48)))
    np.testing.assert_array_equal(field.pixels[Stain.IHC], tissue(2, (60, 50), "ihc"))
    assert field.fields == {Stain.HE: FieldOfView(0, 0, 64, 48), Stain.IHC: FieldOfView(0, 0, 60, 50)}
    assert len(opened) == 2 and all(is_closed(source) for source in opened)


@pytest.mark.parametrize("bad", [0, 1])
def test_where_one_cannot_be_opened_the_other_is_closed(
    files: tuple[Path, Path], opened: list[FlatImage], bad: int
) -> None:
    files[bad].write_text("text, not an image")
    with pytest.raises(ImageError, match=rf"^{files[bad].name}: holds text"):
        open_pair(*files)
    assert len(opened) == 1 and is_closed(opened[0])


def test_where_both_cannot_be_opened_the_he_is_named(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"^a\.png: there is no such file"):
        open_pair(tmp_path / "a.png", tmp_path / "b.png")


def test_the_same_file_twice_is_refused_before_it_is_read(files: tuple[Path, Path], opened: list[FlatImage]) -> None:
    with pytest.raises(PairError, match="the same file was given"):
        open_pair(files[0], files[0].parent / "." / files[0].name)
    assert not opened


def test_the_same_content_twice_is_refused_and_closed(files: tuple[Path, Path], opened: list[FlatImage]) -> None:
    files[1].write_bytes(files[0].read_bytes())
    with pytest.raises(PairError, match=r"^a_IHC\.png: it is the same picture as a_HE\.png"):
        open_pair(*files)
    assert len(opened) == 2 and all(is_closed(source) for source in opened)


def test_too_little_memory_is_said(files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*_: object) -> None:
        raise MemoryError

    with open_pair(*files) as pair:
        monkeypatch.setattr(FlatImage, "read", read)
        with pytest.raises(ImageError, match="not enough memory"):
            pair.read()
