"""The model package: a folder with `model.json`, `weights.safetensors` and `MODEL_CARD.md`.

The viewer obeys `model.json`, so a package of any training recipe opens without a change of code. The schema and the
SHA-256 of the weights are checked at loading, on the very bytes that are used; nothing is ever unpickled.
"""

import hashlib
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from her2viewer.errors import PackageError
from her2viewer.resources import resource
from her2viewer.scoring.architecture import Architecture
from her2viewer.scoring.guard.familiarity import Cloud, Reference
from her2viewer.scoring.prediction import ModelIdentity
from her2viewer.scoring.preprocess import InputLayout
from her2viewer.scoring.stains import Stain

SCHEMA: Final = "her2viewer.model/1"
MANIFEST = "model.json"
WEIGHTS = "weights.safetensors"
CARD = "MODEL_CARD.md"
REFERENCE = "familiarity.safetensors"

SET_SIZE: Final = "mean size of the prediction set"
COEFFICIENTS: Final = frozenset({"quadratic weighted kappa", "macro-F1", "expected calibration error", SET_SIZE})
"""Figures that are no share of fields, by name."""

Arrays = Mapping[str, NDArray[np.floating]]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Weights(_Section):
    """The weights file: what its bytes hash to (lower-case hex) and how its numbers are stored; 'mixed' is tensor by tensor."""

    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    dtype: Literal["float16", "float32", "mixed"]


Share = Annotated[float, Field(ge=0, le=1)]


class Conformal(_Section):
    """Split-conformal prediction set (Sadinle et al. 2019): all classes with 1 - probability <= their quantile.

    `level` is the coverage aimed at, `fields` how many held-out fields the quantiles were taken from, `data` which ones.
    `quantiles` has one a class, in the order of the classes: each label is then covered at `level` by itself, whatever
    share of the fields it has (Vovk 2012, class-conditional). Packages without them have `quantile` for all classes, which
    covers the mixture that it was taken from and may miss one label more often than another.
    """

    level: Annotated[float, Field(gt=0, lt=1)]
    quantile: Share
    fields: Annotated[int, Field(gt=0)]
    quantiles: tuple[Share, ...] = ()
    data: str = ""

    def quantile_of(self, index: int) -> float:
        """The quantile of a class by its place among the classes."""
        return self.quantiles[index] if self.quantiles else self.quantile


class Familiarity(_Section):
    """What `familiarity.safetensors` holds: where the features of training fields lie, stain by stain (see `guard.familiarity`).

    `limits`: per stain the distance from which a field is unlike them; `fields`: how many were taken; `sha256`: of the file.
    """

    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    fields: Annotated[int, Field(gt=1)]
    limits: dict[Stain, Annotated[float, Field(gt=0)]]


class Calibration(_Section):
    """probabilities = softmax(logits / temperature) (Guo et al. 2017), and the prediction set taken from them."""

    temperature: Annotated[float, Field(gt=0)] = 1.0
    conformal: Conformal | None = None


class Training(_Section):
    """In words: what the network was trained on, how that was split, what it started from; and the recipe's settings."""

    data: str
    split: str
    start: str
    recipe: dict[str, str | int | float | bool] = {}


class Metric(_Section):
    """One measured figure: on which data, of how many fields, with its 95% interval where it has one."""

    dataset: str
    name: str
    value: float
    low: float | None = None
    high: float | None = None
    fields: Annotated[int, Field(gt=0)]

    @property
    def is_share(self) -> bool:
        """Whether it is a share of the fields, and not a coefficient."""
        return self.name not in COEFFICIENTS

    @property
    def shown(self) -> tuple[str, str]:
        """Value and 95% interval in words, the interval empty where there is none: ('67.8% (244 of 360)', '63.1% to 72.5%')."""
        form = ".1%" if self.is_share else ".3f" if self.name != SET_SIZE else ".2f"
        value = f"{self.value:{form}}"
        if self.is_share:
            value += f" ({round(self.value * self.fields)} of {self.fields})"
        if self.low is None or self.high is None:
            return value, ""
        return value, f"{self.low:{form}} to {self.high:{form}}"


class ReliabilityBin(_Section):
    """Fields whose score was given with a probability of `low` to `high`; only bins that hold some are kept.

    `confidence` is the mean of those probabilities, `exact` the share that was scored as labelled, with its 95% interval
    (Wilson) as `exact_low` and `exact_high`.
    """

    low: Share
    high: Share
    fields: Annotated[int, Field(gt=0)]
    confidence: Share
    exact: Share
    exact_low: Share
    exact_high: Share


class Reliability(_Section):
    """How often the score was right where its probability was so and so, on one data set (DeGroot and Fienberg 1983)."""

    dataset: str
    bins: tuple[ReliabilityBin, ...]


class ModelManifest(_Section):
    """`model.json`."""

    schema_: Annotated[Literal["her2viewer.model/1"], Field(alias="schema")] = SCHEMA
    name: Annotated[str, Field(pattern=r"^[\w.+-]{1,80}$")]
    version: Annotated[str, Field(pattern=r"^[\w.+-]{1,40}$")]
    description: str
    caution: str = ""
    """One sentence for every place where a score of this model is shown, or empty: why not to rely on it."""
    created: str
    architecture: Architecture = "resnet18"
    classes: Annotated[tuple[str, ...], Field(min_length=2, max_length=16)] = ("0", "1+", "2+", "3+")
    input: InputLayout
    weights: Weights
    calibration: Calibration = Calibration()
    fixed_peaks: dict[str, Annotated[float, Field(gt=0)]] = {}
    """Full scale of the maps per stage, in logits per cell: the 99th percentile of raw peaks on held-out fields."""
    familiarity: Familiarity | None = None
    """None where the package cannot tell whether a field is like those of its training."""
    training: Training
    metrics: tuple[Metric, ...] = ()
    reliability: tuple[Reliability, ...] = ()
    limits: tuple[str, ...] = ()
    """What is known to be weak, in sentences; packages without it say so in their card alone."""
    not_tested_on: tuple[str, ...] = ()
    """What no figure of this package speaks of, in sentences."""

    @model_validator(mode="after")
    def _check(self) -> "ModelManifest":
        conformal = self.calibration.conformal
        if conformal is not None and len(conformal.quantiles) not in (0, len(self.classes)):
            raise ValueError(f"calibration.conformal.quantiles must be {len(self.classes)}, one a class, or none")
        return self

    @property
    def identity(self) -> ModelIdentity:
        return ModelIdentity(self.name, self.version, self.weights.sha256)


@dataclass(frozen=True, slots=True)
class ModelPackage:
    """An opened package. The weights are read by `weights()`, and checked each time they are."""

    folder: Path
    manifest: ModelManifest

    @property
    def card(self) -> str:
        """The model card, Markdown."""
        return (self.folder / CARD).read_text(encoding="utf-8")

    def weights(self) -> dict[str, NDArray[np.float32]]:
        """torchvision's state dict as float32 arrays. Raises PackageError where the file is not what `model.json` says."""
        path = self.folder / WEIGHTS
        data = _checked_bytes(path, self.manifest.weights.sha256)
        try:
            arrays = safetensors.numpy.load(data)
        except (safetensors.SafetensorError, KeyError, ValueError) as error:
            raise PackageError(
                "the weights are not a safetensors file, and nothing else is ever loaded",
                path=path,
                remedy="ask for a package written by 'python -m training package'",
            ) from error
        return {name: np.ascontiguousarray(array, np.float32) for name, array in arrays.items()}

    def familiarity(self) -> Reference | None:
        """What a field's features are compared with, or None where the package has nothing. Raises PackageError as `weights`."""
        section = self.manifest.familiarity
        if section is None:
            return None
        path = self.folder / REFERENCE
        data = _checked_bytes(path, section.sha256)
        try:
            arrays = safetensors.numpy.load(data)
            clouds = {
                stain: Cloud.of({name: arrays[f"{stain}.{name}"] for name in ("centre", "axes", "spread", "rest")})
                for stain in section.limits
            }
        except (safetensors.SafetensorError, KeyError, ValueError) as error:
            raise PackageError(
                "the features of the training fields cannot be read",
                path=path,
                remedy="ask for a package written by 'python -m training package'",
            ) from error
        return Reference(clouds, section.limits)


def _checked_bytes(path: Path, sha256: str) -> bytes:
    """A file's bytes, once they are those that `model.json` names. Raises PackageError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise PackageError(
            f"the file cannot be read ({error.strerror})", path=path, remedy="install the model package again"
        ) from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise PackageError(
            f"the file is not the one that {MANIFEST} names (SHA-256 differs)",
            path=path,
            remedy="do not use this model; install its package again from where it came",
        )
    return data


def familiarity_section(reference: Reference, fields: int) -> tuple[Familiarity, bytes]:
    """The section of `model.json` and the bytes of the file that it names. fields: how many the reference was made of."""
    arrays = {
        f"{stain}.{name}": array for stain, cloud in reference.clouds.items() for name, array in cloud.arrays.items()
    }
    data = safetensors.numpy.save(arrays)
    return Familiarity(sha256=hashlib.sha256(data).hexdigest(), fields=fields, limits=dict(reference.limits)), data


def open_package(folder: Path | str) -> ModelPackage:
    """Reads and checks `model.json`; the weights are left on disk. Raises PackageError."""
    folder = Path(folder)
    path = folder / MANIFEST
    for name in (MANIFEST, WEIGHTS, CARD):
        if not (folder / name).is_file():
            raise PackageError(
                f"this is not a model package, {name} is missing",
                path=folder,
                remedy=f"choose a folder that holds {MANIFEST}, {WEIGHTS} and {CARD}",
            )
    try:
        text = path.read_text(encoding="utf-8")
        manifest = ModelManifest.model_validate_json(text)
    except (OSError, UnicodeDecodeError) as error:
        raise PackageError("it cannot be read", path=path, remedy="install the model package again") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole file"
        raise PackageError(
            f"{where} does not fit the schema {SCHEMA} ({first['msg']})",
            path=path,
            remedy="use a package made for this version of HER2 Viewer",
        ) from error
    return ModelPackage(folder, manifest)


def write_package(
    folder: Path | str, manifest: ModelManifest, arrays: Arrays, card: str, familiarity: bytes | None = None
) -> ModelPackage:
    """Writes a package as a whole or not at all; `manifest.weights.sha256` is replaced by that of the bytes written.

    arrays: torchvision's state dict, any float dtype; stored as `manifest.weights.dtype`, or each as it comes where that is
    'mixed'. familiarity: the bytes that `manifest.familiarity` names, if it does (`familiarity_section`). Raises
    PackageError where something stands at `folder` already, OSError where it cannot be written.
    """
    folder = Path(folder)
    if folder.exists():
        raise PackageError("there is something of that name already", path=folder, remedy="choose another folder")
    dtype = None if manifest.weights.dtype == "mixed" else np.dtype(manifest.weights.dtype)
    data = safetensors.numpy.save({name: np.ascontiguousarray(array, dtype) for name, array in arrays.items()})
    weights = manifest.weights.model_copy(update={"sha256": hashlib.sha256(data).hexdigest()})
    manifest = manifest.model_copy(update={"weights": weights})
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        draft.chmod(0o755)
        (draft / WEIGHTS).write_bytes(data)
        if familiarity is not None:
            (draft / REFERENCE).write_bytes(familiarity)
        (draft / MANIFEST).write_text(manifest.model_dump_json(by_alias=True, indent=2) + "\n", encoding="utf-8")
        (draft / CARD).write_text(card, encoding="utf-8")
        draft.replace(folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return ModelPackage(folder, manifest)


def bundled_packages() -> list[Path]:
    """The folders of the packages that ship with the app, by name."""
    return sorted(path.parent for path in resource("models").glob(f"*/{MANIFEST}"))


def bundled_package() -> ModelPackage:
    """The package that is used unless the user names another. Raises PackageError where none ships."""
    folders = bundled_packages()
    if not folders:
        raise PackageError(
            "no model ships with this copy", path=resource("models"), remedy="name a model package with --model"
        )
    return open_package(folders[0])
