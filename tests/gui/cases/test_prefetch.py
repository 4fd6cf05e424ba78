"""Opening ahead: taken from the shelf while the file is the same, never more than two on it."""

import os
from pathlib import Path

import pytest

from her2viewer.errors import ImageError
from her2viewer.gui.cases import prefetch
from her2viewer.gui.cases.prefetch import PrefetchingOpener
from her2viewer.imaging.opening import open_image
from her2viewer.imaging.source import ImageSource

from ..conftest import tissue, write


class Counting:
    def __init__(self) -> None:
        self.opened: list[str] = []

    def __call__(self, path: Path) -> ImageSource:
        self.opened.append(path.name)
        return open_image(path)


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    return [write(tmp_path / f"{number}.png", tissue(number)) for number in range(4)]


def test_what_was_opened_ahead_is_not_opened_again(files: list[Path]) -> None:
    count = Counting()
    opener = PrefetchingOpener(count)
    opener.ahead(files[0], files[:2])
    opener.ahead(files[0], files[:2])
    source = opener(files[0])
    assert source.read(0, 0, 0, 2, 2).shape == (2, 2, 3)
    assert count.opened == ["0.png"] and opener.held == ()
    opener(files[0])
    assert count.opened == ["0.png", "0.png"]


def test_no_more_stands_on_the_shelf_than_the_next_pair(files: list[Path]) -> None:
    opener = PrefetchingOpener(open_image)
    for pair in (files[:2], files[2:]):
        for path in pair:
            opener.ahead(path, pair)
    assert opener.held == (files[2], files[3])
    opener.close()
    assert opener.held == ()


def test_a_file_that_changed_is_read_anew(files: list[Path]) -> None:
    opener = PrefetchingOpener(open_image)
    opener.ahead(files[0], files[:1])
    before = opener._shelf[files[0]][1].sha256
    write(files[0], tissue(77))
    os.utime(files[0], ns=(1, 1))
    assert opener(files[0]).sha256 != before
    assert opener.stamp(files[0]) == (files[0].stat().st_size, 1)


def test_large_pictures_are_left_alone(files: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prefetch, "MOST_PIXELS", 100)
    opener = PrefetchingOpener(open_image)
    opener.ahead(files[0], files[:1])
    assert opener.held == ()


def test_a_bad_file_says_so_when_it_is_asked_for(tmp_path: Path) -> None:
    bad = tmp_path / "bad.png"
    bad.write_text("no image")
    opener = PrefetchingOpener(open_image)
    with pytest.raises(ImageError):
        opener.ahead(bad, [bad])
    with pytest.raises(ImageError):
        opener(bad)
