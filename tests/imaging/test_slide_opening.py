"""Which files are slides, and what is wrong with those that are not: one sentence each."""

import contextlib
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from her2viewer.errors import ImageError
from her2viewer.imaging.flat import FlatImage
from her2viewer.imaging.opening import open_image, probe
from her2viewer.imaging.slide import Slide
from tests.imaging.pictures import encoded, tissue
from tests.imaging.slides import WRITERS, write_aperio_slide, write_slide

Writer = Callable[..., Path]


def refused(path: Path, words: str) -> None:
    for attempt in (open_image, probe):
        with pytest.raises(ImageError, match=words) as caught:
            attempt(path)
        assert caught.value.path == path and caught.value.remedy and str(path.parent) not in str(caught.value)


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("name", ["a.svs", "a.tif", "a.png", "Übersicht 組織 🔬"])
def test_the_content_tells_a_slide_and_the_name_does_not(tmp_path: Path, kind: str, name: str) -> None:
    path = WRITERS[kind](tmp_path / name, (3000, 2000))
    with open_image(path) as slide:
        assert isinstance(slide, Slide) and slide.format == kind and slide.path == path
    seen = probe(path)
    assert (seen.format, seen.size) == (kind, (3000, 2000))


@pytest.mark.parametrize("options", [{}, {"tile": (128, 128)}, {"tile": (128, 128), "compression": "zlib"}], ids=str)
def test_plain_tiff_pictures_stay_flat(tmp_path: Path, options: dict[str, Any]) -> None:
    path = tmp_path / "a.svs"
    tifffile.imwrite(path, tissue(300, 400), photometric="rgb", **options)
    assert isinstance(open_image(path), FlatImage)


def test_flat_pictures_do_not_load_openslide(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encoded(tissue(), "PNG"))
    tifffile.imwrite(tmp_path / "a.tif", tissue(300, 400), photometric="rgb", tile=(128, 128))
    program = (
        "import sys; from her2viewer.imaging.opening import open_image\n"
        f"for name in ('a.png', 'a.tif'): open_image({str(tmp_path)!r} + '/' + name)\n"
        "assert 'openslide' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("writer", WRITERS.values())
def test_a_slide_that_was_not_copied_to_its_end(tmp_path: Path, writer: Writer) -> None:
    """Directories stand at the end here, as scanners write them: without it there is no slide."""
    path = writer(tmp_path / "a.tif", (3000, 2000))
    data = path.read_bytes()
    for end in (len(data) // 2, 200, 9):
        path.write_bytes(data[:end])
        refused(path, "damaged|incomplete|cut short|no whole slide")


def test_tiles_that_lie_behind_the_end_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as tiff:
        tiff.write(tissue(600, 600), photometric="rgb", tile=(128, 128))
        tiff.write(tissue(300, 300), photometric="rgb", tile=(128, 128), subfiletype=1)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) - 5000])
    refused(path, "the slide is cut short, its last part is missing; copy it again")


def test_a_mrxs_whose_folder_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "Fall 7.mrxs"
    path.write_bytes(encoded(tissue(), "JPEG"))
    refused(path, 'the folder "Fall 7" with the slide\'s data is missing')
    (tmp_path / "Fall 7").mkdir()
    refused(path, "missing or incomplete beside it; copy that folder")
    (tmp_path / "Fall 7" / "Slidedat.ini").write_text("[GENERAL]\nSLIDE_ID=1\n")
    refused(path, "the slide is damaged, incomplete or of a kind not supported")


def test_a_vms_whose_files_are_gone(tmp_path: Path) -> None:
    path = tmp_path / "Fall 8.vms"
    path.write_text(
        "[Virtual Microscope Specimen]\nNoLayers=1\nNoJpegColumns=2\nNoJpegRows=1\n"
        "ImageFile=a.jpg\nImageFile(1,0)=b.jpg\nMapFile=map.jpg\nOptimisationFile=a.opt\nPhysicalWidth=4000000\n"
    )
    refused(
        path, 'the file "a.jpg" and 2 more with the slide\'s data is missing beside it; copy all files of the slide'
    )
    for name in ("a.jpg", "map.jpg"):
        (tmp_path / name).write_bytes(encoded(tissue(), "JPEG"))
    refused(path, 'the file "b.jpg" with the slide\'s data is missing')
    (tmp_path / "b.jpg").write_bytes(b"")
    refused(path, "the slide is damaged, incomplete or of a kind not supported")
    path.write_text("[Another text]\nImageFile=a.jpg\n")
    refused(path, "holds text")


def test_a_picture_called_mrxs_is_a_picture_unless_it_is_a_jpeg(tmp_path: Path) -> None:
    (tmp_path / "a.mrxs").write_bytes(encoded(tissue(), "PNG"))
    assert open_image(tmp_path / "a.mrxs").format == "PNG"


def test_text_called_svs(tmp_path: Path) -> None:
    (tmp_path / "a.svs").write_text("case;score\n1;2+\n")
    refused(tmp_path / "a.svs", "holds text")


def test_a_dicom_file_that_is_no_slide(tmp_path: Path) -> None:
    (tmp_path / "a.dcm").write_bytes(bytes(128) + b"DICM" + bytes(500))
    refused(tmp_path / "a.dcm", "format DICOM that holds no whole slide")


def test_a_makers_slide_that_openslide_cannot_read(tmp_path: Path) -> None:
    path = tmp_path / "a.svs"
    tifffile.imwrite(path, tissue(), photometric="rgb", description="Aperio Image Library v11 \n46000x32914 (240x240)")
    refused(path, "no whole slide of a kind that can be opened|damaged")


def test_a_huge_tiff_without_tiles_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, tissue(40, 60), photometric="rgb", rowsperstrip=8)
    data = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as tiff:
        for tag, value in ((256, 60_000), (257, 50_000)):
            found = tiff.pages.first.tags[tag]
            struct.pack_into("<HHII", data, found.offset, tag, 4, 1, value)
    path.write_bytes(data)
    with pytest.raises(
        ImageError, match=r"60,000 x 50,000 pixels, .* no pyramid of tiles; save it as a tiled, pyramidal"
    ):
        open_image(path)


def test_a_slide_that_is_removed_while_it_is_open(tmp_path: Path) -> None:
    path = write_aperio_slide(tmp_path / "a.svs", (3000, 2000))
    with open_image(path) as slide:
        before = slide.read(0, 0, 0, 64, 64)
        try:
            path.unlink()
        except PermissionError:
            pytest.skip("this system keeps files that are open")
        # The system keeps what is open readable, or not: pixels or a sentence, nothing else.
        with contextlib.suppress(ImageError):
            assert np.array_equal(slide.read(0, 0, 0, 64, 64), before)
        with pytest.raises(ImageError, match="cannot be read any more"):
            _ = slide.sha256


def test_real_broken_slides_are_refused_in_words(shared_data: Path) -> None:
    folder = shared_data / "slides"
    refused(folder / "broken.svs", "holds text")
    with pytest.raises(ImageError, match="damaged, incomplete or of a kind not supported"):
        open_image(folder / "unopenable.tiff")
    with open_image(folder / "unreadable.svs") as slide, pytest.raises(ImageError, match="damaged or missing"):
        slide.read(0, 0, 0, 16, 16)


def test_real_slides_of_every_kind_open(shared_data: Path) -> None:
    formats = {}
    for path in sorted((shared_data / "slides").iterdir()):
        with contextlib.suppress(ImageError), open_image(path) as slide:
            slide.read(len(slide.levels) - 1, 0, 0, 16, 16)
            formats[path.name] = slide.format
    assert formats == {
        "boxes.tiff": "tiled TIFF",
        "boxes_0.dcm": "DICOM",
        "boxes_1.dcm": "DICOM",
        "cmu_small_region.svs": "Aperio SVS",
        "small.svs": "Aperio SVS",
        "tcga-cr-7395-01a-01-ts1.svs": "Aperio SVS",
    }


@pytest.mark.parametrize("kind", WRITERS)
@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damaged_bytes_open_or_are_refused(tmp_path: Path, kind: str, data: st.DataObject) -> None:
    path = tmp_path / "whole.tif"
    if not path.exists():
        WRITERS[kind](path, (300, 260), tile=64, levels=2, picture=tissue(260, 300))
    damaged = bytearray(path.read_bytes())
    near = 3000  # the directories, at the end
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.one_of(st.integers(len(damaged) - near, len(damaged) - 1), st.integers(0, len(damaged) - 1)))
        damaged[at] = data.draw(st.one_of(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF]), st.integers(0, 255)))
    if data.draw(st.booleans()):
        del damaged[data.draw(st.integers(0, len(damaged))) :]
    (tmp_path / "damaged.tif").write_bytes(damaged)
    try:
        with open_image(tmp_path / "damaged.tif", max_pixels=4_000_000) as source:
            for level in range(len(source.levels)):
                assert source.read(level, 0, 0, 8, 8).shape == (8, 8, 3)
    except ImageError as error:
        assert error.what and error.remedy


def test_both_orders_of_looking_at_a_slide_give_one_picture(tmp_path: Path) -> None:
    path = write_slide(tmp_path / "a.tif", (3000, 2000))
    with open_image(path) as one, open_image(path) as two:
        assert np.array_equal(one.read(0, 100, 100, 300, 300), two.read(0, 0, 0, 500, 500)[100:400, 100:400])
