import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from training.__main__ import app
from training.data.audit import audit, regrouped
from training.data.document import file_hashes
from training.data.index import index_folder
from training.data.relatives import perceptual_hashes, relatives, turned
from training.data.slides import slides_by_colour

SIDE = 448


def section(seed: int, side: int = 800) -> np.ndarray:
    """(2, side, side, 3) uint8 RGB: nuclei in nests, purple on pink and brown rings on blue, at the same places."""
    rng = np.random.default_rng(seed)
    he = np.full((side, side, 3), rng.integers(215, 245, 3), np.uint8)
    ihc = np.full((side, side, 3), rng.integers(215, 245, 3), np.uint8)
    nests = rng.uniform(0, side, (12, 2))
    for _ in range(1500):
        x, y = nests[rng.integers(12)] + rng.normal(0, side / 8, 2)
        axes = tuple(int(a) for a in rng.integers(4, 9, 2))
        place, turn = (int(x), int(y)), float(rng.uniform(0, 180))
        cv2.ellipse(he, place, axes, turn, 0, 360, tuple(int(c) for c in rng.normal((110, 70, 150), 12)), -1)
        cv2.ellipse(ihc, place, axes, turn, 0, 360, tuple(int(c) for c in rng.normal((120, 130, 180), 12)), -1)
        if rng.random() < 0.5:
            cv2.ellipse(ihc, place, tuple(a + 2 for a in axes), turn, 0, 360, (130, 80, 40), 2)
    return np.stack([he, ihc])


def crop(pair: np.ndarray, x: int, y: int, turn: int = 0, quality: int = 95) -> np.ndarray:
    """A field of a section, flipped or turned, saved as JPEG, at 224 pixels."""
    out = []
    for image in pair[:, y : y + SIDE, x : x + SIDE]:
        _, data = cv2.imencode(".jpg", turned(image, turn), [cv2.IMWRITE_JPEG_QUALITY, quality])
        out.append(cv2.resize(cv2.imdecode(data, cv2.IMREAD_COLOR), (224, 224), interpolation=cv2.INTER_AREA))
    return np.stack(out)


class Fields(list[np.ndarray]):
    def stains(self, index: int) -> tuple[()]:
        return ()


@pytest.fixture(scope="module")
def sections() -> list[np.ndarray]:
    return [section(seed) for seed in range(12)]


@pytest.mark.parametrize("turn", range(8))
def test_a_turned_copy_has_the_hash_of_one_turn(sections: list[np.ndarray], turn: int) -> None:
    field, other = crop(sections[0], 0, 0)[0], crop(sections[0], 0, 0, turn, 50)[0]
    apart = np.bitwise_count(perceptual_hashes(field) ^ perceptual_hashes(other)[0])
    assert apart[turn] <= 6
    assert np.delete(apart, turn).min() > 12


def test_copies_and_overlaps_are_found_and_nothing_else(sections: list[np.ndarray]) -> None:
    plain = [crop(pair, 100, 100) for pair in sections]
    planted = [
        (0, 100, 100, 5, 60, 1.0),  # flipped and saved anew
        (1, 100, 100, 0, 30, 1.0),
        (2, 300, 100, 0, 80, 1 - 200 / SIDE),
        (3, 100, 290, 2, 80, 1 - 190 / SIDE),
        (4, 300, 300, 7, 80, (1 - 200 / SIDE) ** 2),
    ]
    fields = Fields([*plain, *(crop(sections[n], x, y, turn, quality) for n, x, y, turn, quality, _ in planted)])
    found = relatives(fields)
    assert [(r.first, r.second, r.turn) for r in found] == [
        (n, 12 + i, turn) for i, (n, _, _, turn, _, _) in enumerate(planted)
    ]
    for relation, (*_, share) in zip(found, planted, strict=True):
        assert relation.overlap == pytest.approx(share, abs=0.02)
        assert relation.correlation > 0.7


def test_colour_and_brightness_do_not_hide_a_copy(sections: list[np.ndarray]) -> None:
    field = crop(sections[0], 0, 0)
    pale = (255 - (255 - field.astype(float)) * np.array([0.6, 0.8, 0.7])).astype(np.uint8)
    fields = Fields([field, *(crop(pair, 0, 0) for pair in sections[1:]), pale])
    assert [(r.first, r.second, r.overlap) for r in relatives(fields, neighbours=1)] == [(0, 12, 1.0)]


def test_empty_glass_is_related_to_nothing() -> None:
    rng = np.random.default_rng(0)
    glass = [
        np.full((2, SIDE, SIDE, 3), 240, np.uint8) + rng.integers(0, 2, (2, SIDE, SIDE, 3), np.uint8) for _ in "abc"
    ]
    assert relatives(Fields([crop(one, 0, 0) for one in glass])) == []


def test_one_stain_alone_is_compared_by_itself(sections: list[np.ndarray]) -> None:
    fields = [crop(pair, 0, 0) for pair in sections[:6]] + [crop(sections[2], 150, 0, 4)]
    for field in fields:
        field[0] = 0
    assert [(r.first, r.second) for r in relatives(Fields(fields))] == [(2, 6)]


def write(root: Path, split: str, name: str, field: np.ndarray) -> None:
    for stain, image in zip(("HE", "IHC"), field, strict=True):
        (root / stain / split).mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(root / stain / split / f"{name}.png"), image[..., ::-1])


@pytest.fixture(scope="module")
def leaky(sections: list[np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """12 sections in train; in test a copy of the first, an overlap with the second and 2 of their own; labels by section."""
    root = tmp_path_factory.mktemp("leaky")
    for n, pair in enumerate(sections[:10]):
        write(root, "train", f"{n:05d}_train_{('1+', '3+')[n % 2]}", crop(pair, 0, 0))
    for n, x, turn in ((0, 0, 0), (1, 150, 6), (10, 0, 0), (11, 0, 0)):
        write(root, "test", f"{50 + n:05d}_test_{('1+', '3+')[n % 2]}", crop(sections[n], x, 0, turn))
    return root


def test_leaks_are_said_saved_and_split_away(leaky: Path, tmp_path: Path) -> None:
    table, document = tmp_path / "regrouped.csv", tmp_path / "index.json"
    run = CliRunner().invoke(
        app,
        [
            "index",
            str(leaky),
            "--audit",
            "--regroup",
            str(table),
            "--out",
            str(document),
            "--cache",
            str(tmp_path / "c"),
        ],
    )
    assert run.exit_code == 0, run.output
    said = " ".join(run.output.split())
    assert "14 fields in 12 clusters; 4 fields have a relative, the largest cluster has 2." in said
    assert "2 of 4 test fields (50.0%) have a relative in train;" in said
    found = json.loads(document.read_text(encoding="utf-8"))["audit"]
    assert found["exact_duplicates"] == [["00000_train_1+", "00050_test_1+"]]
    assert found["groups"] == [["00000_train_1+", "00050_test_1+"], ["00001_train_3+", "00051_test_3+"]]
    assert (found["copies"], found["overlaps"], found["relations_across_splits"]) == (1, 1, 2)
    again = index_folder(table)
    assert len(again.pairs) == 14 and again.refused == ()
    assert {pair.split for pair in again.pairs} == {"train", "test"}
    parts: dict[str | None, set[str | None]] = {}
    for pair in again.pairs:
        parts.setdefault(pair.group, set()).add(pair.split)
    assert len(parts) >= 8 and all(len(splits) == 1 for splits in parts.values())
    of = {pair.case_id: pair.group for pair in again.pairs}
    assert of["00000_train_1+"] == of["00050_test_1+"] and of["00001_train_3+"] == of["00051_test_3+"]
    with table.open(newline="") as file:
        assert not any(Path(row[stain]).is_absolute() for row in csv.DictReader(file) for stain in ("he", "ihc"))


def test_a_group_of_the_table_is_one_cluster(leaky: Path, tmp_path: Path) -> None:
    table = tmp_path / "slides.csv"
    names = sorted(path.name for path in (leaky / "HE/train").iterdir())
    rows = [f"{leaky}/HE/train/{name},{leaky}/IHC/train/{name},slide {i // 4}" for i, name in enumerate(names)]
    table.write_text("\n".join(["he,ihc,slide", *rows]), encoding="utf-8")
    pairs = index_folder(table).pairs
    fields = Fields([np.zeros((2, 224, 224, 3), np.uint8) for _ in pairs])
    found = audit(pairs, fields, file_hashes(pairs))
    assert [len(members) for members in found.members()] == [4, 4, 2]
    split = regrouped(found, seed=1, test_share=0.3)
    assert {len({p.split for p in split if p.group == group}) for group in {p.group for p in split}} == {1}


def test_fields_of_one_slide_are_known_by_colour() -> None:
    sections = [section(100 + seed) for seed in range(20)]
    fields = Fields([crop(pair, x, y) for x, y in ((0, 0), (352, 352)) for pair in sections])
    slides = np.array(slides_by_colour(fields))
    same = slides[:, None] == slides[None]
    truth = np.arange(40)[:, None] % 20 == np.arange(40)[None] % 20
    off = ~np.eye(40, dtype=bool)
    assert same[truth & off].mean() >= 0.7
    assert same[~truth].mean() <= 0.02
    for field in fields:
        field[0] = 0
    assert len(set(slides_by_colour(fields))) > 10  # the IHC alone tells them apart, too
