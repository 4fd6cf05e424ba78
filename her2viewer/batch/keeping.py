"""The results of a batch become cases of the library, with the model's score of each."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from her2viewer.batch.names import LIST, STORE
from her2viewer.batch.store import RowStore
from her2viewer.cases.library.library import Library
from her2viewer.cases.pair import Pair
from her2viewer.errors import ExportError, LibraryError
from her2viewer.export.results import ImageRecord, ResultDocument, json_text


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of the rows. `left_out`: case ids with the reason, in the order of the rows."""

    cases: int
    left_out: tuple[tuple[str, str], ...]


def keep_results(
    library: Library, results: Path, images: Path, *, goes_on: Callable[[int], bool] = lambda done: True
) -> Kept:
    """Keeps every scored pair of a results folder as a case, its label and the model's score with it. Raises ExportError,
    LibraryError.

    images: the folder that was scored: the results name files below it. A pair whose files are not there, or hold other bytes
    than those that were scored, is left out, and so is a row that failed or is of a drawn field, not of the pair. Each case is
    one transaction: asked `goes_on` after each row, and where that says no, what was kept stays. The same folder again changes
    nothing.
    """
    kept, left_out = 0, list[tuple[str, str]]()
    for done, (case_id, result) in enumerate(_rows(results), 1):
        refused = "it was not scored" if result is None else _keep(library, result, images)
        if refused is None:
            kept += 1
        else:
            left_out.append((case_id, refused))
        if not goes_on(done):
            break
    return Kept(kept, tuple(left_out))


def _keep(library: Library, result: ResultDocument, images: Path) -> str | None:
    """None where it was kept, else why not."""
    if result.field_name is not None:
        return "the score is of a drawn field"
    places = []
    for image in (result.images.he, result.images.ihc):
        place = None if image is None else images / image.file
        if image is not None and place is not None and (refused := _another(image, place)) is not None:
            return refused
        places.append(place)
    he, ihc = places
    assert ihc is not None
    model = result.model
    try:
        with library.together():
            case = library.add_case(Pair(result.case_id, he, ihc, result.label))
            library.keep_prediction(
                case.id,
                score=result.score,
                no_call=result.no_call,
                model=f"{model.name} {model.version}",
                model_sha256=model.sha256,
                document=json_text(result),
            )
    except LibraryError as error:
        if error.path == library.path:
            raise
        return str(error)  # of one image
    return None


def _another(image: ImageRecord, place: Path) -> str | None:
    """Why a file is not the one that was scored; None where it is."""
    try:
        with place.open("rb") as file:
            same = hashlib.file_digest(file, "sha256").hexdigest() == image.sha256
    except OSError:
        return f"{place.name} is not in the folder of the images"
    return None if same else f"{place.name} is another picture than the one that was scored"


def _rows(results: Path) -> Iterator[tuple[str, ResultDocument | None]]:
    """Case ids with their results, from the rows of the folder, or where these were not copied along from its list."""
    try:
        if (results / STORE).is_file():
            store = RowStore(results)
            try:
                for row in store.rows():
                    yield row.case_id, None if row.result is None else ResultDocument.model_validate_json(row.result)
            finally:
                store.close()
            return
        for told in json.loads((results / LIST).read_bytes()):
            yield str(told["case_id"]), None if "error" in told else ResultDocument.model_validate(told)
    except FileNotFoundError as error:
        raise ExportError(
            f"there are no results in it ({STORE} and {LIST} are missing)",
            path=results.resolve(),
            remedy="name the folder that 'her2viewer score --out' or the batch dialog wrote",
        ) from error
    except OSError as error:
        raise ExportError("it cannot be read", path=results / LIST, remedy="check the file and its drive") from error
    except (ValidationError, ValueError, TypeError, KeyError) as error:
        raise ExportError(
            "these are not results of this app", path=results / LIST, remedy="make it anew with 'her2viewer table'"
        ) from error
