import hashlib
import json
import re
import shutil
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from her2viewer.cases.log import ActionLog
from her2viewer.errors import LibraryError
from her2viewer.export.bundle import Bundle, verify_bundle
from her2viewer.scoring.package import ModelPackage
from tests.cli.conftest import Run

CASE = "00001_train_1+"
Parts = dict[str, bytes]


@pytest.fixture
def bundle(her2viewer: Run, explained: Path, random_package: ModelPackage, tmp_path: Path) -> Path:
    """The evidence of a case, by the command."""
    asked = ["--case", CASE, "--bundle", tmp_path / "evidence", "--model", random_package.folder]
    outcome = her2viewer("export", explained, *asked)
    assert outcome.status == 0, outcome.err
    return tmp_path / "evidence" / f"{CASE}_evidence.zip"


def parts(path: Path) -> Parts:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(path: Path, found: Parts, way: int = zipfile.ZIP_DEFLATED) -> None:
    with zipfile.ZipFile(path, "w", way) as archive:
        for name, data in found.items():
            archive.writestr(name, data)


def head_in(text: str) -> str:
    (found,) = re.findall(r"\b[0-9a-f]{64}\b", text)
    return str(found)


def test_a_bundle_holds_all_that_a_result_rests_on_and_is_intact(bundle: Path, explained: Path, her2viewer: Run) -> None:
    found = parts(bundle)
    assert set(found) == {
        "manifest.json",
        *(f"{CASE}{end}" for end in (".json", "_explanation.json", "_maps.npz", "_overlay.png")),
        "model/model.json",
        "model/MODEL_CARD.md",
        "log.jsonl",
    }
    for name in found:
        if name.startswith(CASE):
            assert found[name] == (explained / name).read_bytes()
    entries = [json.loads(line) for line in found["log.jsonl"].splitlines()]
    assert [entry["kind"] for entry in entries] == ["score"] and entries[0]["about"]["case_id"] == CASE
    outcome = her2viewer("verify", bundle)
    assert outcome.status == 0, outcome.out
    assert "Intact" in outcome.out and "Whoever rewrites everything" in outcome.out and "7 parts" in outcome.out


def test_the_same_evidence_gives_the_same_bytes_and_the_head_can_be_noted(
    bundle: Path, explained: Path, her2viewer: Run, random_package: ModelPackage, tmp_path: Path
) -> None:
    again = her2viewer("export", explained, "--case", CASE, "--bundle", tmp_path / "b", "--model", random_package.folder)
    (made,) = (tmp_path / "b").iterdir()
    first, second = parts(bundle), parts(made)
    # The export before stands in the log by now; all else is the same.
    assert {name for name in first if first[name] != second[name]} == {"manifest.json", "log.jsonl"}
    assert Bundle(CASE, first).data == bundle.read_bytes()
    head = head_in(again.out)
    assert head == hashlib.sha256(second["manifest.json"]).hexdigest()
    told = her2viewer("verify", made, "--head", head.upper())
    assert told.status == 0 and "noted elsewhere" in told.out
    assert her2viewer("verify", made, "--head", hashlib.sha256(made.read_bytes()).hexdigest()).status == 0
    other = her2viewer("verify", bundle, "--head", head)
    assert other.status == 1 and "not the one that was noted elsewhere" in other.out


RESULT = f"{CASE}.json"


def _altered(found: Parts) -> None:
    found[RESULT] = found[RESULT].replace(b'"no_call"', b'"no_cal"')


def _missing(found: Parts) -> None:
    del found[f"{CASE}_maps.npz"]


def _added(found: Parts) -> None:
    found["notes.txt"] = b"mine"


def _renamed(found: Parts) -> None:
    found["S12_overlay.png"] = found.pop(f"{CASE}_overlay.png")


def _model(found: Parts) -> None:
    found["model/MODEL_CARD.md"] += b"It is always right.\n"


def _log(found: Parts) -> None:
    found["log.jsonl"] = found["log.jsonl"].replace(b'"score":"', b'"score":"3', 1)


def _manifest(found: Parts) -> None:
    found["manifest.json"] = found["manifest.json"].replace(b'"role"', b'"rule"', 1)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_altered, f"{RESULT} was altered."),
        (_missing, f"{CASE}_maps.npz is missing."),
        (_added, "notes.txt was added."),
        (_renamed, f"{CASE}_overlay.png was renamed to S12_overlay.png."),
        (_model, "model/MODEL_CARD.md was altered."),
        (_log, "log.jsonl was altered."),
        (_manifest, "manifest.json was altered"),
    ],
)
def test_what_was_changed_is_said(change: Callable[[Parts], None], words: str, bundle: Path, her2viewer: Run) -> None:
    found = parts(bundle)
    change(found)
    packed(bundle, found)
    outcome = her2viewer("verify", bundle)
    assert outcome.status == 1 and f"Changed: {words}" in outcome.out and "Intact" not in outcome.out
    assert outcome.out.count("Changed: ") == 1


def test_who_alters_a_result_and_its_hash_forgets_the_log(bundle: Path, her2viewer: Run) -> None:
    found = parts(bundle)
    old = hashlib.sha256(found[RESULT]).hexdigest()
    told = json.loads(found[RESULT])
    told["score"] = "3+" if told["score"] != "3+" else "0"
    found[RESULT] = json.dumps(told).encode()
    manifest = json.loads(found["manifest.json"])
    for part in manifest["parts"]:
        if part["sha256"] == old:
            part |= {"sha256": hashlib.sha256(found[RESULT]).hexdigest(), "bytes": len(found[RESULT])}
    found["manifest.json"] = json.dumps(manifest).encode()
    packed(bundle, found)
    outcome = her2viewer("verify", bundle)
    assert outcome.status == 1 and f"{RESULT} is not the file of which the log tells" in outcome.out


def test_who_rewrites_everything_is_known_by_the_head_alone(bundle: Path, her2viewer: Run) -> None:
    head = hashlib.sha256(parts(bundle)["manifest.json"]).hexdigest()
    found = parts(bundle)
    manifest = json.loads(found["manifest.json"])
    manifest["parts"] = [part for part in manifest["parts"] if part["role"] != "log"]
    del found["log.jsonl"]
    found["manifest.json"] = json.dumps(manifest).encode()
    packed(bundle, found)
    assert her2viewer("verify", bundle).status == 0  # no check of the file alone can know it, and it says so
    assert "was rewritten" in her2viewer("verify", bundle, "--head", head).out


def test_packed_anew_is_no_change(bundle: Path, her2viewer: Run) -> None:
    packed(bundle, parts(bundle))
    outcome = her2viewer("verify", bundle)
    assert outcome.status == 0 and "packed anew" in outcome.out


def test_bytes_that_belong_to_no_part_are_told(bundle: Path, her2viewer: Run) -> None:
    bundle.write_bytes(bundle.read_bytes() + b"hidden")
    outcome = her2viewer("verify", bundle)
    assert "packed anew" in outcome.out or "cut off or damaged" in outcome.out


@pytest.mark.parametrize("left", [100, 0.5, -10])
def test_a_bundle_that_was_cut_off_is_changed(left: float, bundle: Path, her2viewer: Run) -> None:
    data = bundle.read_bytes()
    bundle.write_bytes(data[: int(len(data) * left)] if left == 0.5 else data[: int(left)])
    outcome = her2viewer("verify", bundle)
    assert outcome.status == 1 and "cut off or damaged" in outcome.out


def _slip(found: Parts, path: Path) -> None:
    packed(path, found | {"../../evil.txt": b"x"})


def _absolute(found: Parts, path: Path) -> None:
    packed(path, found | {"/etc/evil": b"x"})


def _drive(found: Parts, path: Path) -> None:
    packed(path, found | {"C:evil.txt": b"x"})


def _many(found: Parts, path: Path) -> None:
    packed(path, found | {f"{number}.txt": b"" for number in range(100)})


def _declared_large(found: Parts, path: Path) -> None:
    packed(path, found)
    data = path.read_bytes()
    place = data.index(b"PK\x01\x02")  # the directory's first entry: its size, uncompressed, stands at 24
    path.write_bytes(data[: place + 24] + struct.pack("<I", 0xF0000000) + data[place + 28 :])


def _odd_packing(found: Parts, path: Path) -> None:
    packed(path, found, zipfile.ZIP_BZIP2)


def _encrypted(found: Parts, path: Path) -> None:
    packed(path, found)
    data = path.read_bytes()
    place = data.index(b"PK\x01\x02")
    path.write_bytes(data[: place + 8] + b"\x01\x00" + data[place + 10 :])


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (_slip, "leads out of its folder"),
        (_absolute, "leads out of its folder"),
        (_drive, "leads out of its folder"),
        (_many, "more than 64 files"),
        (_declared_large, "larger than 2 GB"),
        (_odd_packing, "packed in a way"),
        (_encrypted, "encrypted"),
    ],
)
def test_what_must_not_be_read_is_refused(
    make: Callable[[Parts, Path], None], why: str, bundle: Path, her2viewer: Run, tmp_path: Path
) -> None:
    make(parts(bundle), bundle)
    before = set(tmp_path.rglob("*"))
    outcome = her2viewer("verify", bundle)
    assert outcome.status == 2 and why in outcome.err and outcome.err.count("\n") == 1
    assert set(tmp_path.rglob("*")) == before


def test_a_bomb_is_not_unpacked(bundle: Path, her2viewer: Run) -> None:
    found = parts(bundle)
    found[f"{CASE}_maps.npz"] = bytes(200 * 2**20)
    packed(bundle, found)
    assert bundle.stat().st_size < 2 * 2**20
    outcome = her2viewer("verify", bundle)
    assert outcome.status == 1 and f"{CASE}_maps.npz was altered." in outcome.out


@pytest.mark.parametrize(
    ("name", "data"),
    [("a.txt", b"text\n"), ("a.png", b"\x89PNG\r\n"), ("empty", b""), ("big.json", b'{"a": 1}'), ("no.zip", None)],
)
def test_what_is_none_of_them_is_said(name: str, data: bytes | None, her2viewer: Run, tmp_path: Path) -> None:
    path = tmp_path / name
    if data is None:
        packed(path, {"a.txt": b"x"})
    else:
        path.write_bytes(data)
    outcome = her2viewer("verify", path)
    assert outcome.status == 2 and outcome.err.startswith(f"Error: {name}: this is no ") and outcome.out == ""
    missing = her2viewer("verify", tmp_path / "missing")
    assert missing.status == 2 and "cannot be read" in missing.err
    folder = her2viewer("verify", tmp_path)
    assert folder.status == 2 and "there is no log in this folder" in folder.err


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_byte_of_a_part_can_be_changed_unnoticed(data: st.DataObject, bundle: Path, tmp_path: Path) -> None:
    whole = bundle.read_bytes()
    copy = tmp_path / "copy.zip"
    place = data.draw(st.integers(0, len(whole) - 1))
    copy.write_bytes(whole[:place] + bytes([whole[place] ^ data.draw(st.integers(1, 255))]) + whole[place + 1 :])
    try:
        found = verify_bundle(copy)
    except LibraryError:
        return
    # What a zip says of times and rights is no part; whatever is a part is as it was.
    assert not found.intact or parts(copy) == parts(bundle)


def test_a_log_alone(her2viewer: Run, tmp_path: Path) -> None:
    log = ActionLog(tmp_path / "log.jsonl")
    entries = [log.append("reading", {"score": "2+"}) for _ in range(3)]
    outcome = her2viewer("verify", log.path)
    assert outcome.status == 0 and "a log of 3 entries" in outcome.out and head_in(outcome.out) == entries[-1].hash
    assert her2viewer("verify", log.path, "--head", entries[1].hash).status == 0
    kept = log.path.read_bytes()
    log.path.write_bytes(kept.replace(b'"2+"', b'"3+"', 1))
    outcome = her2viewer("verify", log.path)
    assert outcome.status == 1 and "Changed: Entry 1 (" in outcome.out
    log.path.write_bytes(kept[:-5])
    outcome = her2viewer("verify", log.path)
    assert outcome.status == 1 and "cut off: it held 3 entries, and 2 are left" in outcome.out


def test_a_folder_of_results(her2viewer: Run, explained: Path) -> None:
    outcome = her2viewer("verify", explained)
    assert outcome.status == 0, outcome.out
    assert "3 entries in its log, 10 files" in outcome.out
    result = explained / RESULT
    result.write_bytes(result.read_bytes().replace(b'"device"', b'"devise"'))
    (explained / f"{CASE}_maps.npz").unlink()
    (explained / f"{CASE}_overlay.png").rename(explained / "mine_overlay.png")
    shutil.copy(explained / "results.csv", explained / "x_maps.npz")
    (explained / "report.pdf").write_bytes(b"the user's own")
    outcome = her2viewer("verify", explained)
    assert outcome.status == 1
    assert [line for line in outcome.out.splitlines() if line.startswith(("Changed", "Note: The log"))] == [
        f"Changed: {RESULT} was altered.",
        f"Changed: {CASE}_maps.npz is missing.",
        f"Changed: {CASE}_overlay.png was renamed to mine_overlay.png.",
        "Note: The log does not tell of x_maps.npz.",
    ]


def test_tables_made_anew_are_in_the_log(her2viewer: Run, explained: Path) -> None:
    (explained / "results.csv").write_text("saved by a spreadsheet")
    assert her2viewer("verify", explained).status == 1
    assert her2viewer("table", explained).status == 0
    assert her2viewer("verify", explained).status == 0
