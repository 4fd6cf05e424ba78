"""A model package made ready to score: fast on the CPU, on CUDA where there is one, and the same numbers in both."""

import copy
import dataclasses
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from her2viewer.errors import PackageError
from her2viewer.scoring.attribution.attribution import Attribution
from her2viewer.scoring.attribution.compute_map import ComputedMap, compute_map, gradient_maps, shared_map
from her2viewer.scoring.attribution.fine_map import FineMap
from her2viewer.scoring.attribution.stage_map import Trace, last_stage_maps, trace
from her2viewer.scoring.confidence import calibrated, no_call, prediction_set
from her2viewer.scoring.device import Device, DeviceChoice, choose_device, first_line
from her2viewer.scoring.evidence import Evidence, FieldPixels
from her2viewer.scoring.field_scorer import Precision
from her2viewer.scoring.guard.guard import Looking
from her2viewer.scoring.guard.refusal import refuse_incomplete, refuse_unscorable
from her2viewer.scoring.guard.report import Examined, GuardReport
from her2viewer.scoring.methods import MapRequest
from her2viewer.scoring.network import Network, fold, network_of
from her2viewer.scoring.normalise import normalised
from her2viewer.scoring.package import WEIGHTS, ModelPackage
from her2viewer.scoring.prediction import Prediction
from her2viewer.scoring.preprocess import InputLayout, NetworkInput, compose
from her2viewer.scoring.stain_effect import StainEffect, inputs_without
from her2viewer.scoring.trust.explained import Explained
from her2viewer.scoring.trust.findings import TrustReport
from her2viewer.scoring.trust.report import trust_report
from her2viewer.scoring.watching import never, unwatched

_Result = TypeVar("_Result")


class Scorer:
    """Scores fields with one model package on one device. Implements `FieldScorer`; used from one thread at a time.

    fp32 is the default everywhere, so that a field alone and in a batch agree to 1e-5. bf16 is a choice: the first field it
    scores is scored in fp32 as well, and how far its probabilities moved is said as a notice.
    """

    def __init__(self, package: ModelPackage, network: Network, device: Device, precision: Precision = "fp32") -> None:
        """`network` is folded and on the CPU."""
        self._package = package
        self._layout: InputLayout = package.manifest.input
        self._precision: Precision = precision
        self._dtype = torch.bfloat16 if precision == "bf16" else torch.float32
        self._reference = copy.deepcopy(network) if precision == "bf16" else None
        self._network = network.to(self._dtype)
        self._familiar = package.familiarity()
        self._kept: tuple[NetworkInput, Trace] | None = None
        self._device = device
        self._notices = [] if device.notice is None else [device.notice]
        if device.is_cuda:
            self._with_fallback(lambda: self._network.to(self._device.name))

    @classmethod
    def open(cls, package: ModelPackage, device: DeviceChoice = "auto", precision: Precision = "fp32") -> "Scorer":
        """Loads and checks the weights. Raises PackageError where they are not what `model.json` says."""
        return cls(package, fold(network_in(package)), choose_device(device), precision)

    def twin(self) -> "Scorer":
        """Another one of the same weights, for another thread. What either has to say as a notice, both say."""
        other = copy.copy(self)
        other._reference = None
        return other

    @property
    def package(self) -> ModelPackage:
        return self._package

    @property
    def notices(self) -> tuple[str, ...]:
        return tuple(self._notices)

    @property
    def device_title(self) -> str:
        return self._device.title

    def fixed_peak(self, request: MapRequest) -> float | None:
        return request.fixed_peak(self._package.manifest.fixed_peaks)

    def score(self, field: FieldPixels) -> Evidence:
        """One field. Raises ImageError where an image is too small to say anything."""
        return self.score_batch([field])[0]

    def score_batch(self, fields: Sequence[FieldPixels]) -> list[Evidence]:
        """Several fields in one pass, in their order; each as if scored alone, to 1e-5. Raises as `score` does."""
        if not fields:
            return []
        started = time.perf_counter()
        for field in fields:
            refuse_unscorable(field)
            refuse_incomplete(field, self._layout)
        guards = [Looking(field, self._layout) for field in fields]
        # What is made of pixels is made by two threads, before the network takes both cores.
        with ThreadPoolExecutor(max_workers=2, thread_name_prefix="look") as pool:
            looking = [pool.submit(half) for guard in guards for half in reversed(guard.halves)]
            inputs = [compose(field.pixels, self._layout, pool.map) for field in fields]
            for look in looking:
                look.result()
        logits, maps, means = self._forward(np.stack(inputs), keep=len(inputs) == 1)
        if self._reference is not None:
            self._measure_precision(inputs[0], logits[0])
        told = [
            guard.report(self._familiarity(field, of_field))
            for guard, field, of_field in zip(guards, fields, means, strict=True)
        ]
        seconds = (time.perf_counter() - started) / len(fields)
        probabilities = self._calibrated(logits)
        detail = shared_map(self._network)
        separate = self._package.manifest.architecture != "resnet18"
        return [
            Evidence(
                self._prediction(field, row, guard, seconds),
                network_input,
                class_maps,
                self._layout,
                separate,
                detail,
                guard,
            )
            for field, row, guard, network_input, class_maps in zip(
                fields, probabilities, told, inputs, maps, strict=True
            )
        ]

    def probabilities(self, inputs: Sequence[NetworkInput]) -> NDArray[np.float64]:
        """(n, classes) calibrated probabilities of pictures that are composed already, by the same pass; nothing is checked."""
        logits, _, _ = self._forward(np.stack(inputs))
        return self._calibrated(logits)

    def attribution(
        self,
        evidence: Evidence,
        request: MapRequest,
        *,
        cancelled: Callable[[], bool] = never,
        progress: Callable[[int, int], None] = unwatched,
    ) -> Attribution:
        """The map asked for. Grad-CAM of the last stage came with the score; other gradients take one pass back, of the field
        scored last, which is kept, and one forward and back of any other.

        See `FieldScorer.attribution`.
        """
        target, against = _places(evidence, request)
        at_hand = evidence.at_hand(request)
        if at_hand is not None:
            return at_hand

        def compute() -> ComputedMap:
            x = self._tensor(evidence.network_input[None])
            layout = self._layout.enlarged(len(evidence.network_input) // self._layout.height)
            traced = self._traced(evidence.network_input)
            return compute_map(self._network, x, layout, request, target, against, cancelled, progress, traced)

        return _attribution(evidence, request, self._with_fallback(compute))

    def gradient_attributions(self, evidence: Evidence, target: str) -> list[Attribution]:
        """Every map of a class by a gradient, at every stage and fused, in the time of one: for measuring them all."""
        index = evidence.prediction.classes.index(target)

        def compute() -> dict[tuple[str, str], ComputedMap]:
            return gradient_maps(self._network, self._tensor(evidence.network_input[None]), index)

        made = self._with_fallback(compute)
        return [_attribution(evidence, MapRequest(target, stage, how), one) for (how, stage), one in made.items()]

    def fine_map(
        self,
        field: FieldPixels,
        evidence: Evidence,
        request: MapRequest,
        scale: int = 2,
        *,
        cancelled: Callable[[], bool] = never,
        progress: Callable[[int, int], None] = unwatched,
    ) -> FineMap:
        """See `FieldScorer.fine_map`. Values stay in logits per cell: the finer cells of Grad-CAM at the last stage add up
        to the logit that the network gives at that size. A field of fewer pixels than that is interpolated, and shows
        nothing new. Raises ValueError for a scale below 2.
        """
        if scale < 2:
            raise ValueError(f"scale must be at least 2, got {scale}")
        larger = compose(field.pixels, self._layout.enlarged(scale))
        logits, maps, _ = self._forward(larger[None], keep=True)
        seen = dataclasses.replace(evidence, network_input=larger, class_maps=maps[0])
        made = self.attribution(seen, request, cancelled=cancelled, progress=progress)
        self._kept = None  # of a larger picture it holds much
        detail = ", ".join(filter(None, (made.detail, f"field seen at {scale} times the input size")))
        prediction = evidence.prediction
        return FineMap(
            dataclasses.replace(made, detail=detail),
            scale,
            prediction.classes,
            prediction.probabilities,
            _plain(self._calibrated(logits)[0]),
        )

    def stain_effects(self, evidence: Evidence) -> tuple[StainEffect, ...]:
        """See `FieldScorer.stain_effects`. All in one pass of the network."""
        changed = inputs_without(evidence.network_input, self._layout)
        rows = self.probabilities([network_input for _, _, network_input in changed])
        prediction = evidence.prediction
        return tuple(
            StainEffect(stain, change, prediction.classes, prediction.probabilities, _plain(after))
            for (stain, change, _), after in zip(changed, rows, strict=True)
        )

    def _calibrated(self, logits: NDArray[np.float32]) -> NDArray[np.float64]:
        return calibrated(logits, self._package.manifest.calibration.temperature)

    def _tensor(self, inputs: NDArray[np.uint8]) -> Tensor:
        """Composed pictures as the network takes them, on its device and in its precision."""
        return normalised(inputs, self._layout, self._device.name).to(self._dtype)

    def trust(
        self,
        evidence: Evidence,
        attribution: Attribution,
        *,
        pixels: FieldPixels | None = None,
        mpp: float | None = None,
        seed: int = 0,
        cancelled: Callable[[], bool] = never,
    ) -> TrustReport:
        """What a map is worth, measured on the field that it explains; see `trust.report`. Raises Cancelled."""

        def compute() -> TrustReport:
            explained = self.explained(evidence, attribution, cancelled)
            return trust_report(
                explained, evidence, attribution, pixels=pixels, mpp=mpp, seed=seed, cancelled=cancelled
            )

        return self._with_fallback(compute)

    def explained(
        self, evidence: Evidence, attribution: Attribution, cancelled: Callable[[], bool] = never
    ) -> Explained:
        """The network as it stands, with the method that made a map: what makes the same map of another picture."""
        request = attribution.request
        target, against = _places(evidence, request)

        def attribute(network: Network, x: Tensor) -> NDArray[np.float32]:
            return compute_map(network, x, self._layout, request, target, against, cancelled).values

        temperature = self._package.manifest.calibration.temperature
        return Explained(self._network, self._layout, attribute, target, against, temperature)

    def _familiarity(self, field: FieldPixels, means: NDArray[np.float32]) -> tuple[Examined, ...]:
        """means: (stains, c). Where a stain is missing the network was given none, and its features are not the training's."""
        if self._familiar is None or not all(stain in field.pixels for stain in self._layout.order):
            return ()
        return tuple(self._familiar.examine(self._layout.order, means))

    def _forward(
        self, inputs: NDArray[np.uint8], keep: bool = False
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """(n, h, w, 3) uint8 -> logits (n, classes), maps of the last stage (n, classes, rows, columns) and its means over each
        stain's part (n, stains, c), float32. keep: of one picture alone, so that its maps take a pass back and none forward."""

        def compute() -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
            if keep:
                self._kept = None
                traced = trace(self._network, self._tensor(inputs))
                self._kept = inputs[0], traced
                return self._told(traced.features.detach(), traced.logits.detach())
            with torch.inference_mode():
                features = self._network.features(self._tensor(inputs))
                return self._told(features, self._network.classify(features))

        return self._with_fallback(compute)

    def _told(
        self, features: Tensor, logits: Tensor
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Logits, maps and means as `_forward` gives them."""
        with torch.inference_mode():
            maps = last_stage_maps(self._network, features)
            means = self._network.stain_means(features, len(self._layout.order))
            return logits.float().cpu().numpy(), maps.cpu().numpy(), means.cpu().numpy()

    def _traced(self, network_input: NetworkInput) -> Trace | None:
        """The pass forward of the picture that was looked at last, where it is this one."""
        if self._kept is None or not np.array_equal(self._kept[0], network_input):
            return None
        return self._kept[1]

    def _with_fallback(self, compute: Callable[[], _Result]) -> _Result:
        """Runs on the device at hand; where CUDA fails in any way, moves to the CPU with a notice and runs again."""
        try:
            return compute()
        except (RuntimeError, AssertionError) as error:
            # torch's out-of-memory and accelerator errors are RuntimeErrors; a build without CUDA raises AssertionError.
            if not self._device.is_cuda:
                raise
            self._notices.append(f"The GPU failed ({first_line(error)}), so the CPU is used from here on.")
        self._device = Device("cpu", "CPU")
        self._kept = None
        # The weights are read again: memory of a GPU that failed cannot be relied on to be read back.
        self._network = fold(network_in(self._package)).to(self._dtype)
        return compute()

    def _measure_precision(self, network_input: NetworkInput, logits: NDArray[np.float32]) -> None:
        """Says once, from the first field, how far bf16 moved its probabilities from those of fp32."""
        assert self._reference is not None
        with torch.inference_mode():
            exact = self._reference(normalised(network_input[None], self._layout, "cpu")).numpy()
        self._reference = None
        moved = np.abs(self._calibrated(exact[0]) - self._calibrated(logits)).max()
        self._notices.append(f"bf16 moved the probabilities of the first field by at most {moved:.4f} from fp32.")

    def _prediction(
        self, field: FieldPixels, probabilities: NDArray[np.float64], guard: GuardReport, seconds: float
    ) -> Prediction:
        manifest = self._package.manifest
        row = _plain(probabilities)
        checks = guard.checks
        members = prediction_set(row, manifest.classes, manifest.calibration.conformal)
        return Prediction(
            score=manifest.classes[int(np.argmax(probabilities))],
            classes=manifest.classes,
            probabilities=row,
            prediction_set=members,
            no_call=no_call(members, manifest.classes, checks),
            checks=checks,
            model=manifest.identity,
            device=self._device.title,
            precision=self._precision,
            seconds=seconds,
            fields=MappingProxyType(dict(field.fields)),
            caution=manifest.caution,
        )


def _plain(row: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(float(p) for p in row)


def _places(evidence: Evidence, request: MapRequest) -> tuple[int, int | None]:
    """Which of the model's classes a request is for, and against which. Raises ValueError for one that it does not know."""
    classes = evidence.prediction.classes
    return classes.index(request.target), None if request.against is None else classes.index(request.against)


def _attribution(evidence: Evidence, request: MapRequest, made: ComputedMap) -> Attribution:
    return dataclasses.replace(
        evidence.attribution(request.target),
        values=made.values,
        stage=request.stage,
        method=request.method,
        against=request.against,
        separate=evidence.separate or made.stains_apart,
        detail=made.detail,
    )


def network_in(package: ModelPackage) -> Network:
    """The package's network, not yet folded. Raises PackageError where its tensors are not those of its architecture."""
    manifest = package.manifest
    network = network_of(manifest.architecture, len(manifest.classes))
    state = {name: torch.from_numpy(array) for name, array in package.weights().items()}
    told = state.get("fc.bias")
    if told is not None and len(told) != len(manifest.classes):
        raise PackageError(
            f"the weights tell {len(told)} classes apart and model.json names {len(manifest.classes)}",
            path=package.folder / WEIGHTS,
            remedy="ask for a package written by 'python -m training package'",
        )
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise PackageError(
            f"the weights do not fit a {manifest.architecture} ({first_line(error)})",
            path=package.folder / WEIGHTS,
            remedy="ask for a package written by 'python -m training package'",
        ) from error
    return network.eval()
