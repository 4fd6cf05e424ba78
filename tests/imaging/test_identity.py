import hashlib
from pathlib import Path

import pytest

from her2viewer.imaging.identity import file_sha256, same_picture
from her2viewer.imaging.opening import open_image
from tests.imaging.pictures import encoded, tissue
from tests.imaging.slides import write_slide


def test_the_hash_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc" * 100_000)
    assert file_sha256(tmp_path / "a") == hashlib.sha256(b"abc" * 100_000).hexdigest()


def test_flat_pictures_are_told_apart_by_their_bytes(tmp_path: Path) -> None:
    for name, seed in (("a.png", 1), ("b.png", 1), ("c.png", 2)):
        (tmp_path / name).write_bytes(encoded(tissue(seed=seed), "PNG"))
    a, b, c = (open_image(tmp_path / name) for name in ("a.png", "b.png", "c.png"))
    assert same_picture(a, b) and not same_picture(a, c)
    for path in tmp_path.iterdir():
        path.unlink()
    assert same_picture(a, b) and not same_picture(a, c)


def test_two_slides_cost_a_hash_only_where_nothing_else_tells_them_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed = []

    def count(path: Path) -> str:
        hashed.append(path.name)
        return file_sha256(path)

    monkeypatch.setattr("her2viewer.imaging.slide.file_sha256", count)
    write_slide(tmp_path / "a.tif", (3000, 2000))
    write_slide(tmp_path / "other.tif", (3000, 2000), seed=1)
    write_slide(tmp_path / "small.tif", (2900, 2000))
    (tmp_path / "copy.tif").write_bytes((tmp_path / "a.tif").read_bytes())
    with (
        open_image(tmp_path / "a.tif") as a,
        open_image(tmp_path / "copy.tif") as copy,
        open_image(tmp_path / "other.tif") as other,
        open_image(tmp_path / "small.tif") as small,
        open_image(tmp_path / "a.tif") as again,
    ):
        assert not same_picture(a, other) and not same_picture(a, small) and same_picture(a, again)
        assert hashed == []
        assert same_picture(a, copy) and same_picture(copy, a)
        assert hashed == ["a.tif", "copy.tif"]


def test_a_slide_that_is_gone_is_the_same_as_no_other(tmp_path: Path) -> None:
    write_slide(tmp_path / "a.tif", (3000, 2000))
    write_slide(tmp_path / "b.tif", (3000, 2000))
    with open_image(tmp_path / "a.tif") as a, open_image(tmp_path / "b.tif") as b:
        if _unlinked(tmp_path / "a.tif"):
            assert not same_picture(a, b)


def _unlinked(path: Path) -> bool:
    try:
        path.unlink()
    except PermissionError:  # Windows keeps a file that is open
        return False
    return True
