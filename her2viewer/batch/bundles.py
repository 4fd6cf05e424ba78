"""Evidence bundles and FHIR resources of the cases of a folder of results."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from her2viewer.batch.names import ARRAYS, EXPLANATION, PICTURE, RESULT, file_stem
from her2viewer.batch.results_log import ResultsLog
from her2viewer.batch.store import RowStore
from her2viewer.errors import ExportError, PackageError
from her2viewer.export.bundle import Bundle, make_bundle
from her2viewer.export.results import ResultDocument
from her2viewer.scoring.package import ModelPackage, bundled_packages, open_package


def scored(store: RowStore, case_ids: Sequence[str] = ()) -> Iterator[ResultDocument]:
    """The results of a folder in their order, or those of the cases named, in theirs. Raises ExportError."""
    if not case_ids:
        yield from (ResultDocument.model_validate_json(row.result) for row in store.rows() if row.result is not None)
    for case_id in case_ids:
        row = store.find(case_id)
        if row is None:
            raise ExportError(f"there is no case {case_id!r} in these results", remedy="name a case id of results.csv")
        if row.result is None:
            raise ExportError(f"case {case_id!r} was not scored", remedy="see its row in results.csv")
        yield ResultDocument.model_validate_json(row.result)


def bundle_of(folder: Path, case_id: str, model: Path | None = None) -> Bundle:
    """All that there is of a case in a folder of results, as it stands. `model`: the package that scored, where it is none that
    ships. Raises ExportError, PackageError.
    """
    stem = file_stem(case_id)
    result = _bytes(folder / f"{stem}{RESULT}")
    if result is None:
        raise ExportError(
            "the result is not there any more", path=folder / f"{stem}{RESULT}", remedy="score the pair again with --resume"
        )
    package = package_of(ResultDocument.model_validate_json(result).model.sha256, model)
    return make_bundle(
        stem,
        package,
        result,
        explanation=_bytes(folder / f"{stem}{EXPLANATION}"),
        maps=_bytes(folder / f"{stem}{ARRAYS}"),
        overlay=_bytes(folder / f"{stem}{PICTURE}"),
        log=ResultsLog(folder).about(case_id),
    )


def package_of(sha256: str, folder: Path | None = None) -> ModelPackage:
    """The package with these weights: of `folder`, or one that ships. Raises PackageError."""
    for place in (folder,) if folder is not None else bundled_packages():
        package = open_package(place)
        if package.manifest.weights.sha256 == sha256:
            return package
    raise PackageError(
        "the package at hand is not the one that scored these results", path=folder, remedy="name that one with --model"
    )


def _bytes(path: Path) -> bytes | None:
    """A file's bytes, or None where it is not there. Raises ExportError."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ExportError(f"it cannot be read ({reason})", path=path, remedy="check its rights and the drive") from error
