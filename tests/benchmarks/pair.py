"""One pair, from two files to the blended overlay of one class in memory, with all four class maps."""

import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import torch
import torchvision
from PIL import Image
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.image import show_cam_on_image
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

from her2viewer.cases.case import open_pair
from her2viewer.export.overlay import OverlayStyle, blend, colourise
from her2viewer.resources import resource
from her2viewer.scoring.normalise import normalised
from her2viewer.scoring.package import bundled_package
from her2viewer.scoring.preprocess import compose
from her2viewer.scoring.scorer import Scorer
from her2viewer.scoring.stains import Stain
from tests.benchmarks.measure import Row, faster, in_turn, within


def rows() -> list[Row]:
    """Ours against pytorch-grad-cam's way and against the floor of decoding and one bare forward pass."""
    with tempfile.TemporaryDirectory() as folder:
        return [row for kind in ("PNG", "JPEG") for row in _rows_for(kind, *_files(Path(folder), kind))]


def _files(folder: Path, kind: str) -> tuple[Path, Path]:
    """The demo pair, 1024 x 1024, as files of one format; BCI's own hold JPEG."""
    paths = []
    for stain in ("HE", "IHC"):
        image = Image.open(next(resource("demo").glob(f"*{stain}.png"))).convert("RGB")
        path = folder / f"{stain}.{kind.lower()}"
        image.save(path, quality=90)
        paths.append(path)
    return paths[0], paths[1]


def _rows_for(kind: str, he: Path, ihc: Path) -> list[Row]:
    package = bundled_package()
    scorer = Scorer.open(package, "cpu")
    layout = package.manifest.input
    style = OverlayStyle()

    def ours() -> object:
        with open_pair(he, ihc) as pair:
            field = pair.read()
            evidence = scorer.score(field)
            attribution = evidence.attribution(evidence.prediction.score)
            return [
                blend(
                    pixels,
                    colourise(
                        attribution.render(stain, field.fields[stain], (pixels.shape[1], pixels.shape[0])),
                        attribution.peak,
                        style,
                    ),
                )
                for stain, pixels in field.pixels.items()
            ]

    network = torchvision.models.resnet18(weights=None, num_classes=4)
    network.load_state_dict({name: torch.from_numpy(array) for name, array in package.weights().items()}, strict=False)
    network.eval()
    to_tensor = torchvision.transforms.Compose(
        [
            torchvision.transforms.Resize((224, 224)),
            torchvision.transforms.ToTensor(),
            torchvision.transforms.Normalize(layout.mean, layout.std),
        ]
    )

    def peer() -> object:
        pasted = Image.new("RGB", (2048, 1024))
        pasted.paste(Image.open(ihc).convert("RGB"), (0, 0))
        pasted.paste(Image.open(he).convert("RGB"), (1024, 0))
        x = to_tensor(pasted)[None]
        with torch.no_grad():
            target = int(network(x).argmax())
        with GradCAM(model=network, target_layers=[network.layer4[-1]]) as cam:
            grey = cam(input_tensor=x, targets=[ClassifierOutputTarget(target)])[0]
        return show_cam_on_image(np.asarray(pasted, np.float32) / 255, cv2.resize(grey, (2048, 1024)), use_rgb=True)

    bare = scorer._network
    decoders = ThreadPoolExecutor(2)

    def floor() -> object:
        images = list(decoders.map(_decode, (he, ihc)))
        x = normalised(compose(dict(zip((Stain.HE, Stain.IHC), images, strict=True)), layout)[None], layout, "cpu")
        with torch.inference_mode():
            return bare(x)

    with decoders:
        seconds = in_turn({"ours": ours, "pytorch-grad-cam": peer, "decode + forward": floor})
    return [
        faster(f"pair of {kind}s, file to overlay", seconds, "ours", "pytorch-grad-cam", 4),
        within(f"pair of {kind}s, file to overlay", seconds, "ours", "decode + forward", 1.3),
    ]


def _decode(path: Path) -> np.ndarray:
    return cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR_RGB)
