from collections.abc import Callable

import pytest

from her2viewer.imaging.pixel_size import from_ome, significant_bits
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
    assert from_ome(xml) is None


def test_sides_a_little_apart_are_averaged() -> None:
    assert from_ome(ome(PhysicalSizeX="0.500", PhysicalSizeY="0.502")) == PixelSize(pytest.approx(0.501), "OME-XML")


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
