"""How many cores a pass of the network, and OpenCV, may take."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def cores_each(count: int) -> Iterator[None]:
    """Within it torch and OpenCV use so many threads, in every thread that is started meanwhile.

    Where each core has a pair of its own nobody waits for others at the end of each layer: two passes on a core each take less
    time than one after the other on both.
    """
    import cv2
    import torch

    before = torch.get_num_threads(), cv2.getNumThreads()
    torch.set_num_threads(count)
    cv2.setNumThreads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        cv2.setNumThreads(before[1])
