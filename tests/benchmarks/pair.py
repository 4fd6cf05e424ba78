"""One pair, from two files to the blended overlay of its score's class in memory: ours, two peers and the floor."""

import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import torch
import torchcam.methods
import torchvision
from PIL import Image
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.base_cam import BaseCAM
from pytorch_grad_cam.utils.image import show_cam_on_image
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torchcam.utils import overlay_mask
from torchvision.transforms.functional import to_pil_image

from her2viewer.cases.case import open_pair
from her2viewer.export.annotated import overlaid
from her2viewer.export.overlay import OverlayStyle
from her2viewer.resources import resource
from her2viewer.scoring.methods import MapRequest
from her2viewer.scoring.normalise import normalised
from her2viewer.scoring.package import bundled_package
from her2viewer.scoring.preprocess import compose
from her2viewer.scoring.scorer import Scorer
from her2viewer.scoring.stains import Stain
from tests.benchmarks.measure import Row, faster, in_turn, within


def rows() -> list[Row]:
    """Ours, with the maps of all classes, against pytorch-grad-cam's way to one and against the floor."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("PNG", "JPEG"):
            job = PairJob(*demo_files(Path(folder), kind))
            ways = {
                "ours": job.ours,
                "pytorch-grad-cam": job.pytorch_grad_cam,
                "decode + forward": job.decode_and_forward,
            }
            seconds = in_turn(ways)
            found += [
                faster(f"pair of {kind}s, file to overlay", seconds, "ours", "pytorch-grad-cam", 4),
                within(f"pair of {kind}s, file to overlay", seconds, "ours", "decode + forward", 1.3),
            ]
    return found


def demo_files(folder: Path, kind: str) -> tuple[Path, Path]:
    """The demo pair, 1024 x 1024, as files of one format; BCI's own hold JPEG."""
    paths = []
    for stain in ("HE", "IHC"):
        image = Image.open(next(resource("demo").glob(f"*{stain}.png"))).convert("RGB")
        path = folder / f"{stain}.{kind.lower()}"
        image.save(path, quality=90)
        paths.append(path)
    return paths[0], paths[1]


class PairJob:
    """The ways of one job, with one model: each gives the overlay of the score's class."""

    def __init__(self, he: Path, ihc: Path) -> None:
        self._he, self._ihc = he, ihc
        package = bundled_package()
        self._scorer = Scorer.open(package, "cpu")
        self._layout = package.manifest.input
        self._style = OverlayStyle()
        self._network = torchvision.models.resnet18(weights=None, num_classes=len(package.manifest.classes))
        state = {name: torch.from_numpy(array) for name, array in package.weights().items()}
        self._network.load_state_dict(state, strict=False)
        self._network.eval()
        self._to_tensor = torchvision.transforms.Compose(
            [
                torchvision.transforms.Resize((self._layout.height, self._layout.width)),
                torchvision.transforms.ToTensor(),
                torchvision.transforms.Normalize(self._layout.mean, self._layout.std),
            ]
        )
        self.classes = range(len(package.manifest.classes))

    def ours(self) -> list[np.ndarray]:
        """The overlays of both images; the maps of all classes are at hand."""
        with open_pair(self._he, self._ihc) as pair:
            field = pair.read()
        evidence = self._scorer.score(field)
        shown = evidence.attribution(evidence.prediction.score)
        return [
            overlaid(pixels, shown, stain, field.fields[stain], self._style, shown.peak)
            for stain, pixels in field.pixels.items()
        ]

    def ours_of(self, stage: str, method: str) -> list[np.ndarray]:
        """The overlays of both images by any map, with those of all other classes made as well."""
        with open_pair(self._he, self._ihc) as pair:
            field = pair.read()
        evidence = self._scorer.score(field)
        prediction = evidence.prediction
        maps = {
            name: self._scorer.attribution(evidence, MapRequest(name, stage, method)) for name in prediction.classes
        }
        shown = maps[prediction.score]
        return [
            overlaid(pixels, shown, stain, field.fields[stain], self._style, shown.peak)
            for stain, pixels in field.pixels.items()
        ]

    def pytorch_grad_cam(
        self, classes: Sequence[int] | None = None, stage: str = "layer4", way: type[BaseCAM] = GradCAM
    ) -> np.ndarray:
        """The map of the score's class, or those of several from one batch; its own blend."""
        pasted, x = self._pasted()
        if classes is None:
            with torch.no_grad():
                classes = [int(self._network(x).argmax())]
        with way(model=self._network, target_layers=[getattr(self._network, stage)[-1]]) as cam:
            maps = cam(
                input_tensor=x.expand(len(classes), -1, -1, -1), targets=[ClassifierOutputTarget(c) for c in classes]
            )
            shown = maps[list(classes).index(int(cam.outputs[0].argmax()))]
        picture = np.asarray(pasted, np.float32) / 255
        return show_cam_on_image(picture, cv2.resize(shown, (2048, 1024)), use_rgb=True)

    def torchcam(
        self, classes: Sequence[int], stage: str = "layer4", way: type[torchcam.methods.GradCAM] = torchcam.methods.GradCAM
    ) -> Image.Image:
        """The maps of several classes from one forward pass; its own blend."""
        pasted, x = self._pasted()
        with way(self._network, stage) as cam:
            scores = self._network(x)
            maps = [cam(c, scores, retain_graph=True)[0] for c in classes]
        shown = maps[list(classes).index(int(scores.argmax()))]
        return overlay_mask(pasted, to_pil_image(shown, mode="F"), alpha=0.5)

    def decode_and_forward(self) -> torch.Tensor:
        """The floor: both images decoded at the same time, the field composed, one bare pass of our network."""
        with ThreadPoolExecutor(2) as pool:
            images = list(pool.map(_decode, (self._he, self._ihc)))
        pixels = dict(zip((Stain.HE, Stain.IHC), images, strict=True))
        x = normalised(compose(pixels, self._layout)[None], self._layout, "cpu")
        with torch.inference_mode():
            return self._scorer._network(x)

    def _pasted(self) -> tuple[Image.Image, torch.Tensor]:
        """Both images in one picture, as the thesis has it, and that picture as the network's input."""
        pasted = Image.new("RGB", (2048, 1024))
        pasted.paste(Image.open(self._ihc).convert("RGB"), (0, 0))
        pasted.paste(Image.open(self._he).convert("RGB"), (1024, 0))
        return pasted, self._to_tensor(pasted)[None]


def _decode(path: Path) -> np.ndarray:
    return cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR_RGB)
