"""Small ICC profiles written by the tests, version 2 (ICC.1:2001-04): no profile file needs to be shipped."""

import struct

import numpy as np

_D50 = (0.9642, 1.0, 0.8249)


def wide_gamut_profile() -> bytes:
    """An RGB matrix profile with Adobe RGB (1998)'s primaries and gamma 2.2."""
    red, green, blue = (0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457)
    tags = {b"rXYZ": _xyz(red), b"gXYZ": _xyz(green), b"bXYZ": _xyz(blue)}
    return _profile(b"RGB ", tags | {name: _curve(2.2) for name in (b"rTRC", b"gTRC", b"bTRC")})


def gamma_profile(gamma: float) -> bytes:
    """A grey profile of one exponent."""
    return _profile(b"GRAY", {b"kTRC": _curve(gamma)})


def ink_profile() -> bytes:
    """A CMYK profile whose table is Lab of (1 - ink)(1 - K), on a grid of two: full ink of each is a pure colour."""
    grid = np.stack(np.meshgrid(*[[0.0, 1.0]] * 4, indexing="ij"), axis=-1).reshape(-1, 4)
    lightness = (1 - grid[:, :3].mean(axis=1)) * (1 - grid[:, 3])
    tint = (grid[:, 1] - grid[:, 0]) * (1 - grid[:, 3]) * 40  # magenta is red in Lab's a, cyan is green
    lab = np.stack([lightness * 65280, (tint + 128) * 256, np.full(16, 32768.0)], axis=1).astype(">u2")
    body = b"mft2" + bytes(4) + bytes([4, 3, 2, 0]) + struct.pack(">9i", *(65536 * (i % 4 == 0) for i in range(9)))
    body += (
        struct.pack(">HH", 2, 2) + struct.pack(">HH", 0, 65535) * 4 + lab.tobytes() + struct.pack(">HH", 0, 65535) * 3
    )
    return _profile(b"CMYK", {b"A2B0": body, b"A2B1": body}, space=b"Lab ", kind=b"prtr")


def _profile(colours: bytes, tags: dict[bytes, bytes], space: bytes = b"XYZ ", kind: bytes = b"mntr") -> bytes:
    name = b"desc" + bytes(4) + struct.pack(">I", 5) + b"test\0" + bytes(78)
    tags = {b"desc": name, b"wtpt": _xyz(_D50), b"cprt": b"text" + bytes(4) + b"none\0"} | tags
    table, body, start = b"", b"", 128 + 4 + 12 * len(tags)
    for tag, content in tags.items():
        table += tag + struct.pack(">II", start + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    header = struct.pack(">I4sI4s4s4s", start + len(body), b"none", 0x02400000, kind, colours, space)
    header += struct.pack(">6H4s", 2026, 1, 1, 0, 0, 0, b"acsp") + bytes(28) + _xyz(_D50)[8:] + bytes(48)
    return header + struct.pack(">I", len(tags)) + table + body


def _xyz(value: tuple[float, float, float]) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(v * 65536) for v in value))


def _curve(gamma: float) -> bytes:
    return b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256))
