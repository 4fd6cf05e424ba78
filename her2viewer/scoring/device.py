"""Which device the network runs on, and whether it can be trusted there."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch.nn import functional

DeviceChoice = Literal["auto", "cpu", "cuda"]


@dataclass(frozen=True, slots=True)
class Device:
    """A device that answered its self-test. `notice` says why it is not the one that was wished for, or None."""

    name: str
    title: str
    notice: str | None = None

    @property
    def is_cuda(self) -> bool:
        return self.name.startswith("cuda")


def choose_device(choice: DeviceChoice) -> Device:
    """`auto` takes a GPU that passes its self-test, otherwise the CPU; `cuda` does the same and says so where it fell back.

    Never raises for a GPU that is missing, broken or too new: work goes on on the CPU, with a notice. A machine without
    a GPU gives no notice under `auto`, since nothing is amiss.
    """
    if choice == "cpu":
        return Device("cpu", "CPU")
    if not torch.cuda.is_available():
        notice = "No usable NVIDIA GPU was found, so the CPU is used." if choice == "cuda" else None
        return Device("cpu", "CPU", notice)
    problem = self_test("cuda")
    if problem is not None:
        return Device("cpu", "CPU", f"The GPU failed its self-test ({problem}), so the CPU is used.")
    return Device("cuda", torch.cuda.get_device_name())


def self_test(name: str) -> str | None:
    """A small convolution on the device against the CPU. Returns None where they agree to 1e-2, otherwise why not."""
    try:
        generator = torch.Generator().manual_seed(0)
        x = torch.randn(1, 8, 32, 32, generator=generator)
        kernel = torch.randn(8, 8, 3, 3, generator=generator)
        expected = functional.conv2d(x, kernel)
        measured = functional.conv2d(x.to(name), kernel.to(name)).cpu()
    except (RuntimeError, AssertionError) as error:
        return first_line(error)
    difference = float((expected - measured).abs().max())
    # TF32 keeps 10 bits of mantissa: sums of 72 products of unit normals are then right to a few hundredths at most.
    return None if difference < 0.1 else f"its convolution is off by {difference:.3g}"


def first_line(error: BaseException) -> str:
    """The first line of an error's text, for one sentence to the user."""
    text = str(error).strip()
    return text.splitlines()[0].rstrip(".") if text else type(error).__name__
