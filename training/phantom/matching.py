"""How closely phantoms look like real fields: optical densities per stain and channel, and their spatial spectrum.

Everything is pooled and label-free: which density belongs to which score is never looked at. Each image's white is taken from
the image itself, the same way on both sides.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.stats import wasserstein_distance

from her2viewer.errors import UserError
from her2viewer.imaging.opening import open_image
from training.phantom.optics import Rgb
from training.phantom.pair import SIDE, make_phantom

CHANNELS: Final = ("red", "green", "blue", "total")
STAINS: Final = ("HE", "IHC")
_SUFFIXES: Final = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp"}
_SAMPLES: Final = 20_000
"""Tissue pixels taken from each field."""
_TISSUE_FROM: Final = 0.04
"""Total optical density from which a slightly blurred pixel is tissue."""
_BANDS: Final = 24


@dataclass(frozen=True, eq=False)
class Look:
    """One field measured. density: (_SAMPLES, 4) float32, log10 optical density of tissue pixels in R, G, B and their mean
    (total); spectrum: (_BANDS,) log10 power of the total density in bands of equal width in log frequency, of sum 1."""

    density: NDArray[np.float32]
    spectrum: NDArray[np.float64]


def real_fields(folder: Path) -> dict[str, list[Rgb]]:
    """Fields of SIDE x SIDE by stain: of `HE/` and `IHC/` in BCI's layout, or else all images of the folder as IHC.

    Larger images give up to four fields with tissue on at least a third. Raises UserError where there is no such image.
    """
    places = {stain: folder / stain for stain in STAINS if (folder / stain).is_dir()} or {"IHC": folder}
    found = {stain: [field for path in _images(place) for field in _fields(path)] for stain, place in places.items()}
    found = {stain: fields for stain, fields in found.items() if fields}
    if not found:
        raise UserError(
            f"no image of at least {SIDE} x {SIDE} pixels is there to compare with",
            path=folder,
            remedy="name a folder in BCI layout (HE/, IHC/), or one with IHC images in it",
        )
    return found


def drawn_fields(seed: int, count: int, first: int = 0) -> dict[str, list[Rgb]]:
    """The first phantoms of a seed by stain."""
    pairs = [make_phantom(seed, index) for index in range(first, first + count)]
    return {"HE": [pair.he for pair in pairs], "IHC": [pair.ihc for pair in pairs]}


def look_of(image: Rgb) -> Look | None:
    """Measures a field; None where less than a twentieth of it is tissue."""
    white = np.quantile(image[::4, ::4].reshape(-1, 3), 0.995, axis=0)
    light = (image.astype(np.float32) + 1) / (white.astype(np.float32) + 1)
    density = np.clip(-np.log10(light), 0, 2.5)
    total = density.mean(axis=2)
    tissue = np.flatnonzero(cv2.GaussianBlur(total, (0, 0), 2) > _TISSUE_FROM)
    if tissue.size < total.size // 20:
        return None
    taken = tissue[np.linspace(0, tissue.size - 1, _SAMPLES).astype(np.intp)]
    sampled = np.concatenate([density.reshape(-1, 3)[taken], total.ravel()[taken, None]], axis=1)
    return Look(np.asarray(sampled, np.float32), _spectrum(total))


def compared(real: list[Look], drawn: list[Look]) -> dict[str, Any]:
    """How far two sets of fields of one stain lie apart.

    density: earth mover's distance of the pooled optical densities per channel; fields: the same of the fields' own mean
    densities and 97th percentiles (how much slides differ); spectrum: root mean square of the difference of the mean log10
    spectra. halves: what random halves of the real fields differ by, averaged: no drawing can be expected to lie closer.
    """
    rng = np.random.default_rng(0)
    splits = [np.array_split(rng.permutation(len(real)), 2) for _ in range(20 if len(real) > 1 else 0)]
    apart = [_distances(*([real[i] for i in half] for half in split)) for split in splits]
    halves = {name: round(float(np.mean([each[name] for each in apart])), 4) for name in apart[0]} if apart else {}
    distance = {name: round(value, 4) for name, value in _distances(real, drawn).items()}
    means = {
        side: {name: round(float(value), 4) for name, value in zip(CHANNELS, _pooled(looks).mean(axis=0), strict=True)}
        for side, looks in (("real", real), ("phantom", drawn))
    }
    return {
        "fields": {"real": len(real), "phantom": len(drawn)},
        "distance": distance,
        "halves": halves,
        "mean_density": means,
    }


def compared_with(folder: Path, *, seed: int, count: int, first: int = 0) -> dict[str, Any]:
    """`compared` for each stain that a folder of real images holds, against `count` phantoms.

    Raises UserError where the folder shows no tissue.
    """
    real = {stain: _looks(fields) for stain, fields in real_fields(folder).items()}
    for stain, looks in real.items():
        if not looks:
            raise UserError(f"no {stain} field shows tissue", path=folder, remedy="choose images of stained tissue")
    drawn: dict[str, list[Look]] = {stain: [] for stain in STAINS}
    for index in range(first, first + count):  # one at a time: fields are large, their figures are not
        for stain, fields in drawn_fields(seed, 1, index).items():
            drawn[stain] += _looks(fields)
    stains = {stain: compared(looks, drawn[stain]) for stain, looks in real.items()}
    return {"seed": seed, "first": first, "count": count, "stains": stains}


def _looks(fields: list[Rgb]) -> list[Look]:
    return [look for look in map(look_of, fields) if look is not None]


def _distances(one: list[Look], two: list[Look]) -> dict[str, float]:
    found = {}
    a, b = _pooled(one), _pooled(two)
    for channel, name in enumerate(CHANNELS):
        found[f"density {name}"] = float(wasserstein_distance(a[:, channel], b[:, channel]))
    for title, figure in (("mean", np.mean), ("97th percentile", lambda values: np.quantile(values, 0.97))):
        of = [[float(figure(look.density[:, 3])) for look in looks] for looks in (one, two)]
        found[f"fields' {title}"] = float(wasserstein_distance(*of))
    gap = np.mean([look.spectrum for look in one], axis=0) - np.mean([look.spectrum for look in two], axis=0)
    found["spectrum"] = float(np.sqrt((gap**2).mean()))
    return found


def _pooled(looks: Iterable[Look]) -> NDArray[np.float32]:
    return np.concatenate([look.density[::8] for look in looks])


def _spectrum(total: NDArray[np.float32]) -> NDArray[np.float64]:
    """Radially averaged power of a Hann-windowed square field, from 4 periods a field to the Nyquist frequency."""
    side = total.shape[0]
    window = np.hanning(side)
    power = np.abs(np.fft.rfft2((total - total.mean()) * np.outer(window, window))) ** 2
    radius = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None])
    edges = np.geomspace(4 / side, 0.5, _BANDS + 1)
    band = np.digitize(radius.ravel(), edges) - 1
    inside = (band >= 0) & (band < _BANDS)
    mean = np.bincount(band[inside], power.ravel()[inside], _BANDS) / np.maximum(
        np.bincount(band[inside], minlength=_BANDS), 1
    )
    return np.asarray(np.log10(mean / mean.sum() + 1e-12), np.float64)


def _images(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES and path.is_file())


def _fields(path: Path) -> list[Rgb]:
    with open_image(path) as image:
        width, height = image.size
        if width < SIDE or height < SIDE:
            return []
        if max(width, height) < 2 * SIDE:
            return [image.read(0, 0, 0, SIDE, SIDE)]
        corners = [
            (x, y) for y in range(0, height - SIDE + 1, SIDE // 2) for x in range(0, width - SIDE + 1, SIDE // 2)
        ]
        middle = ((width - SIDE) / 2, (height - SIDE) / 2)
        corners.sort(key=lambda at: np.hypot(at[0] - middle[0], at[1] - middle[1]))
        taken: list[tuple[int, int]] = []
        for x, y in corners:
            apart = all(max(abs(x - tx), abs(y - ty)) >= SIDE for tx, ty in taken)
            if apart and len(taken) < 4:
                taken.append((x, y))
        fields = [image.read(0, x, y, SIDE, SIDE) for x, y in taken]
    return [field for field in fields if (field.min(axis=2) < np.quantile(field, 0.995) - 25).mean() > 1 / 3]
