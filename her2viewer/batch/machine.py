"""What this machine can take: its cores, and how many pixels of its memory a batch may hold."""

import ctypes
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

_BYTES_A_PIXEL: Final = 32
"""Of a pair in work: decoded and copied (6), drawn with its map (18), encoded (3), and what the network makes of it."""
_SHARE: Final = 0.5
_UNKNOWN: Final = 8 * 2**30
_LEAST, _MOST = 30_000_000, 1_000_000_000


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        return max(len(os.sched_getaffinity(0)), 1)
    return os.cpu_count() or 1


def most_pixels() -> int:
    """Pixels of all pairs that are in work at a time, by the memory that is free now: half of it."""
    return int(min(max(available_memory() * _SHARE / _BYTES_A_PIXEL, _LEAST), _MOST))


def available_memory() -> int:
    """Bytes that can be had without swapping; a guess where the system does not tell. A container's limit counts."""
    found = [value for value in (_of_system(), _of_container()) if value is not None]
    return min(found, default=_UNKNOWN)


def _of_system() -> int | None:
    if sys.platform == "win32":
        return _of_windows()
    with suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    with suppress(OSError, ValueError):  # macOS tells what is built in; half of it is usually free
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    return None


def _of_container() -> int | None:
    """What a control group leaves (cgroup v2), None where there is no limit."""
    group = Path("/sys/fs/cgroup")
    with suppress(OSError, ValueError):
        return max(int((group / "memory.max").read_text()) - int((group / "memory.current").read_text()), 0)
    return None


class _MemoryStatus(ctypes.Structure):
    """MEMORYSTATUSEX of the Windows API."""

    _fields_ = (
        ("length", ctypes.c_ulong),
        ("load", ctypes.c_ulong),
        *((name, ctypes.c_ulonglong) for name in ("total", "available", "paged", "page", "virtual", "of_virtual", "more")),
    )


def _of_windows() -> int | None:
    status = _MemoryStatus()
    status.length = ctypes.sizeof(status)
    kernel = getattr(ctypes, "windll", None)
    if kernel is None or not kernel.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)):
        return None
    return int(status.available)
