"""From optical density to the camera's bytes: Beer-Lambert, the objective's blur, sharpening, shading, grain."""

import cv2
import numpy as np
from numpy.typing import NDArray

from training.phantom.noise import smooth
from training.phantom.slide import Camera

Rgb = NDArray[np.uint8]
"""(side, side, 3) uint8 RGB."""


def captured(density: NDArray[np.float32], camera: Camera, rng: np.random.Generator) -> Rgb:
    """One scan, before its file is compressed. density: (side, side, 3) float32, log10 optical density per channel. Returns RGB.

    Transmitted light is white * 10^-density (Beer-Lambert); blur acts on light, not on density.
    """
    side = density.shape[0]
    light = np.asarray(cv2.exp(density * np.float32(-np.log(10.0))), np.float32)
    if camera.shading:
        fall = 1 + np.float32(camera.shading) * cv2.resize(smooth(rng, 128, 60), (side, side))
        light *= fall[..., None]
    light = np.asarray(cv2.GaussianBlur(light, (0, 0), camera.blur), np.float32)
    if camera.sharpen:
        soft = cv2.GaussianBlur(light, (0, 0), 1.6)
        light = np.asarray(cv2.addWeighted(light, 1 + camera.sharpen, soft, -camera.sharpen, 0), np.float32)
    light *= camera.white
    light += _grain(rng, side, camera.grain)
    return np.asarray(np.clip(light + np.float32(0.5), 0, 255), np.uint8)


def _grain(rng: np.random.Generator, side: int, deviation: float) -> NDArray[np.float32]:
    """Mostly brightness, a little colour. One half-size draw, rolled: rolls by odd steps are uncorrelated enough."""
    half = rng.standard_normal((side // 2 + 1, side), dtype=np.float32) * np.float32(deviation)
    base = np.concatenate([half, np.roll(half, side // 3, 1)])[:side]
    out = np.empty((side, side, 3), np.float32)
    for channel, (dy, dx) in enumerate(((37, 411), (523, 89), (271, 733))):
        out[..., channel] = base + np.float32(0.5) * np.roll(base, (dy, dx), (0, 1))
    return out
