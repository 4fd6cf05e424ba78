"""What cases and files are called in a report: by their names, or, where those are to stay away, by what leads to none."""

import re
from dataclasses import dataclass

from her2viewer.export.results import ResultDocument

_FILE = re.compile(
    r"[^\s:;,'\"()]+\.(?:png|jpe?g|jpe|jfif|tiff?|bmp|dib|webp|svs|ndpi|mrxs|scn|bif|dcm|vms|svslide)\b", re.I
)


@dataclass(frozen=True, slots=True)
class Naming:
    """names: whether case ids, file names and what a user called a field are shown.

    Otherwise a case is the first eight digits of the SHA-256 of its IHC's bytes, by which whoever has the file can find it.
    """

    names: bool = True

    def case(self, case_id: str, sha256: str | None, number: int | None = None) -> str:
        """What a case is called; `number`: its place in the study, for one whose bytes were never read."""
        if self.names:
            return case_id
        if sha256:
            return f"image {sha256[:8]}"
        return "a case" if number is None else f"row {number}"

    def of(self, result: ResultDocument) -> str:
        """What a result's case is called."""
        return self.case(result.case_id, result.images.ihc.sha256)

    def file(self, name: str) -> str:
        """A file's name, or nothing."""
        return name if self.names else ""

    def words(self, text: str) -> str:
        """A sentence, without the file names in it where they are to stay away."""
        return text if self.names else _FILE.sub("(a file)", text)
