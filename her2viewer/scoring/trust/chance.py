"""Random maps that differ from a map in nothing but where its evidence lies."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def random_maps(values: NDArray[np.float32], count: int, seed: int) -> list[NDArray[np.float32]]:
    """`count` maps on the map's own grid and as smooth as it, each (rows, columns) float32. A flat map gives flat ones.

    Theiler et al. 1992, "Testing for nonlinearity in time series: the method of surrogate data", in two dimensions: the map's
    amplitude at each spatial frequency with the phases of noise. White noise would be too easy to beat: any smooth map finds
    more than it, whatever it shows. The map is mirrored at its borders first, as the transform takes the left border for the
    right one's neighbour. A map and its negative are equally likely.
    """
    rng = np.random.default_rng(seed)
    rows, columns = values.shape
    mean = values.mean(dtype=np.float64)
    mirrored = np.pad(values.astype(np.float64) - mean, ((0, rows), (0, columns)), mode="symmetric")
    amplitude = np.abs(np.fft.rfft2(mirrored))
    found = []
    for _ in range(count):
        noise = np.fft.rfft2(rng.standard_normal(mirrored.shape))
        phase = noise / np.maximum(np.abs(noise), 1e-12)
        drawn = np.fft.irfft2(amplitude * phase, s=mirrored.shape)[:rows, :columns]
        found.append((drawn + mean).astype(np.float32))
    return found


def without(
    drawn: NDArray[np.float32], one: NDArray[np.float32], parts: Sequence[tuple[slice, slice]]
) -> NDArray[np.float32]:
    """A map (h, w) less all that it has in common with another one: in each part their correlation becomes 0.

    A random map agrees with the map by chance, and then does as well as it: against such maps even a perfect one could hardly
    stand out among a handful. What is left is chance alone.
    """
    out = drawn.copy()
    for where in parts:
        own, other = (values[where] - values[where].mean(dtype=np.float64) for values in (drawn, one))
        size = float(np.square(other).sum())
        out[where] = own - (float((own * other).sum()) / size * other if size > 0 else 0)
    return out


def shuffled_maps(values: NDArray[np.float32], count: int, seed: int) -> list[NDArray[np.float32]]:
    """`random_maps` that hold the map's own values, in the order of the random one's ("amplitude adjusted" in the same paper).

    For figures that ask for amounts and not for order alone: each has exactly as much positive evidence as the map.
    """
    in_order = np.sort(values, axis=None)
    found = []
    for drawn in random_maps(values, count, seed):
        own = np.empty_like(in_order)
        own[np.argsort(drawn, axis=None, kind="stable")] = in_order
        found.append(own.reshape(values.shape))
    return found
