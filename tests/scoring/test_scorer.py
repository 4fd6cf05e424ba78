from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from her2viewer.errors import ImageError
from her2viewer.scoring import device as device_module
from her2viewer.scoring.attribution.stage_map import stage_map
from her2viewer.scoring.device import Device, choose_device, self_test
from her2viewer.scoring.evidence import FieldPixels
from her2viewer.scoring.guard.familiarity import Cloud, Reference
from her2viewer.scoring.methods import FUSED, METHOD_SHOWN_FIRST, STAGE_SHOWN_FIRST, MapRequest
from her2viewer.scoring.network import fold
from her2viewer.scoring.normalise import normalised
from her2viewer.scoring.package import ModelPackage, familiarity_section, write_package
from her2viewer.scoring.preprocess import compose
from her2viewer.scoring.scorer import Scorer
from her2viewer.scoring.stains import Stain
from tests.scoring.conftest import random_network, tissue

CLASSES = ("0", "1+", "2+", "3+")


@pytest.fixture
def scorer(package: ModelPackage) -> Scorer:
    return Scorer.open(package, "cpu")


def pairs(count: int) -> list[FieldPixels]:
    return [FieldPixels.whole(tissue(i), tissue(100 + i, stain="ihc")) for i in range(count)]


def test_probabilities_are_those_of_the_unfolded_network(
    scorer: Scorer, field: FieldPixels, package: ModelPackage
) -> None:
    layout = package.manifest.input
    with torch.inference_mode():
        x = torch.tensor(compose(field.pixels, layout)).permute(2, 0, 1)[None] / 255
        logits = random_network()((x - 0.5) / 0.25)
        expected = torch.softmax(logits[0] / 1.5, 0).numpy()
    prediction = scorer.score(field).prediction
    assert prediction.probabilities == pytest.approx(expected, abs=1e-5)
    assert prediction.score == CLASSES[int(expected.argmax())]
    assert sum(prediction.probabilities) == pytest.approx(1)
    assert (prediction.device, prediction.precision, str(prediction.model)) == ("CPU", "fp32", "random-for-tests 0")
    assert prediction.seconds > 0


def test_batch_and_single_agree(scorer: Scorer) -> None:
    fields = pairs(5)
    alone = [scorer.score(field).prediction.probabilities for field in fields]
    together = [evidence.prediction.probabilities for evidence in scorer.score_batch(fields)]
    assert np.abs(np.array(alone) - together).max() <= 1e-5
    assert np.ptp(np.array(alone), axis=0).max() > 1e-3, "fields that all score alike prove nothing"
    assert scorer.score_batch([]) == []


def test_class_maps_are_the_gradients(scorer: Scorer, field: FieldPixels) -> None:
    evidence = scorer.score(field)
    x = normalised(evidence.network_input[None], evidence.layout, "cpu")
    for index, name in enumerate(CLASSES):
        expected = stage_map(fold(random_network()), x, "layer4", index)
        assert np.abs(evidence.attribution(name).values - expected).max() <= 1e-4


def test_every_map_asked_for_says_what_it_is(scorer: Scorer, field: FieldPixels) -> None:
    evidence = scorer.score(field)
    for request, grid in (
        (MapRequest("2+", "layer3"), 14),
        (MapRequest("2+", "fused", "LayerCAM"), 56),
        (MapRequest("2+", "layer4", "Grad-CAM++", against="1+"), 7),
    ):
        made = scorer.attribution(evidence, request)
        assert made.request == request
        assert made.values.shape == (grid, grid)
        with pytest.raises(ValueError, match="read-only"):
            made.values[0, 0] = 1


def test_a_contrast_at_the_last_stage_is_at_hand_and_is_the_gradients(scorer: Scorer, field: FieldPixels) -> None:
    evidence = scorer.score(field)
    request = MapRequest("2+", against="0")
    at_hand = evidence.at_hand(request)
    assert at_hand is not None and at_hand.request == request
    assert np.array_equal(at_hand.values, evidence.class_maps[2] - evidence.class_maps[0])
    x = normalised(evidence.network_input[None], scorer.package.manifest.input, "cpu")
    assert np.abs(at_hand.values - stage_map(scorer._network, x, "layer4", 2, against=0)).max() <= 1e-5
    assert evidence.at_hand(MapRequest("2+", "layer3")) is None
    assert evidence.at_hand(MapRequest("2+", method="LayerCAM")) is None


def test_a_fine_map_adds_up_to_the_logit_at_its_size(scorer: Scorer, package: ModelPackage, field: FieldPixels) -> None:
    evidence = scorer.score(field)
    found = scorer.fine_map(field, evidence, MapRequest("2+"))
    assert found.attribution.values.shape == (14, 14)
    assert found.attribution.detail == "field seen at 2 times the input size"
    layout = package.manifest.input.enlarged(2)
    x = normalised(compose(field.pixels, layout)[None], layout, "cpu")
    with torch.inference_mode():
        logits = scorer._network(x)[0]
    expected = float(logits[2] - scorer._network.fc.bias[2])
    assert found.attribution.values.sum() == pytest.approx(expected, abs=1e-4)
    assert found.fine == pytest.approx(torch.softmax(logits / 1.5, 0).tolist(), abs=1e-5)
    assert found.plain == evidence.prediction.probabilities
    whole = field.fields[Stain.IHC]
    assert found.attribution.render(Stain.IHC, whole, (64, 64)).shape == (64, 64)
    with pytest.raises(ValueError, match="at least 2"):
        scorer.fine_map(field, evidence, MapRequest("2+"), scale=1)


def test_a_fine_map_of_another_stage_is_of_the_larger_picture(scorer: Scorer, field: FieldPixels) -> None:
    evidence = scorer.score(field)
    found = scorer.fine_map(field, evidence, MapRequest("2+", "layer3", "LayerCAM", against="1+"))
    assert found.attribution.values.shape == (28, 28)
    assert found.attribution.request == MapRequest("2+", "layer3", "LayerCAM", against="1+")


def test_all_maps_by_a_gradient_are_the_ones_that_are_asked_for(scorer: Scorer, field: FieldPixels) -> None:
    evidence = scorer.score(field)
    made = scorer.gradient_attributions(evidence, "1+")
    assert len({one.request for one in made}) == len(made) == 20
    for one in made:
        if one.stage in ("layer4", "fused"):
            alone = scorer.attribution(evidence, one.request)
            assert (one.title, one.separate) == (alone.title, alone.separate)
            np.testing.assert_allclose(one.values, alone.values, atol=1e-5 * float(np.abs(alone.values).max()))


def test_normalised_is_what_the_layout_says() -> None:
    from her2viewer.scoring.preprocess import InputLayout

    layout = InputLayout(mean=(0.1, 0.2, 0.3), std=(0.5, 1, 2))
    image = np.random.default_rng(0).integers(0, 256, (2, 224, 224, 3), dtype=np.uint8)
    x = normalised(image, layout, "cpu")
    assert x.shape == (2, 3, 224, 224) and x.dtype == torch.float32
    expected = (image / 255 - np.array(layout.mean)) / layout.std
    assert np.abs(x.numpy().transpose(0, 2, 3, 1) - expected).max() < 1e-6


def test_bf16_says_by_how_much_it_moved(package: ModelPackage, field: FieldPixels) -> None:
    exact = Scorer.open(package, "cpu").score(field).prediction.probabilities
    scorer = Scorer.open(package, "cpu", precision="bf16")
    assert scorer.notices == ()
    prediction = scorer.score(field).prediction
    moved = np.abs(np.array(exact) - prediction.probabilities).max()
    assert prediction.precision == "bf16"
    assert scorer.notices == (f"bf16 moved the probabilities of the first field by at most {moved:.4f} from fp32.",)
    scorer.score(field)
    assert len(scorer.notices) == 1
    assert scorer.attribution(scorer.score(field), MapRequest("1+", "layer3")).values.dtype == np.float32


def test_the_models_own_caution_stands_in_every_prediction(package: ModelPackage, field: FieldPixels) -> None:
    careful = replace(package, manifest=package.manifest.model_copy(update={"caution": "Do not rely on it."}))
    assert Scorer.open(careful, "cpu").score(field).prediction.caution == "Do not rely on it."
    assert Scorer.open(package, "cpu").score(field).prediction.caution == ""


def test_too_small_is_refused(scorer: Scorer) -> None:
    with pytest.raises(ImageError, match=r"the IHC HER2 image is 1 x 1 pixels, too small to score; open a field"):
        scorer.score(FieldPixels.whole(tissue(0), tissue(0, (1, 1))))


def test_cpu_is_chosen_where_there_is_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device("auto") == Device("cpu", "CPU")
    assert choose_device("cpu").notice is None
    assert "No usable NVIDIA GPU" in (choose_device("cuda").notice or "")


def test_a_gpu_that_fails_its_self_test_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(device_module, "self_test", lambda name: "its convolution is off by 3")
    for choice in ("auto", "cuda"):
        device = choose_device(choice)  # type: ignore[arg-type]
        assert device.name == "cpu"
        assert "off by 3" in (device.notice or "")


def test_self_test_passes_here_and_names_a_device_that_is_not_there() -> None:
    assert self_test("cpu") is None
    if not torch.cuda.is_available():
        assert self_test("cuda")


def test_a_gpu_lost_at_loading_falls_back(package: ModelPackage, field: FieldPixels) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU that works; the test needs one that does not")
    scorer = Scorer(package, fold(random_network()), Device("cuda", "Broken GPU"))
    assert scorer.device_title == "CPU"
    assert len(scorer.notices) == 1 and scorer.notices[0].startswith("The GPU failed (")
    expected = Scorer.open(package, "cpu").score(field).prediction
    assert scorer.score(field).prediction.probabilities == expected.probabilities


def test_a_gpu_out_of_memory_half_way_falls_back_with_the_same_numbers(
    package: ModelPackage, field: FieldPixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The 'GPU' here is the CPU under another name, which runs out of memory at its second field."""
    scorer = Scorer.open(package, "cpu")
    expected = scorer.score(field).prediction
    scorer._device = Device("cuda", "Small GPU")
    monkeypatch.setattr("her2viewer.scoring.scorer.normalised", lambda x, layout, device: normalised(x, layout, "cpu"))
    assert scorer.score(field).prediction.device == "Small GPU"

    def out_of_memory(_: torch.Tensor) -> torch.Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.\nand more lines")

    monkeypatch.setattr(scorer._network, "classify", out_of_memory)
    prediction = scorer.score(field).prediction
    assert prediction.probabilities == expected.probabilities
    assert prediction.device == "CPU"
    assert scorer.notices == (
        "The GPU failed (CUDA out of memory. Tried to allocate 2 GiB), so the CPU is used from here on.",
    )


def test_a_bug_on_the_cpu_is_not_hidden(scorer: Scorer, field: FieldPixels, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("a bug")

    monkeypatch.setattr(scorer._network, "classify", broken)
    with pytest.raises(RuntimeError, match="a bug"):
        scorer.score(field)


def test_maps_of_the_field_scored_last_are_those_of_any_other(package: ModelPackage, field: FieldPixels) -> None:
    """The pass forward that was kept gives the very numbers of a new one, and never those of another field."""
    scorer = Scorer.open(package, "cpu")
    first = scorer.score(field)
    other = FieldPixels({stain: image[::-1].copy() for stain, image in field.pixels.items()}, field.fields)
    for stage, method in ((STAGE_SHOWN_FIRST, METHOD_SHOWN_FIRST), ("layer3", "HiResCAM"), (FUSED, "LayerCAM")):
        for target in first.prediction.classes:
            request = MapRequest(target, stage, method)
            scorer.score(field)
            kept = scorer.attribution(first, request)
            scorer.score(other)
            again = scorer.attribution(first, request)
            np.testing.assert_array_equal(kept.values, again.values)
            assert kept.values.any()


@pytest.mark.cuda
def test_cuda_agrees_with_the_cpu(package: ModelPackage) -> None:
    if not torch.cuda.is_available():
        pytest.skip("not run: no NVIDIA GPU on this machine")
    fields = pairs(8)
    gpu, cpu = Scorer.open(package, "cuda"), Scorer.open(package, "cpu")
    a = [e.prediction.probabilities for e in gpu.score_batch(fields)]
    b = [e.prediction.probabilities for e in cpu.score_batch(fields)]
    assert gpu.notices == ()
    assert np.abs(np.array(a) - b).max() <= 1e-3


def test_every_check_comes_with_the_evidence_and_failed_ones_with_the_prediction(
    scorer: Scorer, field: FieldPixels
) -> None:
    evidence = scorer.score(field)
    assert evidence.prediction.checks == evidence.guard.checks
    assert "no_tissue" in {one.name for one in evidence.guard.examined if one.passed}
    assert "unfamiliar" not in {one.name for one in evidence.guard.examined}, "this package knows no training"


def test_a_field_unlike_the_training_is_said_by_the_networks_own_features(
    package: ModelPackage, tmp_path: Path
) -> None:
    fields = pairs(12)
    layout = package.manifest.input
    network = fold(random_network())
    x = normalised(np.stack([compose(field.pixels, layout) for field in fields]), layout, "cpu")
    with torch.inference_mode():
        means = network.stain_means(network.features(x), 2).numpy()
    clouds = {stain: Cloud.around(means[:, place], 4) for place, stain in enumerate(layout.order)}
    section, data = familiarity_section(Reference(clouds, dict.fromkeys(Stain, 2.0)), 12)
    known = write_package(
        tmp_path / "known",
        package.manifest.model_copy(update={"familiarity": section}),
        package.weights(),
        "card",
        data,
    )
    scorer = Scorer.open(known, "cpu")
    he, ihc = tissue(1), tissue(101, stain="ihc")
    said = {
        (one.stain, one.passed)
        for one in scorer.score(FieldPixels.whole(he, ihc)).guard.examined
        if one.name == "unfamiliar"
    }
    assert said == {(Stain.HE, True), (Stain.IHC, True)}
    strange = np.random.default_rng(0).integers(0, 256, he.shape, dtype=np.uint8)
    evidence = scorer.score(FieldPixels.whole(he, np.where(strange > 128, strange, 60)))
    assert any(one.name == "unfamiliar" and one.stain is Stain.IHC for one in evidence.guard.failed)
