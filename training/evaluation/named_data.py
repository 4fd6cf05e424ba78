"""Labelled data as an option names it: 'NAME=DATA[:SPLIT][:STAIN]'."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from her2viewer.cases.pairing import Pair
from her2viewer.errors import UserError
from her2viewer.scoring.package import open_package
from her2viewer.scoring.scorer import Scorer
from her2viewer.scoring.stains import Stain
from training.data.index import index_folder
from training.evaluation.outcome import Outcome, predict


@dataclass(frozen=True, slots=True)
class NamedData:
    """name: what tables call it. split: 'train', 'test' or 'all'. stain: for images of that stain alone, or None for pairs."""

    name: str
    path: Path
    split: str = "test"
    stain: Stain | None = None

    @classmethod
    def parsed(cls, word: str) -> "NamedData":
        """Takes the option apart; a folder may hold colons. Raises UserError where it names no data."""
        name, _, path = word.partition("=")
        split, stain = "test", None
        while (end := path.rpartition(":"))[2] in ("test", "train", "all", "he", "ihc") and end[0]:
            path = end[0]
            if end[2] in ("he", "ihc"):
                stain = Stain(end[2])
            else:
                split = end[2]
        if not name or not path:
            raise UserError(f"'{word}' names no data", remedy="write 'NAME=FOLDER' or 'NAME=FOLDER:all'")
        return cls(name, Path(path), split, stain)

    def pairs(self) -> tuple[Pair, ...]:
        """The labelled pairs. Raises UserError where there is no such folder or table."""
        found = index_folder(self.path, stain=self.stain)
        return found.pairs if self.split == "all" else found.of(self.split)

    def outcome(self, model: Path, progress: Callable[[int, int], None] = lambda done, total: None) -> Outcome:
        """What a package says of them, from the files on. Raises UserError as `predict` does."""
        pairs = self.pairs()
        return predict(Scorer.open(open_package(model)), pairs, self.name, lambda done: progress(done, len(pairs)))
