"""The oracles are pytorch-grad-cam, captum and torchcam on torchvision's own, unfolded network."""

import numpy as np
import pytest
import torch
from captum.attr import LayerGradCam
from pytorch_grad_cam import GradCAM, GradCAMPlusPlus, HiResCAM, LayerCAM
from pytorch_grad_cam.utils.image import scale_cam_image
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torchcam.methods import FinerCAM

from her2viewer.scoring.attribution.stage_map import last_stage_maps, stage_map
from her2viewer.scoring.evidence import METHODS, STAGES
from tests.scoring.attribution.conftest import Networks, grid_of, raw

ORACLES = {"Grad-CAM": GradCAM, "Grad-CAM++": GradCAMPlusPlus, "LayerCAM": LayerCAM, "HiResCAM": HiResCAM}


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("method", ORACLES)
def test_equals_pytorch_grad_cam(loud_networks: Networks, x: torch.Tensor, stage: str, method: str) -> None:
    theirs, ours = loud_networks
    for target in (0, 3):
        with raw(ORACLES[method])(model=theirs, target_layers=[getattr(theirs, stage)[-1]]) as oracle:
            normalised = oracle(input_tensor=x, targets=[ClassifierOutputTarget(target)])[0]
            expected = oracle.raw[0]
        measured = stage_map(ours, x, stage, target, method)
        assert measured.shape == expected.shape == grid_of(stage, x)
        # The oracle's Grad-CAM++ adds 1e-6 to a denominator of squared gradients; ours needs no such number.
        tolerance = 1e-3 if method == "Grad-CAM++" else 1e-4
        assert np.abs(expected).max() > 1e-3, "an empty oracle proves nothing"
        assert np.abs(measured - expected).max() <= tolerance * np.abs(expected).max()
        positive = np.maximum(expected, 0)
        if np.ptp(positive) == 0:
            continue
        # The oracle's own ReLU, resize and min-max on our map; stretching one that is positive everywhere stretches rounding.
        scaled = scale_cam_image(np.maximum(measured, 0)[None], (x.shape[3], x.shape[2]))
        difference = np.abs(oracle.aggregate_multi_layers([scaled[:, None]])[0] - normalised)
        assert difference.max() <= 2 * tolerance * positive.max() / np.ptp(positive)


@pytest.mark.parametrize("stage", STAGES)
def test_equals_captum(networks: Networks, x: torch.Tensor, stage: str) -> None:
    theirs, ours = networks
    expected = LayerGradCam(theirs, getattr(theirs, stage)[-1]).attribute(x, target=2)[0, 0].detach().numpy()
    assert np.abs(stage_map(ours, x, stage, 2) - expected).max() <= 1e-4 * np.abs(expected).max()


@pytest.mark.parametrize("method", ORACLES)
def test_a_contrast_is_of_the_difference_of_two_logits(loud_networks: Networks, x: torch.Tensor, method: str) -> None:
    theirs, ours = loud_networks
    with raw(ORACLES[method])(model=theirs, target_layers=[theirs.layer3[-1]]) as oracle:
        oracle(input_tensor=x, targets=[lambda logits: logits[2] - logits[1]])
        expected = oracle.raw[0]
    measured = stage_map(ours, x, "layer3", 2, method, against=1)
    assert np.abs(measured - expected).max() <= 1e-3 * np.abs(expected).max()
    if method in ("Grad-CAM", "HiResCAM"):  # they are linear in the logit
        apart = stage_map(ours, x, "layer3", 2, method) - stage_map(ours, x, "layer3", 1, method)
        assert np.abs(measured - apart).max() <= 1e-5 * np.abs(apart).max()


def test_a_contrast_is_torchcams_finer_cam(networks: Networks, x: torch.Tensor) -> None:
    theirs, ours = networks
    with FinerCAM(theirs, "layer4", gamma=1.0) as oracle:
        (expected,) = oracle(2, theirs(x), comparison_idx=0, normalized=False)
    measured = np.maximum(stage_map(ours, x, "layer4", 2, against=0), 0)
    assert expected.max() > 0
    assert np.abs(measured - expected[0].detach().numpy()).max() <= 1e-4 * float(expected.max())


@pytest.mark.parametrize("stage", STAGES)
def test_methods_have_the_sign_that_they_say(networks: Networks, x: torch.Tensor, stage: str) -> None:
    for method in ORACLES:
        negative = min(stage_map(networks.ours, x, stage, target, method).min() for target in range(4)) < 0
        assert negative == METHODS[method].signed


def test_closed_form_equals_the_gradient_for_all_classes(networks: Networks, x: torch.Tensor) -> None:
    ours = networks.ours
    with torch.inference_mode():
        features = ours.features(x)
        maps = last_stage_maps(ours, features)[0].numpy()
        logits = ours.classify(features)[0]
    for target in range(4):
        for method in ("Grad-CAM", "HiResCAM"):
            measured = stage_map(ours, x, "layer4", target, method)
            assert np.abs(maps[target] - measured).max() <= 1e-5 * np.abs(measured).max()
        expected = float(logits[target] - ours.fc.bias[target])
        assert maps[target].sum() == pytest.approx(expected, rel=1e-4, abs=1e-3)


def test_nothing_is_left_on_the_network(networks: Networks, x: torch.Tensor) -> None:
    ours = networks.ours
    before = [p.clone() for p in ours.parameters()]
    for method in ORACLES:
        stage_map(ours, x, "layer2", 1, method, against=0)
    assert not any(m._forward_hooks or m._backward_hooks for m in ours.modules())
    assert all(p.grad is None and not p.requires_grad for p in ours.parameters())
    assert all(torch.equal(a, b) for a, b in zip(before, ours.parameters(), strict=True))


def test_what_there_is_not_is_refused(networks: Networks, x: torch.Tensor) -> None:
    with pytest.raises(ValueError, match="layer1, layer2, layer3, layer4"):
        stage_map(networks.ours, x, "layer5", 0)
    with pytest.raises(ValueError, match="Grad-CAM, Grad-CAM"):
        stage_map(networks.ours, x, "layer4", 0, "Score-CAM")
