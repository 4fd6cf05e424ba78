"""The nuclei's shadow in the DAB plane."""

import numpy as np

from her2viewer.scoring.membrane.counterstain import without_counterstain


def test_the_shadow_goes_and_the_membranes_stay() -> None:
    y, x = np.mgrid[0:200, 0:200] + 0.5
    at = (
        np.stack(np.meshgrid(np.arange(20, 200, 32), np.arange(20, 200, 32)), axis=-1).reshape(-1, 2).astype(np.float32)
    )
    counterstain = np.zeros((200, 200), np.float32)
    for cx, cy in at:
        counterstain += 0.3 * (np.hypot(x - cx, y - cy) < 5)
    wall = np.zeros((200, 200), np.float32)
    wall[:, 100] = 0.4
    cleaned = without_counterstain(0.5 * counterstain + wall, counterstain, at, np.full(len(at), 5, np.float32))
    assert cleaned[counterstain > 0].max() < 0.02
    assert cleaned[:, 100].max() > 0.39
