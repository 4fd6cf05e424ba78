"""What every worker of a cluster has to know: what is asked for, by which model, of which version of the app.

Nothing heavy is imported: the scheduler unpacks an order on its way to the workers, and needs neither torch nor a model.
"""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from her2viewer import __version__
from her2viewer.batch.options import BatchOptions
from her2viewer.cases.pair import Pair
from her2viewer.errors import PackageError
from her2viewer.scoring.field_scorer import Precision
from her2viewer.scoring.package import MANIFEST, ModelPackage, bundled_packages, open_package

Device = Literal["auto", "cpu", "cuda"]


@dataclass(frozen=True, slots=True)
class ModelPlace:
    """Where a worker finds the model package. `folder`: as all machines see it, or None for the one that ships with the app.

    `fingerprint`: SHA-256 of its `model.json`, which names the SHA-256 of the weights and of all else that counts.
    """

    folder: str | None
    fingerprint: str

    @classmethod
    def of(cls, package: ModelPackage) -> "ModelPlace":
        """Raises PackageError where it cannot be read."""
        shipped = package.folder.resolve() in [folder.resolve() for folder in bundled_packages()]
        return cls(None if shipped else str(package.folder.resolve()), fingerprint(package.folder))

    def open(self) -> ModelPackage:
        """The package on this machine. Raises PackageError where it is not there, or another."""
        folders = bundled_packages() if self.folder is None else [Path(self.folder)]
        for folder in folders:
            package = open_package(folder)
            if fingerprint(folder) == self.fingerprint:
                return package
        raise PackageError(
            "the model package there is another one",
            path=folders[0] if folders else None,
            remedy="put the same package where all machines see it under one path, and name it with --model",
        )


@dataclass(frozen=True, slots=True)
class Order:
    """`device`: 'auto', 'cpu' or 'cuda', as each worker's machine has it. `options` without the folder of the results."""

    app_version: str
    model: ModelPlace
    device: Device
    precision: Precision
    options: BatchOptions

    @classmethod
    def of(cls, package: ModelPackage, device: Device, precision: Precision, options: BatchOptions) -> "Order":
        """Raises PackageError where the package cannot be read."""
        return cls(
            __version__, ModelPlace.of(package), device, precision, replace(options, out=Path(), resume=False)
        )


@dataclass(frozen=True, slots=True)
class Item:
    """One pair to be scored, unless its files' bytes have the SHA-256 that are `kept` of it (H&E, IHC)."""

    pair: Pair
    kept: tuple[str | None, str | None] | None = None


def fingerprint(folder: Path) -> str:
    """See `ModelPlace`. Raises PackageError."""
    try:
        return hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()
    except OSError as error:
        raise PackageError(
            f"it cannot be read ({error.strerror})", path=folder / MANIFEST, remedy="install the model package again"
        ) from error
