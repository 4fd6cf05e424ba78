"""Builds the one-folder app with PyInstaller, by one command: `python packaging/build.py`.

It makes its own virtual environment under `build/`, so that the bundle holds what the viewer needs and nothing of the
developer's. The bundle is for the CPU: PyTorch's CUDA build would make it three times as large. On Windows and macOS pip's
ordinary torch is the CPU build; on Linux name the wheel or the index that has it, for example
`--torch torch==2.13.0 --index-url URL` with the CPU index of PyTorch's own installation page.
"""

import argparse
import os
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
BUNDLE = ROOT / "dist" / "HER2Viewer"

# The viewer itself runs on torch from 2.13; the floor in pyproject.toml is torchvision's, which the bundle leaves out.
CPU_TORCH = "torch==2.13.0" if sys.platform == "linux" else "torch~=2.14"


def main() -> int:
    """Makes the environment, runs PyInstaller on the spec, says how large the result is. Exit status 0 on success."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--torch", default=CPU_TORCH, help=f"the torch to bundle (default: {CPU_TORCH})")
    parser.add_argument("--index-url", help="the package index to take torch from")
    parser.add_argument("--keep-environment", action="store_true", help="use build/venv as it is, if it is there")
    options = parser.parse_args()

    python = BUILD / "venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not (options.keep_environment and python.exists()):
        make_environment(python, options.torch, options.index_url)
    cuda = subprocess.check_output([python, "-c", "import torch; print(torch.version.cuda or '')"], text=True).strip()
    if cuda:
        print(f"{options.torch} is a CUDA {cuda} build: name a CPU build with --torch or --index-url.", file=sys.stderr)
        return 1
    run(python, "-m", "PyInstaller", "--noconfirm", "--clean", "--distpath", BUNDLE.parent, "--workpath",
        BUILD / "pyinstaller", ROOT / "packaging" / "her2viewer.spec")  # fmt: skip
    size = sum(file.stat().st_size for file in BUNDLE.rglob("*") if file.is_file() and not file.is_symlink())
    print(f"{BUNDLE.relative_to(ROOT)}: {size / 1e6:.0f} MB. Check it with: python packaging/check.py")
    return 0


def make_environment(python: Path, torch: str, index_url: str | None) -> None:
    """A fresh environment with the viewer, torch as asked for, and what builds the bundle."""
    venv.create(python.parent.parent, with_pip=True, clear=True)
    run(python, "-m", "pip", "install", "-q", torch, *(["--index-url", index_url] if index_url else []))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = [item for item in project["dependencies"] if not item.startswith("torch")]
    run(python, "-m", "pip", "install", "-q", *needed, *project["optional-dependencies"]["build"])
    run(python, "-m", "pip", "install", "-q", "--no-deps", ROOT)


def run(*command: object) -> None:
    """Runs a command and stops the build where it fails."""
    subprocess.run([str(part) for part in command], check=True, cwd=ROOT)


if __name__ == "__main__":
    sys.exit(main())
