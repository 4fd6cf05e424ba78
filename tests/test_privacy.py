"""What the app promises of networks and names, held against the real commands in a process of their own."""

import io
import json
import os
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from her2viewer.cases.pairing import pair_folder
from her2viewer.cases.pseudonyms import Pseudonyms
from her2viewer.imaging.opening import open_image
from her2viewer.scoring.package import ModelPackage
from tests.batch.conftest import random_package, write_pair
from tests.cli.conftest import Run, her2viewer
from tests.imaging.slides import write_aperio_slide
from tests.scoring.conftest import tissue

__all__ = ["her2viewer", "random_package"]

USER, PLACE = "Zärtlich Quirrel", "Klinik 7731"
PATIENTS = ("Meier-Anna-1957", "=cmd Özgür (B) #2")

# Every way to the network that Python has announces itself by one of these events. Sockets that a library opens on its own are
# looked for among the process's open files, where Linux lists them.
_GUARDED = """
import os, sys
from pathlib import Path
def forbid(event, args):
    if event.startswith("socket.") and event not in ("socket.__new__", "socket.gethostname"):
        Path(os.environ["SEEN"]).open("a").write(event + "\\n")
        raise RuntimeError("no network: " + event)
sys.addaudithook(forbid)
def open_sockets():
    import socket, stat
    found = []
    for fd in map(int, os.listdir("/proc/self/fd") if os.path.isdir("/proc/self/fd") else []):
        try:
            if stat.S_ISSOCK(os.fstat(fd).st_mode):
                with socket.socket(fileno=os.dup(fd)) as one:
                    found += [one.family.name] if one.family != socket.AF_UNIX else []
        except OSError:
            pass  # the descriptor of the listing itself
    return found
from her2viewer.cli.main import main
def command(*words):
    status = main([str(word) for word in words])
    assert status in (0, int(os.environ.get("MAY_FAIL", "0"))), (words, status)
    assert not open_sockets(), words
"""


def run(script: str, home: Path, *arguments: object, **environment: str) -> None:
    """A script, run by a user and in a home folder whose names are looked for afterwards. Fails where it used a socket."""
    home.mkdir(parents=True, exist_ok=True)
    seen = home.parent / "seen.txt"
    told = {
        **os.environ,
        **dict.fromkeys(("HOME", "USERPROFILE"), str(home)),
        **dict.fromkeys(("USER", "LOGNAME", "USERNAME"), USER),
        **{f"XDG_{name}_HOME": str(home / name) for name in ("CONFIG", "DATA", "CACHE", "STATE")},
        "SEEN": str(seen),
        "QT_QPA_PLATFORM": "offscreen",
        **environment,
    }
    command = [sys.executable, "-c", _GUARDED + textwrap.dedent(script), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False, env=told, cwd=home)
    assert not seen.exists(), seen.read_text()
    assert done.returncode == 0, done.stderr + done.stdout


def contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    """The bytes of all files, and of what is packed in them: parts of zips and npz, texts and EXIF of pictures."""
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        name, data = path.relative_to(folder).as_posix(), path.read_bytes()
        yield f"the name of {name}", name.encode()
        yield from unpacked(name, data)


def unpacked(name: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    yield name, data
    if data[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for part in archive.namelist():
                yield f"the name of {name}/{part}", part.encode()
                yield from unpacked(f"{name}/{part}", archive.read(part))
    elif name.endswith((".png", ".tif", ".jpg")):
        with Image.open(io.BytesIO(data)) as picture:
            picture.load()
            exif = {str(key): str(value) for key, value in picture.getexif().items()}
            yield f"{name}, its texts", json.dumps([str(picture.info), exif], ensure_ascii=False).encode()


def assert_nowhere(words: tuple[str, ...], folder: Path) -> int:
    """That none of the words stands in any file, in whatever way text is written. Returns how many were looked into."""
    count = 0
    for name, data in contents(folder):
        count += 1
        for word in words:
            for form in (word.encode(), word.encode("utf-16-le"), json.dumps(word)[1:-1].encode()):
                assert form not in data, f"{word!r} stands in {name}"
    return count


def write_named_pairs(folder: Path) -> None:
    """Pairs called after patients, and one that cannot be read."""
    folder.mkdir(parents=True)
    for seed, patient in enumerate(PATIENTS):
        for number, end in enumerate(("HE", "HER2")):
            picture = tissue(2 * seed + number, (128, 128), "ihc" if number else "he")
            (folder / f"{patient}_{end}.png").write_bytes(cv2.imencode(".png", picture[..., ::-1])[1].tobytes())
    for end in ("HE", "HER2"):
        (folder / f"Broken-Patient_{end}.png").write_bytes(b"no picture " + end.encode())


ALL = """
pairs, out, model = map(Path, sys.argv[1:4])
he, ihc = (next(pairs.glob("Meier*_" + end)) for end in ("HE.png", "HER2.png"))
asked = "--overlay", "--device", "cpu", "--model", model, *sys.argv[4:]
key = ("--key-file", Path.home() / "key.csv") if "--no-names" in asked else ()
command("score", pairs, "--out", out / "all", *asked, *key)
command("score", pairs, "--out", out / "all", "--resume", *asked)
command("score", "--he", he, "--ihc", ihc, "--out", out / "one", "--explain", *asked)
command("table", out / "all")
command("export", out / "all", "--fhir", out / "lines.ndjson")
command("export", out / "one", "--fhir", out / "fhir", "--bundle", out / "evidence", "--model", model)
command("verify", out / "all")
command("verify", out / "one")
"""


def test_the_guard_sees_a_connection(tmp_path: Path) -> None:
    """Else the tests below could not fail."""
    script = "import socket\nsocket.create_connection(('127.0.0.1', 9))"
    with pytest.raises(AssertionError, match="socket"):
        run(script, tmp_path / "a" / "home")
    hidden = """
    import ctypes
    assert ctypes.CDLL(None).socket(2, 2, 0) > 0  # as a library would, past Python
    Path(os.environ["SEEN"]).write_text(str(open_sockets()))
    """
    if Path("/proc/self/fd").is_dir():
        with pytest.raises(AssertionError, match="AF_INET"):
            run(hidden, tmp_path / "b" / "home")


def test_demo_window_and_score_use_no_network_and_name_nobody(tmp_path: Path) -> None:
    home = tmp_path / "home" / USER
    pair = write_pair(tmp_path / PLACE, 1, (128, 128))
    script = """
    he, ihc, out = map(Path, sys.argv[1:])
    command("demo", "--out", out / "demo", "--device", "cpu")  # with the window, opened and scored
    command("score", "--he", he, "--ihc", ihc, "--out", out / "pair", "--overlay", "--device", "cpu")
    command("model", "verify")
    """
    run(script, home, *pair.both, tmp_path / "out")
    assert (tmp_path / "out" / "demo" / "window.png").is_file()
    assert assert_nowhere((USER, PLACE, str(tmp_path), str(home)), tmp_path / "out") > 8


def test_a_study_with_all_exports_uses_no_network_and_tells_no_place(
    tmp_path: Path, random_package: ModelPackage
) -> None:
    home = tmp_path / "home" / USER
    pairs = home / PLACE / "pairs"
    write_named_pairs(pairs)
    run(ALL, home, pairs, tmp_path / "out", random_package.folder, MAY_FAIL="1")
    words = (USER, PLACE, str(tmp_path), str(home), str(random_package.folder))
    assert assert_nowhere(words, tmp_path / "out") > 30
    # What is looked for would be found: with their names, the cases are all over these files.
    with pytest.raises(AssertionError, match="Meier"):
        assert_nowhere((PATIENTS[0],), tmp_path / "out")


def test_without_names_no_file_has_one_in_it(tmp_path: Path, random_package: ModelPackage) -> None:
    home = tmp_path / "home" / USER
    pairs = home / PLACE / "pairs"
    write_named_pairs(pairs)
    words = (*PATIENTS, "Broken-Patient", "Meier", "Özgür", USER, PLACE, str(tmp_path))
    run(ALL, home, pairs, tmp_path / "out", random_package.folder, "--no-names", MAY_FAIL="1")
    assert assert_nowhere(words, tmp_path / "out") > 30
    rows = json.loads((tmp_path / "out" / "all" / "results.json").read_text(encoding="utf-8"))
    ids = [row["case_id"] for row in rows]
    assert len(ids) == len(set(ids)) == 3 and all(case_id.startswith("case-") for case_id in ids)
    assert sum("error" in row for row in rows) == 1
    told = (home / "key.csv").read_text(encoding="utf-8-sig")
    assert all(name in told for name in ("Meier-Anna-1957", "'=cmd Özgür (B) #2", "Broken-Patient", *ids))


def test_without_a_key_file_nothing_tells_which_name_became_which(
    her2viewer: Run, random_package: ModelPackage, tmp_path: Path
) -> None:
    write_named_pairs(tmp_path / "pairs")
    before = set(tmp_path.rglob("*"))
    asked = ["--no-names", "--device", "cpu", "--model", random_package.folder]
    assert her2viewer("score", tmp_path / "pairs", "--out", tmp_path / "out", *asked).status == 1
    assert {path.relative_to(tmp_path).parts[0] for path in set(tmp_path.rglob("*")) - before} == {"out"}
    assert_nowhere((*PATIENTS, "Meier", "Broken"), tmp_path / "out")


def test_a_key_never_lies_with_the_results(her2viewer: Run, tmp_path: Path) -> None:
    write_named_pairs(tmp_path / "pairs")
    asked = ["score", tmp_path / "pairs", "--out", tmp_path / "out"]
    outcome = her2viewer(*asked, "--no-names", "--key-file", tmp_path / "out" / "key.csv")
    assert outcome.status == 2 and "the key would lie with the results" in outcome.err
    (tmp_path / "key.csv").write_text("another study's")
    outcome = her2viewer(*asked, "--no-names", "--key-file", tmp_path / "key.csv")
    assert outcome.status == 2 and "is there already" in outcome.err
    assert "--no-names" in her2viewer(*asked, "--key-file", tmp_path / "key2.csv").err
    assert not (tmp_path / "out").exists()


def test_the_picture_is_of_the_pseudonym(her2viewer: Run, random_package: ModelPackage, tmp_path: Path) -> None:
    """Letters in pixels cannot be looked for: the picture must be, to the bit, that of files which are called so."""
    folder = tmp_path / "pairs"
    folder.mkdir()
    for number, end in enumerate(("HE", "HER2")):
        picture = tissue(number, (128, 128), "ihc" if number else "he")
        (folder / f"Meier_{end}.png").write_bytes(cv2.imencode(".png", picture[..., ::-1])[1].tobytes())
    asked = ["--overlay", "--device", "cpu", "--model", random_package.folder]
    assert her2viewer("score", folder, "--out", tmp_path / "a", "--no-names", *asked).status == 0
    (pair,) = pair_folder(folder).pairs
    called = Pseudonyms().of(pair).case_id
    renamed = tmp_path / "renamed"
    renamed.mkdir()
    for path, end in zip(pair.both, ("HE", "HER2"), strict=True):
        (renamed / f"{called}_{end}.png").write_bytes(path.read_bytes())
    assert her2viewer("score", renamed, "--out", tmp_path / "b", *asked).status == 0
    pictures = [cv2.imread(str(tmp_path / out / f"{called}_overlay.png")) for out in "ab"]
    assert pictures[0] is not None and np.array_equal(*pictures)


def test_the_label_of_a_slide_is_never_read_for_an_export(
    her2viewer: Run, random_package: ModelPackage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slides = [write_aperio_slide(tmp_path / f"S1_{end}.svs", (1024, 768), seed=i) for i, end in enumerate(("HE", "HER2"))]
    with open_image(slides[0]) as slide:
        assert slide.associated == ("label", "macro", "thumbnail") and slide.properties["Scanner"] == "SS1234"
        kind = type(slide)
    read: list[str] = []
    real = kind.associated_image
    monkeypatch.setattr(kind, "associated_image", lambda self, name: read.append(name) or real(self, name))
    asked = ["--overlay", "--device", "cpu", "--model", random_package.folder]
    out = tmp_path / "out"
    assert her2viewer("score", "--he", slides[0], "--ihc", slides[1], "--out", out, *asked).status == 0
    model = ["--model", random_package.folder]
    assert her2viewer("export", out, "--fhir", out / "f", "--bundle", out / "b", *model).status == 0
    assert not {"label", "macro"} & set(read)
    # Nor what the scanner wrote about the slide.
    assert_nowhere(("SS1234", "11/24/26"), out)
