"""The evidence bundle: one zip with all that a result rests on, and hashes by which anybody can see that it is still that.

Stored, not packed, with fixed times and rights: the same parts give the same bytes on every machine.
"""

import hashlib
import io
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Annotated, Final, Literal

from pydantic import Field, ValidationError

from her2viewer import RESEARCH_USE, __version__
from her2viewer.cases.log import Entry, verify_excerpt
from her2viewer.errors import ExportError, LibraryError
from her2viewer.export.files import safe_name, write_atomic
from her2viewer.export.finding import Finding, head_words
from her2viewer.export.places import is_placeless
from her2viewer.export.results import ModelRecord, ResultDocument, Section, Sha256
from her2viewer.scoring.package import CARD, MANIFEST, ModelPackage

SCHEMA: Final = "her2viewer.bundle/1"
CONTENTS: Final = "manifest.json"
LOG: Final = "log.jsonl"

MOST_BYTES: Final = 2 * 2**30
"""Of a bundle and of all its parts together: four pictures of the largest field there is."""
MOST_PARTS: Final = 64
_MOST_CONTENTS: Final = 2**20
_BLOCK: Final = 2**20
_HEADER_BYTES: Final = 30 + 46
_END_BYTES: Final = 22
"""What a zip spends on a stored part beside its name and bytes, and on its end (APPNOTE 6.3.10, 4.3)."""
_KEPT: Final = ("result", "model", "log")
"""Roles whose parts are looked into; of the others the hash is all that is needed."""
_TIME: Final = (1980, 1, 1, 0, 0, 0)
_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")

Role = Literal["result", "explanation", "maps", "overlay", "model", "model card", "log"]


class PartRecord(Section):
    """One file of the bundle."""

    name: str
    role: Role
    bytes: Annotated[int, Field(ge=0)]
    sha256: Sha256


class BundleManifest(Section):
    """`her2viewer.bundle/1`: what the bundle holds. The SHA-256 of this file is the bundle's head: it stands for all of it."""

    schema_: Annotated[Literal["her2viewer.bundle/1"], Field(alias="schema")] = SCHEMA
    case_id: str
    model: ModelRecord
    parts: Annotated[tuple[PartRecord, ...], Field(min_length=1, max_length=MOST_PARTS)]
    app_version: str
    note: str = RESEARCH_USE


@dataclass(frozen=True, eq=False, slots=True)
class Bundle:
    """A bundle before it is written: its parts by their names, in their order, the manifest first."""

    case_id: str
    parts: Mapping[str, bytes]

    @property
    def head(self) -> str:
        """To be noted elsewhere: whoever changes the bundle and all its hashes cannot keep this."""
        return hashlib.sha256(self.parts[CONTENTS]).hexdigest()

    @property
    def name(self) -> str:
        """What its file may be called."""
        return f"{safe_name(self.case_id)}_evidence.zip"

    @property
    def data(self) -> bytes:
        """The zip."""
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
            for name, data in self.parts.items():
                told = zipfile.ZipInfo(name, _TIME)
                told.create_system = 3
                told.external_attr = 0o100644 << 16
                archive.writestr(told, data)
        return out.getvalue()


def make_bundle(
    stem: str,
    package: ModelPackage,
    result: bytes,
    *,
    explanation: bytes | None = None,
    maps: bytes | None = None,
    overlay: bytes | None = None,
    log: Iterable[Entry] = (),
) -> Bundle:
    """All that a result rests on, as the files stood. `stem`: what the case's files are called, without their endings.

    Raises ExportError where the package is not that of the model that scored, or the result cannot be read.
    """
    try:
        told = ResultDocument.model_validate_json(result)
    except ValidationError as error:
        raise ExportError("this is no result", path=f"{stem}.json", remedy="score the pair again") from error
    if package.manifest.weights.sha256 != told.model.sha256:
        raise ExportError(
            f"it was scored by another model ({told.model.name} {told.model.version}) than the package at hand",
            path=f"{stem}.json",
            remedy="name the model package that scored it",
        )
    lines = b"".join(entry.line.encode() + b"\n" for entry in log)
    found: list[tuple[str, Role, bytes | None]] = [
        (f"{stem}.json", "result", result),
        (f"{stem}_explanation.json", "explanation", explanation),
        (f"{stem}_maps.npz", "maps", maps),
        (f"{stem}_overlay.png", "overlay", overlay),
        (f"model/{MANIFEST}", "model", (package.folder / MANIFEST).read_bytes()),
        (f"model/{CARD}", "model card", (package.folder / CARD).read_bytes()),
        (LOG, "log", lines or None),
    ]
    parts = {name: data for name, _, data in found if data is not None}
    manifest = BundleManifest(
        case_id=told.case_id,
        model=told.model,
        parts=tuple(
            PartRecord(name=name, role=role, bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
            for name, role, data in found
            if data is not None
        ),
        app_version=__version__,
    )
    text = manifest.model_dump_json(by_alias=True, indent=2) + "\n"
    return Bundle(told.case_id, {CONTENTS: text.encode(), **parts})


def write_bundle(path: Path | str, bundle: Bundle) -> str:
    """Writes it whole or not at all; returns the SHA-256 of the file. Raises ExportError."""
    data = bundle.data
    with write_atomic(path) as file:
        file.write(data)
    return hashlib.sha256(data).hexdigest()


def is_zip(path: Path) -> bool:
    """By its first bytes. Raises OSError."""
    with path.open("rb") as file:
        return file.read(4) in _ZIP


def verify_bundle(path: Path, head: str | None = None) -> Finding:
    """Says what was changed in a bundle since it was written. `head`: its head, or the SHA-256 of the file, noted elsewhere.

    Nothing is unpacked: parts are read in place, and no more than the bundle says and may hold. Raises LibraryError for a file
    that is no bundle of HER2 Viewer, or that is refused.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise _refused(path, f"it is larger than {MOST_BYTES // 2**30} GB")
        with path.open("rb") as file:
            file_hash = hashlib.file_digest(file, "sha256").hexdigest()
        with zipfile.ZipFile(path) as archive:
            return _Verification(archive, path).told(head, file_hash)
    except zipfile.BadZipFile:
        change = "The zip is cut off or damaged: it cannot be read as a whole."
        return Finding("a zip, perhaps an evidence bundle", "", (change,), ())
    except (OSError, NotImplementedError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise LibraryError(f"it cannot be read ({reason})", path=path, remedy="check its name and rights") from error


class _Verification:
    """One bundle that is being looked at."""

    def __init__(self, archive: zipfile.ZipFile, path: Path) -> None:
        """Refuses what must not be read, by the directory of the zip alone."""
        self._archive = archive
        self._path = path
        infos = archive.infolist()
        if len(infos) > MOST_PARTS:
            raise _refused(path, f"it holds more than {MOST_PARTS} files")
        if sum(info.file_size for info in infos) > MOST_BYTES:
            raise _refused(path, f"its parts say that they are larger than {MOST_BYTES // 2**30} GB")
        for info in infos:
            if not is_placeless(info.filename) or "\\" in info.orig_filename or "\0" in info.orig_filename:
                raise _refused(path, "it holds a name that leads out of its folder")
            if info.flag_bits & 1:
                raise _refused(path, "parts of it are encrypted")
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise _refused(path, "parts of it are packed in a way that no bundle is")
        self._infos = {info.filename: info for info in infos if not info.is_dir()}
        self._twice = len(self._infos) < len([info for info in infos if not info.is_dir()])
        self._changes: list[str] = []
        self._remarks: list[str] = []

    def told(self, head: str | None, file_hash: str) -> Finding:
        """What was changed, a sentence each."""
        contents = self._contents()
        manifest = self._manifest(contents)
        if manifest is None:
            change = f"{CONTENTS} was altered: it is no list of parts any more."
            return Finding("an evidence bundle", "", (change,), ())
        if self._twice:
            self._changes.append("A name stands in it twice.")
        read = self._parts(manifest)
        self._agreement(manifest, read)
        own = hashlib.sha256(contents).hexdigest()
        if head is not None and head.lower() not in (own, file_hash):
            self._changes.append("Its head is not the one that was noted elsewhere: it was rewritten, or is another bundle.")
        if not self._changes and not self._is_as_written(contents, manifest):
            self._remarks.append("The zip was packed anew by another program; its parts are those that were written.")
        self._remarks += head_words(own, head, CONTENTS)
        title = f"an evidence bundle of case {manifest.case_id}, {len(manifest.parts)} parts"
        return Finding(title, own, tuple(self._changes), tuple(self._remarks))

    def _contents(self) -> bytes:
        info = self._infos.get(CONTENTS)
        if info is None or info.file_size > _MOST_CONTENTS:
            raise LibraryError(
                f"this is no evidence bundle of HER2 Viewer ({CONTENTS} is missing)",
                path=self._path,
                remedy="choose a bundle, a log, or a folder of results",
            )
        return self._read(CONTENTS, _MOST_CONTENTS) or b""

    def _manifest(self, contents: bytes) -> BundleManifest | None:
        try:
            return BundleManifest.model_validate_json(contents)
        except ValidationError:
            if SCHEMA.split("/")[0].encode() in contents or not contents:
                return None
            raise LibraryError(
                f"this is no evidence bundle of HER2 Viewer ({CONTENTS} is of another kind)",
                path=self._path,
                remedy="choose a bundle, a log, or a folder of results",
            ) from None

    def _parts(self, manifest: BundleManifest) -> dict[str, bytes]:
        """Those parts that are as the manifest says and are looked into, by their names."""
        known = {part.name: part for part in manifest.parts}
        added = [name for name in self._infos if name not in known and name != CONTENTS]
        read, lost = dict[str, bytes](), list[PartRecord]()
        for part in manifest.parts:
            if part.name not in self._infos:
                lost.append(part)
                continue
            if self._infos[part.name].file_size != part.bytes or self._hash(part.name) != part.sha256:
                self._changes.append(f"{part.name} was altered.")
            elif part.role in _KEPT and (data := self._read(part.name, part.bytes)) is not None:
                read[part.name] = data
        hashes = {self._hash(name): name for name in added} if lost else {}
        for part in lost:
            now = hashes.get(part.sha256)
            if now is None:
                self._changes.append(f"{part.name} is missing.")
            else:
                self._changes.append(f"{part.name} was renamed to {now}.")
                added = [name for name in added if name != now]
        self._changes += [f"{name} was added." for name in added]
        return read

    def _agreement(self, manifest: BundleManifest, read: Mapping[str, bytes]) -> None:
        """Whether the parts say the same: who alters one and its hash forgets the others."""
        by_role = {part.role: part for part in manifest.parts if part.name in read}
        result = None
        if (part := by_role.get("result")) is not None:
            try:
                result = ResultDocument.model_validate_json(read[part.name])
            except ValidationError:
                self._changes.append(f"{part.name} is no result any more.")
        if result is not None and (result.case_id != manifest.case_id or result.model != manifest.model):
            self._changes.append(f"The result is of another case or model than {CONTENTS} says.")
        if (part := by_role.get("model")) is not None and manifest.model.sha256.encode() not in read[part.name]:
            self._changes.append(f"{part.name} is of another model than the one that scored.")
        if (part := by_role.get("log")) is not None:
            self._log(read[part.name], {one.name: one.sha256 for one in manifest.parts})

    def _log(self, data: bytes, hashes: Mapping[str, str]) -> None:
        try:
            chain = verify_excerpt(io.BytesIO(data), self._path)
        except LibraryError:
            self._changes.append(f"{LOG} holds no entries any more.")
            return
        self._changes += [f"{LOG}: {change}" for change in chain.changes]
        last: dict[str, str] = {}
        for entry in Entry.all_in(io.BytesIO(data)):
            files = entry.about.get("files")
            if isinstance(files, dict):
                last |= files
        differ = [name for name, sha256 in hashes.items() if last.get(name, sha256) != sha256]
        self._changes += [f"{name} is not the file of which the log tells." for name in differ]

    def _is_as_written(self, contents: bytes, manifest: BundleManifest) -> bool:
        """Whether there is nothing in the file but its parts: as long as this app makes it, to the byte."""
        sizes = {CONTENTS: len(contents), **{part.name: part.bytes for part in manifest.parts}}
        length = _END_BYTES + sum(_HEADER_BYTES + 2 * len(name.encode()) + size for name, size in sizes.items())
        return self._path.stat().st_size == length

    def _read(self, name: str, most: int) -> bytes | None:
        """A part's bytes, or None where it is damaged or longer than `most`."""
        try:
            with self._archive.open(self._infos[name]) as file:
                data = file.read(most + 1)
        except (zipfile.BadZipFile, EOFError, ValueError, OSError, zlib.error):
            return None
        return data if len(data) <= most else None

    def _hash(self, name: str) -> str:
        try:
            with self._archive.open(self._infos[name]) as file:
                return _hash_of(file, self._infos[name].file_size)
        except (zipfile.BadZipFile, EOFError, ValueError, OSError, zlib.error):
            return ""


def _hash_of(file: IO[bytes], most: int) -> str:
    digest = hashlib.sha256()
    while most > 0 and (block := file.read(min(_BLOCK, most))):
        digest.update(block)
        most -= len(block)
    return digest.hexdigest()


def _refused(path: Path, why: str) -> LibraryError:
    return LibraryError(f"{why}, so it is not read", path=path, remedy="choose a bundle that HER2 Viewer wrote")


