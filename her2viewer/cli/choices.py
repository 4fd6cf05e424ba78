"""Words that options take. Written out, since importing them from where they belong would load torch for `--help`."""

from typing import Literal

Device = Literal["auto", "cpu", "cuda"]
PaperSize = Literal["a4", "letter"]
Precision = Literal["fp32", "bf16"]
Stage = Literal["layer1", "layer2", "layer3", "layer4", "fused"]
Method = Literal["Grad-CAM", "Grad-CAM++", "LayerCAM", "HiResCAM", "Score-CAM", "Occlusion"]
