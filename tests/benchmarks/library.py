"""The case library: what is typed found among ten thousand cases, and a reading kept."""

import json
import random
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from her2viewer.cases.library.database import searched
from her2viewer.cases.library.library import Library
from tests.benchmarks.measure import Row, in_turn, within

CASES = 10_000
WORDS = (
    "weak", "moderate", "patchy", "complete", "incomplete", "staining", "artefact", "necrosis", "edge", "crushed", "faint",
    "strong",
)  # fmt: skip
DOCUMENT = json.dumps({"schema": "her2viewer.result/1", "filling": "x" * 3000})
GOAL_MS = 50


def rows() -> list[Row]:
    """Searches beside a bare walk through the same texts in Python, the floor of any search that finds parts of words."""
    with tempfile.TemporaryDirectory() as folder, Library(Path(folder) / "library.db") as library:
        texts = _fill(library)
        ways: dict[str, Callable[[], object]] = {
            "every case, the first 500": lambda: library.search(),
            "a part of a word in every case": lambda: library.search("membr"),
            "four words, few cases": lambda: library.search("patchy necros 2+ case-009"),
            "nothing found": lambda: library.search("unheard-of"),
            "a tag and a word": lambda: library.search("faint", ["study 3"]),
            "tags with their numbers": library.tags,
        }
        floor = "Python's own search through the texts"
        seconds = in_turn({**ways, floor: lambda: [one for one in texts if "membr" in one]}, rounds=15)
        found = [within(f"search among {CASES:,} cases: {name}", seconds, name, floor, 1000) for name in ways]
        case = library.search("case-00001")[0].case.id
        number = iter(range(1_000_000))
        kept = in_turn({"a reading": lambda: library.read(case, "1+", str(next(number))), floor: lambda: list(texts)}, 15)
        found.append(within("a reading kept, on the disk and in the log", kept, "a reading", floor, 1000))
    return [replace(row, goal=f"<= {GOAL_MS} ms", met=row.value <= GOAL_MS) for row in found]


def _fill(library: Library) -> list[str]:
    """Ten thousand cases with notes of 40 words, three of fifty tags, fields, a prediction and a reading; their texts."""
    chance, cases, texts = random.Random(1), [], []
    tags, predictions, readings, drawn = [], [], [], []
    for key in range(1, CASES + 1):
        title, label = f"case-{key:05d}", ("0", "1+", "2+", "3+")[key % 4]
        notes = " ".join(chance.choices(WORDS, k=39)) + " membrane"
        of_case = [f"study {number}" for number in chance.sample(range(50), 3)]
        utc = f"2026-01-01T{key // 3600:02d}:{key // 60 % 60:02d}:{key % 60:02d}"
        cases.append((key, title, title, label, f"/slides/{title}.svs", f"{key:064x}", notes, utc, utc))
        tags += [(key, tag) for tag in of_case]
        texts.append(searched(title, title, label, notes, *of_case))
        predictions.append((key, key, label, "m 1", "a" * 64, DOCUMENT, utc))
        readings.append((key, key, label, "", "", label, 0, utc))
        drawn.append((key, "{" + "x" * 2000 + "}"))
    with library.together():
        put = library._connection.executemany
        put(
            "INSERT INTO kept_case (id, title, case_id, label, ihc_path, ihc_identity, notes, created, opened) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            cases,
        )
        put("INSERT INTO tag VALUES (?, ?)", tags)
        put("INSERT INTO found_by VALUES (?, ?)", list(enumerate(texts, 1)))
        put("INSERT INTO drawn (kept_case, fields) VALUES (?, ?)", drawn)
        put("INSERT INTO prediction VALUES (?, ?, ?, NULL, ?, ?, ?, ?)", predictions)
        put(
            "INSERT INTO reading (id, kept_case, score, reason, reader, model_score, revealed, utc) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            readings,
        )
    return texts
