"""The result file: one JSON object a pair. The table in `table.py` carries the same under the same names."""

from collections.abc import Mapping, Sequence
from dataclasses import astuple
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from her2viewer import __version__
from her2viewer.errors import ExportError
from her2viewer.export.files import write_atomic
from her2viewer.export.places import file_within, is_placeless, valid_unicode, without_places
from her2viewer.imaging.alignment import Alignment
from her2viewer.imaging.source import ImageSource, PixelSize
from her2viewer.scoring.prediction import Prediction
from her2viewer.scoring.stains import Stain

SCHEMA: Final = "her2viewer.result/1"


class Section(BaseModel):
    """A part of a file: no other keys, no infinities, nothing changed afterwards."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def _placeless(file: str) -> str:
    if not is_placeless(file):
        raise ValueError("must be a relative path or a bare name")
    return file


def _is_none(value: object) -> bool:
    return value is None


def _as_words(text: object) -> object:
    return without_places(text) if isinstance(text, str) else text


Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Share = Annotated[float, Field(ge=0, le=1)]
Words = Annotated[str, BeforeValidator(_as_words)]


class ImageRecord(Section):
    """One image: its file (below the folder of the pairs, or a bare name), level-0 pixels, micrometres a pixel if known."""

    file: Annotated[str, AfterValidator(_placeless)]
    width: Annotated[int, Field(gt=0)]
    height: Annotated[int, Field(gt=0)]
    sha256: Sha256
    mpp: Annotated[float, Field(gt=0)] | None
    mpp_origin: str | None


class Images(Section):
    """Both images of the pair; `he` is left out where the IHC was scored alone."""

    he: Annotated[ImageRecord | None, Field(exclude_if=_is_none)] = None
    ihc: ImageRecord


class ModelRecord(Section):
    """The model that spoke; `sha256` is of its weights file."""

    name: str
    version: str
    sha256: Sha256


class FieldRecord(Section):
    """The scored rectangle of one image, in level-0 pixels, or in the plane that `frame` leads to from there.

    `frame` are the two rows of three of an affine map, row by row, from level-0 pixels of the H&E to those of the IHC that it was
    registered to. It is left out where the rectangle lies on the image itself.
    """

    x: float
    y: float
    width: Annotated[float, Field(gt=0)]
    height: Annotated[float, Field(gt=0)]
    frame: Annotated[tuple[float, float, float, float, float, float] | None, Field(exclude_if=_is_none)] = None


class AlignmentRecord(Section):
    """How the H&E was found to lie on the IHC. `used`: whether it was scored so; a poor one is not, and the pair is taken to show
    one field as it is. `error_px`: level-0 pixels of the IHC, `error_um` the same in micrometres, where they are known.
    """

    origin: Literal["automatic", "landmarks", "by hand"]
    used: bool
    error_px: Annotated[float, Field(ge=0)] | None
    error_um: Annotated[float, Field(ge=0)] | None
    words: Words


class CheckRecord(Section):
    """One look at the input that found something."""

    name: str
    figure: float
    threshold: float
    message: Words


class ResultDocument(Section):
    """`her2viewer.result/1`: a field-level prediction and all that is needed to know what it was made of.

    `label` is what the pair's name or table said before scoring; `field_name` what the user calls the drawn field that was
    scored, left out where it is the whole image. `warnings` are what was changed on the way to 8-bit sRGB and what the scorer
    had to say (fallen back to the CPU, why). `seconds` is the scorer's own time.
    """

    schema_: Annotated[Literal["her2viewer.result/1"], Field(alias="schema")] = SCHEMA
    case_id: str
    label: str | None = None
    images: Images
    model: ModelRecord
    field: dict[Stain, FieldRecord]
    alignment: Annotated[AlignmentRecord | None, Field(exclude_if=_is_none)] = None
    field_name: Annotated[str | None, Field(exclude_if=_is_none)] = None
    score: str
    probabilities: Annotated[dict[str, Share], Field(min_length=2)]
    prediction_set: tuple[str, ...]
    no_call: Words | None
    checks: tuple[CheckRecord, ...]
    warnings: tuple[Words, ...]
    device: Words
    precision: str
    seconds: Annotated[float, Field(ge=0)]
    app_version: str
    utc: AwareDatetime

    @model_validator(mode="after")
    def _check(self) -> Self:
        unknown = {self.score, *self.prediction_set} - set(self.probabilities)
        if unknown:
            raise ValueError(f"no probability stands for {', '.join(sorted(unknown))}")
        return self


def result_document(
    case_id: str,
    sources: Mapping[Stain, ImageSource],
    prediction: Prediction,
    *,
    label: str | None = None,
    field_name: str = "",
    alignment: Alignment | None = None,
    root: Path | None = None,
    notices: Sequence[str] = (),
    scales: Mapping[Stain, PixelSize | None] | None = None,
    utc: datetime | None = None,
    names: Mapping[Stain, str] | None = None,
) -> ResultDocument:
    """A prediction as a result file. `root`: the folder that file names are told from; `notices`: the scorer's. `names`: what the
    files are called instead of their own names.

    `sources` needs the IHC. `alignment`: the one that was scored through, or what was looked for in vain. `scales`: pixel
    sizes that stand in place of the files' own (typed by the user, which their origin says). `utc` is now unless given.
    """
    mpp = {stain: source.mpp if scales is None else scales[stain] for stain, source in sources.items()}
    notes = [f"{stain.caption}: {note}" for stain, source in sources.items() for note in source.notes]
    model = prediction.model

    def named(stain: Stain) -> str:
        return (names or {}).get(stain) or file_within(sources[stain].path, root)

    return ResultDocument(
        case_id=valid_unicode(case_id),
        label=label,
        images=Images(
            he=_image(sources[Stain.HE], mpp[Stain.HE], named(Stain.HE)) if Stain.HE in sources else None,
            ihc=_image(sources[Stain.IHC], mpp[Stain.IHC], named(Stain.IHC)),
        ),
        model=ModelRecord(name=model.name, version=model.version, sha256=model.sha256),
        field={
            stain: FieldRecord(
                x=field.x,
                y=field.y,
                width=field.width,
                height=field.height,
                frame=None if field.frame.is_identity else astuple(field.frame),
            )
            for stain, field in sorted(prediction.fields.items())
        },
        alignment=_alignment(alignment),
        field_name=valid_unicode(field_name) or None,
        score=prediction.score,
        probabilities=dict(zip(prediction.classes, prediction.probabilities, strict=True)),
        prediction_set=prediction.prediction_set,
        no_call=prediction.no_call,
        checks=tuple(
            CheckRecord(name=check.name, figure=check.figure, threshold=check.threshold, message=check.message)
            for check in prediction.checks
        ),
        warnings=(*notes, *notices, *([prediction.caution] if prediction.caution else [])),
        device=prediction.device,
        precision=prediction.precision,
        seconds=prediction.seconds,
        app_version=__version__,
        utc=(utc or datetime.now(UTC)).astimezone(UTC).replace(microsecond=0),
    )


def _alignment(alignment: Alignment | None) -> AlignmentRecord | None:
    """None where the pair was only assumed to lie as it does."""
    if alignment is None or alignment.origin == "assumed":
        return None
    # A registration that came to nothing is not in force; what the user says is, however poor.
    used = not (alignment.poor and alignment.origin == "automatic")
    return AlignmentRecord(
        origin=alignment.origin,
        used=used,
        error_px=alignment.error_px,
        error_um=alignment.error_um,
        words=alignment.words,
    )


def _image(source: ImageSource, mpp: PixelSize | None, file: str) -> ImageRecord:
    width, height = source.size
    return ImageRecord(
        file=file,
        width=width,
        height=height,
        sha256=source.sha256,
        mpp=None if mpp is None else mpp.um,
        mpp_origin=None if mpp is None else mpp.origin,
    )


def json_text(document: ResultDocument) -> str:
    """The document as it stands in the file: two spaces of indent, Unicode as it is, a line end at the end."""
    return document.model_dump_json(by_alias=True, indent=2) + "\n"


def write_json(path: Path | str, document: ResultDocument) -> None:
    """Writes a result file, whole or not at all. Raises ExportError."""
    with write_atomic(path) as file:
        file.write(json_text(document).encode())


def read_json(path: Path | str) -> ResultDocument:
    """Reads a result file and checks it against the schema. Raises ExportError."""
    path = Path(path)
    try:
        return ResultDocument.model_validate_json(path.read_bytes())
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ExportError(
            f"the result file cannot be read ({reason})", path=path, remedy="check the name and the drive"
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole file"
        raise ExportError(
            f"this is not a result file of the schema {SCHEMA} ({where}: {first['msg']})",
            path=path,
            remedy="score the pair again",
        ) from error
