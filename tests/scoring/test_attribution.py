"""The oracle is pytorch-grad-cam on torchvision's own, unfolded network."""

import numpy as np
import pytest
import torch
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.image import scale_cam_image
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

from her2viewer.scoring.attribution import last_stage_maps, stage_map
from her2viewer.scoring.evidence import STAGES, Attribution, FieldPixels, MapRequest
from her2viewer.scoring.network import ResNet18, fold
from her2viewer.scoring.prediction import FieldOfView
from her2viewer.scoring.preprocess import InputLayout
from her2viewer.scoring.scorer import Scorer
from her2viewer.scoring.stains import Stain
from tests.scoring.conftest import random_network


class RawGradCAM(GradCAM):
    """Keeps the map as it is before the oracle's ReLU, min-max and resize."""

    def get_cam_image(self, *args: object, **kwargs: object) -> np.ndarray:
        self.raw = super().get_cam_image(*args, **kwargs)
        return self.raw


@pytest.fixture(scope="module")
def networks() -> tuple[torch.nn.Module, ResNet18]:
    ours = random_network(5)
    theirs = torchvision.models.resnet18(weights=None, num_classes=4)
    theirs.load_state_dict(ours.state_dict())
    return theirs.eval(), fold(ours)


@pytest.fixture(scope="module")
def x() -> torch.Tensor:
    return torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(11))


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("target", range(4))
def test_equals_pytorch_grad_cam(networks, x, stage: str, target: int) -> None:
    theirs, ours = networks
    with RawGradCAM(model=theirs, target_layers=[getattr(theirs, stage)[-1]]) as oracle:
        normalised = oracle(input_tensor=x, targets=[ClassifierOutputTarget(target)])[0]
        raw = oracle.raw[0]
    measured = stage_map(ours, x, stage, target)
    assert measured.shape == raw.shape
    assert np.abs(raw).max() > 1e-3, "an empty oracle proves nothing"
    assert np.abs(measured - raw).max() <= 1e-4
    # The oracle's own ReLU, resize and min-max on our map.
    scaled = scale_cam_image(np.maximum(measured, 0)[None], (224, 224))
    assert np.abs(oracle.aggregate_multi_layers([scaled[:, None]])[0] - normalised).max() <= 1e-4


def test_closed_form_equals_the_gradient_for_all_classes(networks, x) -> None:
    _, ours = networks
    with torch.inference_mode():
        features = ours.features(x)
        maps = last_stage_maps(ours, features)[0].numpy()
        logits = ours.classify(features)[0]
    for target in range(4):
        assert np.abs(maps[target] - stage_map(ours, x, "layer4", target)).max() <= 1e-5
        assert maps[target].sum() == pytest.approx(float(logits[target] - ours.fc.bias[target]), abs=1e-4)


def test_nothing_is_left_on_the_network(networks, x) -> None:
    _, ours = networks
    before = [p.clone() for p in ours.parameters()]
    stage_map(ours, x, "layer2", 1)
    assert not any(m._forward_hooks or m._backward_hooks for m in ours.modules())
    assert all(p.grad is None and not p.requires_grad for p in ours.parameters())
    assert all(torch.equal(a, b) for a, b in zip(before, ours.parameters(), strict=True))


def test_unknown_stage_is_refused(networks, x) -> None:
    with pytest.raises(ValueError, match="layer1, layer2, layer3, layer4"):
        stage_map(networks[1], x, "layer5", 0)


def test_scorer_gives_the_oracles_map_for_every_stage(package, field: FieldPixels) -> None:
    scorer = Scorer.open(package, "cpu")
    evidence = scorer.score(field)
    for stage, columns in zip(STAGES, (56, 28, 14, 7), strict=True):
        attribution = scorer.attribution(evidence, MapRequest("2+", stage))
        assert attribution.values.shape == (columns, columns)
        assert (attribution.stage, attribution.target, attribution.method) == (stage, "2+", "Grad-CAM")
        with pytest.raises(ValueError, match="read-only"):
            attribution.values[0, 0] = 1


def _ramp(columns: int, rows: int, layout: InputLayout, fields: dict[Stain, FieldOfView]) -> Attribution:
    """A map whose value at any place inside the outer cell centres is that place, in input pixels: x + 1000 y."""
    x = (np.arange(columns) + 0.5) * layout.width / columns
    y = (np.arange(rows) + 0.5) * layout.height / rows
    return Attribution((x[None] + 1000 * y[:, None]).astype(np.float32), "0", "layer4", "Grad-CAM", layout, fields)


sizes = st.integers(40, 1500)


@settings(max_examples=40)
@given(
    grid=st.sampled_from([7, 14, 28, 56]),
    width=sizes,
    height=sizes,
    left=st.integers(0, 5000),
    top=st.integers(0, 5000),
)
def test_each_source_pixel_reads_its_own_place(grid: int, width: int, height: int, left: int, top: int) -> None:
    layout = InputLayout()
    fields = {stain: FieldOfView(left, top, width, height) for stain in Stain}
    attribution = _ramp(grid, grid, layout, fields)
    for stain in Stain:
        drawn = attribution.render(stain, fields[stain], (width, height)).astype(np.float64)
        cell = layout.cell(stain)
        u = cell.x + (np.arange(width) + 0.5) * cell.width / width
        v = cell.y + (np.arange(height) + 0.5) * cell.height / height
        half = layout.width / grid / 2
        u_seen, v_seen = np.clip(u, half, layout.width - half), np.clip(v, half, layout.height - half)
        # 0.5 source pixels are 0.5 * cell / size input pixels; float32 leaves far less than a tenth of that.
        assert np.abs(drawn - (u_seen[None] + 1000 * v_seen[:, None])).max() < 0.05 * 1000 * cell.height / height


def test_two_stains_together_show_the_whole_map() -> None:
    layout = InputLayout()
    fields = {stain: FieldOfView(0, 0, 112, 224) for stain in Stain}
    values = np.random.default_rng(0).normal(size=(7, 7)).astype(np.float32)
    attribution = Attribution(values, "0", "layer4", "Grad-CAM", layout, fields)
    both = np.hstack([attribution.render(stain, fields[stain], (112, 224)) for stain in layout.order])
    centres = (np.arange(7) * 32 + 16).astype(int)
    around = both[np.ix_(centres, centres)]  # half an input pixel past the cell centres
    assert np.abs(around - values).max() < np.abs(np.diff(values)).max() / 32 * 2
    assert (
        np.abs(np.diff(both, axis=1)).max() <= np.abs(np.diff(values, axis=1)).max() / 32 + 1e-6
    )  # no jump at the seam


def test_a_region_at_any_raster_agrees_with_the_whole() -> None:
    layout = InputLayout()
    fields = {stain: FieldOfView.whole((1000, 800)) for stain in Stain}
    attribution = _ramp(14, 14, layout, fields)
    whole = attribution.render(Stain.IHC, fields[Stain.IHC], (1000, 800))
    part = attribution.render(Stain.IHC, FieldOfView(200, 100, 300, 200), (300, 200))
    assert np.allclose(part, whole[100:300, 200:500], rtol=1e-5)


def test_outside_the_field_nothing_is_drawn() -> None:
    layout = InputLayout()
    fields = {stain: FieldOfView(100, 100, 50, 50) for stain in Stain}
    attribution = Attribution(np.ones((7, 7), np.float32), "0", "layer4", "Grad-CAM", layout, fields)
    drawn = attribution.render(Stain.HE, FieldOfView(0, 0, 200, 200), (200, 200))
    assert (drawn[100:150, 100:150] == 1).all()
    assert drawn.sum() == 2500


def test_peaks_are_raw_and_of_each_stain() -> None:
    layout = InputLayout()
    values = np.full((7, 7), -1, np.float32)
    fields = {stain: FieldOfView.whole((64, 64)) for stain in Stain}

    def attribution() -> Attribution:
        return Attribution(values.copy(), "0", "layer4", "Grad-CAM", layout, fields)

    assert attribution().peak == 0
    values[2, 1] = 3
    assert (attribution().peak, attribution().peak_of(Stain.IHC), attribution().peak_of(Stain.HE)) == (3, 3, 0)
    values[2, 3] = 4  # the column on the seam has seen both
    assert (attribution().peak_of(Stain.IHC), attribution().peak_of(Stain.HE)) == (4, 4)
