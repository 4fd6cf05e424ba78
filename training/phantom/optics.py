"""From optical density to the camera's bytes: Beer-Lambert, the objective's blur, sharpening, shading, grain."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from training.phantom.noise import Plane, smooth
from training.phantom.slide import Camera

_HALO: Final = 1.6
"""Deviation (px) of the blur that sharpening takes off."""
_NORMAL: Final = norm.ppf((np.arange(256) + 0.5) / 256).astype(np.float32)
"""A byte's quantile of the normal distribution."""

Rgb = NDArray[np.uint8]
"""(side, side, 3) uint8 RGB."""


def captured(density: NDArray[np.float32], camera: Camera, rng: np.random.Generator) -> Rgb:
    """One scan, before its file is compressed. density: (side, side, 3) float32, log10 optical density per channel. Returns RGB.

    Transmitted light is white * 10^-density (Beer-Lambert); blur acts on light, not on density.
    """
    side = density.shape[0]
    fall = 1 + np.float32(camera.shading) * cv2.resize(smooth(rng, 128, 60), (side, side))
    channels = []
    for channel, grain in enumerate(_grain(rng, side, camera.grain)):  # planes one by one: they stay in the cache
        light = density[..., channel] * np.float32(-np.log(10.0))
        cv2.exp(light, light)
        light *= fall
        sharp = cv2.GaussianBlur(light, _reach(camera.blur), camera.blur)
        soft = cv2.GaussianBlur(sharp, _reach(_HALO), _HALO)
        white, sharpen = float(camera.white[channel]), camera.sharpen
        signal = cv2.addWeighted(sharp, (1 + sharpen) * white, soft, -sharpen * white, 0)
        # Adding to bytes rounds and stops at 0 and 255.
        channels.append(cv2.add(signal, grain, dtype=cv2.CV_8U))
    return np.asarray(cv2.merge(channels), np.uint8)


def _reach(sigma: float) -> tuple[int, int]:
    """A kernel of three deviations either way."""
    size = 2 * round(3 * sigma) + 1
    return size, size


def _grain(rng: np.random.Generator, side: int, deviation: float) -> list[Plane]:
    """Red, green and blue: mostly brightness, a little colour. One draw, rolled: odd steps are uncorrelated enough."""
    draw = np.frombuffer(rng.bytes(side * side), np.uint8).reshape(side, side)
    base = np.asarray(cv2.LUT(draw, _NORMAL * np.float32(deviation)), np.float32)
    return [
        np.asarray(cv2.addWeighted(base, 1.0, np.roll(base, by, (0, 1)), 0.5, 0), np.float32)
        for by in ((37, 411), (523, 89), (271, 733))
    ]
