import subprocess
import sys

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from her2viewer.gui import memory

_MANY_THREADS = """
import re, threading
from her2viewer.gui.memory import ARENAS, share_few_arenas
if not share_few_arenas():
    raise SystemExit(77)
barrier = threading.Barrier(6)
def work():
    barrier.wait()
    held = [bytes(100_000) for _ in range(100)]
    barrier.wait()
threads = [threading.Thread(target=work) for _ in range(6)]
for thread in threads: thread.start()
for thread in threads: thread.join()
import ctypes, os, tempfile
libc = ctypes.CDLL("libc.so.6")
libc.fopen.restype = ctypes.c_void_p
with tempfile.NamedTemporaryFile("r") as file:
    out = libc.fopen(file.name.encode(), b"w")
    libc.malloc_info(0, ctypes.c_void_p(out))
    libc.fclose(ctypes.c_void_p(out))
    arenas = len(re.findall("<heap nr", file.read()))
assert arenas <= ARENAS, arenas
"""


def test_threads_share_two_arenas() -> None:
    done = subprocess.run([sys.executable, "-c", _MANY_THREADS], capture_output=True, text=True, timeout=60)
    if done.returncode == 77:
        pytest.skip("no glibc here")
    assert done.returncode == 0, done.stderr


def test_what_is_free_is_given_back_again_and_again(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    class Libc:
        trimmed = 0

        def malloc_trim(self, pad: int) -> int:
            self.trimmed += 1
            return 1

    libc = Libc()
    monkeypatch.setattr(memory, "_glibc", lambda: libc)
    monkeypatch.setattr(memory, "EVERY_MS", 10)
    owner = QObject()
    memory.FreedMemory(owner)
    qtbot.waitUntil(lambda: libc.trimmed >= 2)
