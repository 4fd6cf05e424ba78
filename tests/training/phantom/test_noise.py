"""Random fields: their scale, their spread, their shares."""

import numpy as np
import pytest

from training.phantom.noise import above_share, fractal, grid, ramp, smooth


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("scale", [2.6, 9.0, 30.0, 120.0])
def test_a_field_has_mean_0_and_deviation_1(scale: float) -> None:
    fields = np.stack([smooth(rng(seed), 256, scale) for seed in range(24)])
    assert fields.shape == (24, 256, 256)
    assert fields.dtype == np.float32
    assert abs(fields.mean()) < 0.25
    assert 0.75 < fields.std() < 1.3


def test_features_are_about_as_wide_as_asked() -> None:
    def reach(scale: float) -> int:
        """The distance at which a field has forgotten itself by half."""
        field = np.stack([smooth(rng(seed), 512, scale)[::16] for seed in range(6)])
        field = field - field.mean()
        same = (field**2).mean()
        return next(d for d in range(1, 400) if (field[..., :-d] * field[..., d:]).mean() < same / 2)

    assert reach(8) * 3 < reach(40) < reach(8) * 8


def test_stretched_features_run_along_x() -> None:
    field = smooth(rng(), 256, 10, aspect=5)
    assert np.abs(np.diff(field, axis=1)).mean() * 2.5 < np.abs(np.diff(field, axis=0)).mean()


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.93])
def test_above_share(share: float) -> None:
    assert above_share(fractal(rng(3), 256, 20), share).mean() == pytest.approx(share, abs=0.04)


def test_ramp() -> None:
    values = ramp(np.array([-1.0, 0.0, 0.5, 1.0, 2.0], np.float32), 0, 1)
    assert values.tolist() == [0, 0, 0.5, 1, 1]


def test_the_shared_grid_cannot_be_written() -> None:
    y, x = grid(8)
    assert y[3, 5] == 3
    assert x[3, 5] == 5
    with pytest.raises(ValueError, match="read-only"):
        y[0, 0] = 1
