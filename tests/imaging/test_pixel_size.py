from collections.abc import Callable

import pytest

from her2viewer.imaging.pixel_size import checked_size, from_ome, significant_bits, trusted_resolution
from her2viewer.imaging.source import ImageSource, PixelSize
from tests.imaging.pictures import encoded, tiff, tissue

Opened = Callable[..., ImageSource]


def ome(**attributes: str) -> str:
    pixels = " ".join(f'{name}="{value}"' for name, value in attributes.items())
    space = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
    return f'<?xml version="1.0"?><OME xmlns="{space}"><Image><Pixels {pixels}/></Image></OME>'


@pytest.mark.parametrize(
    ("unit", "value", "um"), [(None, "0.46", 0.46), ("µm", "0.25", 0.25), ("nm", "460", 0.46), ("mm", "0.00025", 0.25)]
)
def test_ome_tiff_says_micrometres(opened: Opened, unit: str | None, value: str, um: float) -> None:
    metadata = {"axes": "YXS", "PhysicalSizeX": float(value), "PhysicalSizeY": float(value)}
    if unit is not None:
        metadata |= {"PhysicalSizeXUnit": unit, "PhysicalSizeYUnit": unit}
    found = opened(tiff(tissue(), photometric="rgb", ome=True, metadata=metadata)).mpp
    assert found is not None and found.um == pytest.approx(um) and found.origin == "OME-XML"


@pytest.mark.parametrize(
    "xml",
    [
        ome(),
        ome(PhysicalSizeX="0.5"),
        ome(PhysicalSizeX="0.5", PhysicalSizeY="0.6"),
        ome(PhysicalSizeX="0", PhysicalSizeY="0"),
        ome(PhysicalSizeX="-1", PhysicalSizeY="-1"),
        ome(PhysicalSizeX="nan", PhysicalSizeY="nan"),
        ome(PhysicalSizeX="inf", PhysicalSizeY="inf"),
        ome(PhysicalSizeX="much", PhysicalSizeY="much"),
        ome(PhysicalSizeX="1", PhysicalSizeY="1", PhysicalSizeXUnit="pixel", PhysicalSizeYUnit="pixel"),
        "<OME>",
        "",
        '<!DOCTYPE OME [<!ENTITY a "b">]><OME/>',
    ],
)
def test_what_is_no_clear_square_size_is_none(xml: str) -> None:
    assert from_ome(xml)[0] is None


def test_sides_a_little_apart_are_averaged() -> None:
    found, notes = from_ome(ome(PhysicalSizeX="0.500", PhysicalSizeY="0.502"))
    assert found == PixelSize(pytest.approx(0.501), "OME-XML") and notes == ()


@pytest.mark.parametrize(
    ("x", "y", "words"),
    [
        (0.0, 0.0, "the file says 0 micrometres per pixel, which cannot be"),
        (-0.25, -0.25, "the file says -0.25 micrometres per pixel, which cannot be"),
        (0.001, 0.001, "0.001 micrometres per pixel"),
        (0.5, 264.6, "264.6 micrometres per pixel"),
        (float("nan"), 0.5, "nan micrometres per pixel"),
        (float("inf"), 0.5, "inf micrometres per pixel"),
        (0.25, 0.5, "the file says pixels of 0.25 x 0.5 micrometres, which are not square"),
    ],
)
def test_a_size_that_no_microscope_has_is_said_and_not_used(x: float, y: float, words: str) -> None:
    found, (note,) = checked_size(x, y, "a scanner")
    assert found is None and words in note


@pytest.mark.parametrize("um", [0.02, 0.2201, 0.5, 50.0])
def test_every_size_that_a_microscope_has_is_used(um: float) -> None:
    assert checked_size(um, um, "a scanner") == (PixelSize(um, "a scanner"), ())


def test_a_resolution_that_a_printer_could_have_is_not_trusted() -> None:
    assert trusted_resolution(0.46, 0.46) == PixelSize(0.46, "TIFF resolution")
    for dots_per_inch in (72, 96, 300, 600, 1200, 2400):
        assert trusted_resolution(25_400 / dots_per_inch, 25_400 / dots_per_inch) is None


def test_nonsense_in_a_flat_file_becomes_a_note(opened: Opened) -> None:
    source = opened(
        tiff(
            tissue(), photometric="rgb", ome=True, metadata={"axes": "YXS", "PhysicalSizeX": 0.0, "PhysicalSizeY": 0.0}
        )
    )
    assert source.mpp is None and "the file says 0 micrometres per pixel, which cannot be" in source.notes


@pytest.mark.parametrize(("value", "bits"), [("12", 12), ("", None), ("many", None), ("-4", None), ("9999", None)])
def test_significant_bits(value: str, bits: int | None) -> None:
    assert significant_bits(ome(SignificantBits=value)) == bits


@pytest.mark.parametrize("unit", ["micron", "um", "\\u00B5m"])
def test_imagej_says_microns(opened: Opened, unit: str) -> None:
    data = tiff(tissue(), imagej=True, resolution=(4.0, 4.0), metadata={"unit": unit})
    assert opened(data).mpp == PixelSize(pytest.approx(0.25), "ImageJ")


@pytest.mark.parametrize("unit", ["pixel", "inch", ""])
def test_imagej_in_other_units_says_nothing(opened: Opened, unit: str) -> None:
    assert opened(tiff(tissue(), imagej=True, resolution=(4.0, 4.0), metadata={"unit": unit})).mpp is None


def test_resolution_tags_are_not_trusted(opened: Opened) -> None:
    pictures = {
        "tiff": tiff(tissue(), photometric="rgb", resolution=(40000, 40000), resolutionunit="CENTIMETER"),
        "png": encoded(tissue(), "PNG", dpi=(50800, 50800)),
        "jpeg": encoded(tissue(), "JPEG", dpi=(300, 300)),
    }
    for name, data in pictures.items():
        source = opened(data, name)
        assert source.mpp is None and source.notes == (), name
