"""All figures of the membrane reading: of phantoms, half of which set thresholds, and of real images."""

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from her2viewer.scoring.membrane.cells import EPITHELIAL, Weights
from her2viewer.scoring.membrane.reading import CUTS
from her2viewer.scoring.membrane.rule import Cuts
from her2viewer.scoring.stains import Stain
from training.data.index import index_folder
from training.membranes.figures import EPITHELIUM, Figures, RealField, Seen, figures, read_file, seen, seen_by_peer
from training.membranes.fitting import fitted
from training.membranes.truth import read_truth, truth_files
from training.tissue.writing import cores_of

BCI_MPP: Final = 0.46
CORES_MPP: Final = 0.5
_BLOCK: Final = 4
"""Every four phantoms in a row aim at all four classes: halves are shared out in such blocks."""


@dataclass(frozen=True, eq=False)
class Fit:
    """What one half of the phantoms says: cuts, and the weights of `cells.EPITHELIAL`."""

    cuts: Cuts
    epithelial: Weights


@dataclass(frozen=True, eq=False)
class Measured:
    """Everything the guide's page shows. fitted_on: phantoms in the other half. epithelial: the share of epithelial nuclei
    that count, and of others that do not, among those found. fit: what thresholds would be now, where it was asked for.
    """

    fitted_on: int
    ours: Figures
    peer: Figures
    peer_cuts: Cuts
    epithelial: tuple[float, float]
    real: dict[str, tuple[RealField, ...]]
    fit: Fit | None = None

    @property
    def phantoms(self) -> int:
        return self.fitted_on + self.ours.fields


def halves(names: Sequence[str]) -> NDArray[np.bool_]:
    """(n,) True for those that set thresholds. names: of phantoms, which begin with their number."""
    return np.array([int(name.split("_")[0]) // _BLOCK % 2 == 0 for name in names], np.bool_)


def measured(
    phantoms: Path,
    real: Sequence[Path],
    cores: Path | None,
    *,
    fit: bool,
    workers: int = 2,
    progress: Callable[[str], None] = lambda name: None,
) -> Measured:
    """Looks at all phantoms of a folder both ways, and at real images ours. Raises PairError where a folder holds none of them.

    The peer's thresholds are always set on the first half, ours only compared with what they would be, with `fit`.
    """
    files = truth_files(phantoms)
    looked = []
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for path, both in zip(files, pool.map(look, files), strict=True):
            progress(path.stem)
            looked.append(both)
    first = halves([path.stem for path in files])
    made = Fit(*fit_ours(_where([ours for ours, _ in looked], first))) if fit else None
    ours = [one for one, _ in looked]
    peers = [other for _, other in looked]
    peer_cuts = fitted([field.cells for field in _where(peers, first)], CUTS)
    reported = _where(ours, ~first)
    pages = {}
    for folder in real:
        index = index_folder(folder, stain=Stain.IHC)
        pages[folder.name] = tuple(read_file(pair.ihc, str(pair.label), BCI_MPP) for pair in index.pairs if pair.ihc)
    if cores is not None:
        pages[cores.name] = tuple(read_file(core.path, core.label, CORES_MPP) for core in cores_of(cores))
    return Measured(
        fitted_on=int(first.sum()),
        ours=figures([field.counted(EPITHELIAL) for field in reported], CUTS),
        peer=figures(_where(peers, ~first), peer_cuts),
        peer_cuts=peer_cuts,
        epithelial=told_apart(reported),
        real=pages,
        fit=made,
    )


def look(path: Path) -> tuple[Seen, Seen]:
    """One phantom both ways: the app's and scikit-image's."""
    truth = read_truth(path)
    return seen(truth), seen_by_peer(truth)


def fit_ours(fields: Sequence[Seen]) -> tuple[Cuts, Weights]:
    """Cuts and weights by the phantoms of one half: the weights first, since the cuts are those of the cells that count."""
    looks, epithelial, each = _stacked(fields)
    model: Any = LogisticRegression(class_weight="balanced", C=100).fit(looks[:, 1:], epithelial, sample_weight=each)  # type: ignore[no-untyped-call]
    one, *others = (round(float(value), 2) for value in (model.intercept_[0], *model.coef_[0]))
    weights: Weights = (one, others[0], others[1], others[2])
    return fitted([field.counted(weights).cells for field in fields], CUTS), weights


def told_apart(fields: Sequence[Seen]) -> tuple[float, float]:
    """The share of epithelial nuclei found that count, and of others that do not."""
    looks, epithelial, _ = _stacked(fields)
    said = looks @ np.array(EPITHELIAL) >= 0
    return float(said[epithelial].mean()), float((~said)[~epithelial].mean())


def _where(fields: Sequence[Seen], chosen: NDArray[np.bool_]) -> list[Seen]:
    return [field for field, wanted in zip(fields, chosen, strict=True) if wanted]


def _stacked(fields: Sequence[Seen]) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.float64]]:
    """Looks, whether they are of epithelium, and weights that make all fields count alike, of what lies on something drawn."""
    parts = []
    for field in fields:
        drawn = field.kind != "none"
        if field.looks is not None and drawn.any():
            n = int(drawn.sum())
            parts.append((field.looks[drawn], np.isin(field.kind[drawn], EPITHELIUM), np.full(n, 1000 / n)))
    looks, epithelial, weights = (np.concatenate([part[i] for part in parts]) for i in range(3))
    return looks, epithelial, weights
