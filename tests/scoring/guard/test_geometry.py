import numpy as np

from her2viewer.scoring.evidence import FieldPixels
from her2viewer.scoring.guard.geometry import examine_geometry
from her2viewer.scoring.guard.report import Examined
from her2viewer.scoring.prediction import FieldOfView
from her2viewer.scoring.preprocess import InputLayout
from her2viewer.scoring.stains import Stain


def failed(field: FieldPixels, layout: InputLayout | None = None) -> list[Examined]:
    return [one for one in examine_geometry(field, layout or InputLayout()) if not one.passed]


def empty(width: int, height: int) -> np.ndarray:
    return np.zeros((height, width, 3), np.uint8)


def test_two_images_of_one_size_with_pixels_enough_pass() -> None:
    assert failed(FieldPixels.whole(empty(256, 256), empty(256, 256))) == []


def test_another_size_is_said_whatever_the_shape() -> None:
    for width, height in ((300, 256), (512, 512), (257, 256)):
        (one,) = failed(FieldPixels.whole(empty(256, 256), empty(width, height)))
        assert one.name == "unlike_sizes" and f"IHC {width} x {height} pixels" in one.message
        assert one.figure > one.threshold


def test_fewer_pixels_than_the_model_looks_at_are_said_for_each_image() -> None:
    found = failed(FieldPixels.whole(empty(100, 100), empty(100, 100)))
    assert [(one.name, one.stain) for one in found] == [("low_resolution", Stain.IHC), ("low_resolution", Stain.HE)]
    assert found[0].figure == 100 / 224


def test_a_field_that_hangs_over_the_edge_of_an_image_is_said() -> None:
    whole = FieldPixels.whole(empty(256, 256), empty(256, 256))
    (one,) = failed(FieldPixels(whole.pixels, whole.fields, {Stain.HE: 0.62}))
    assert (one.name, one.figure, one.stain) == ("outside_image", 0.62, Stain.HE)
    assert one.message.startswith("Only 62% of the field lies on the H&E image")
    assert failed(FieldPixels(whole.pixels, whole.fields, {Stain.HE: 0.96})) == []


def test_a_stain_that_is_not_there_is_said_to_be_missing() -> None:
    field = FieldPixels({Stain.IHC: empty(256, 256)}, {Stain.IHC: FieldOfView.whole((256, 256))})
    (one,) = failed(field, InputLayout(optional=(Stain.HE,)))
    assert (one.name, one.stain) == ("stain_missing", Stain.HE)
    assert failed(field, InputLayout(order=(Stain.IHC,))) == []
