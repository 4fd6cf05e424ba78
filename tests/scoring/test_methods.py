import pytest

from her2viewer.scoring.architecture import STAGES
from her2viewer.scoring.methods import FUSED, INPUT, METHODS, MapRequest


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"method": "Guided Grad-CAM"}, "method must be one of Grad-CAM, "),
        ({"stage": "layer5"}, "stage must be one of layer1, "),
        ({"stage": "input"}, "Grad-CAM has no map at 'input'"),
        ({"method": "Score-CAM", "stage": "fused"}, "Score-CAM has no map at 'fused'"),
        ({"against": "2+"}, "against itself"),
    ],
)
def test_what_cannot_be_made_is_refused(asked: dict[str, str], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        MapRequest("2+", **asked)


def test_a_method_without_stages_is_one_request_whatever_stage_is_asked() -> None:
    assert {MapRequest("2+", stage, "Occlusion") for stage in (*STAGES, FUSED, INPUT)} == {
        MapRequest("2+", INPUT, "Occlusion")
    }


def test_the_nearest_stage_can_always_be_asked_for() -> None:
    for method in METHODS.values():
        for stage in (*STAGES, FUSED, INPUT):
            assert MapRequest("2+", method.nearest(stage), method.name).stage in method.stages


def test_fixed_peaks_are_of_grad_cam_of_one_class() -> None:
    peaks = {"layer4": 3.0, "layer3": 1.0}
    assert MapRequest("2+", "layer3").fixed_peak(peaks) == 1.0
    assert MapRequest("2+", "fused").fixed_peak(peaks) is None
    assert MapRequest("2+", method="LayerCAM").fixed_peak(peaks) is None
    assert MapRequest("2+", against="1+").fixed_peak(peaks) is None
