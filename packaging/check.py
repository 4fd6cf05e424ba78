"""Starts the built bundle without Python on the path and holds its numbers against the source: `python packaging/check.py`.

The demo pair is scored by both, and once more with its stains exchanged, since its own probabilities lie so near 0 and 1 that
many a fault would not move them. The bundle passes where all agree to 1e-5 and the pictures are there. Run it with the Python
that has HER2 Viewer installed.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "dist" / "HER2Viewer" / ("her2viewer.exe" if os.name == "nt" else "her2viewer")
TOLERANCE = 1e-5


def main() -> int:
    """Exit status 0 where the bundle gives the numbers of the source."""
    if not PROGRAM.exists():
        print("There is no bundle: build it with python packaging/build.py", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        # Nothing of the developer's environment: no PATH, no PYTHONPATH, a home of its own.
        empty = {"HOME": folder, "QT_QPA_PLATFORM": "offscreen", "LANG": "C.UTF-8"}
        if os.name == "nt":
            empty["SYSTEMROOT"] = os.environ["SYSTEMROOT"]
        started = time.perf_counter()
        bundle = demo([str(PROGRAM)], Path(folder) / "bundle", empty)
        seconds = time.perf_counter() - started
        source = demo(
            [sys.executable, "-m", "her2viewer"], Path(folder) / "source", dict(os.environ, QT_QPA_PLATFORM="offscreen")
        )
    difference = max(abs(bundle[name] - source[name]) for name in source)
    verdict = "agrees with" if difference <= TOLERANCE else "DIFFERS from"
    print(", ".join(f"{name} {p:.5f}" for name, p in bundle.items()))
    print(
        f"The bundle's two runs took {seconds:.1f} s and it {verdict} the source: largest difference {difference:.1e}."
    )
    return 0 if difference <= TOLERANCE else 1


def demo(command: list[str], out: Path, environment: dict[str, str]) -> dict[str, float]:
    """Runs `demo --out` and `score`; returns the probabilities of both by name. Fails where a picture is missing."""
    pair = {stain: str(ROOT / "resources" / "demo" / f"demo_{stain}.png") for stain in ("HE", "IHC")}
    exchanged = ["score", "--he", pair["IHC"], "--ihc", pair["HE"], "--out", str(out / "exchanged")]
    for arguments in (["demo", "--out", str(out)], exchanged):
        subprocess.run([*command, *arguments], check=True, env=environment, cwd=out.parent, timeout=300)
    pictures = list(out.glob("*.png"))
    assert len(pictures) >= 2, f"expected an overlay and a picture of the window, found {pictures}"
    found: dict[str, float] = {}
    for name, folder in (("demo", out), ("exchanged", out / "exchanged")):
        (result,) = (path for path in folder.glob("*.json") if path.name != "results.json")
        probabilities: dict[str, float] = json.loads(result.read_text(encoding="utf-8"))["probabilities"]
        found |= {f"{name} {label}": p for label, p in probabilities.items()}
    return found


if __name__ == "__main__":
    sys.exit(main())
