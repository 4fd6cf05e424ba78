"""What a file's name says: its case, its stain, its label and its split.

Names are compared without regard to case and in Unicode's composed form (NFC), since macOS stores 'é' as two characters.
"""

import re
import unicodedata
from pathlib import Path
from typing import Final

from her2viewer.scoring.stains import Stain

IMAGE_SUFFIXES: Final = frozenset({".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".tif", ".tiff", ".bmp", ".dib", ".webp"})
"""What is looked at in a folder. A file named by hand may have any suffix: images are opened by their content."""

STAIN_FOLDERS: Final = {"he": Stain.HE, "h&e": Stain.HE, "ihc": Stain.IHC, "her2": Stain.IHC}

_SEPARATOR: Final = r"[ _.\-]+"
_ENDING: Final = re.compile(
    rf"(?P<case>.+?)(?:(?:{_SEPARATOR}her2)?{_SEPARATOR}(?P<stain>h&e|he|ihc)|(?:{_SEPARATOR}ihc)?{_SEPARATOR}(?P<her2>her2))",
    re.IGNORECASE | re.DOTALL,
)
_SPLIT: Final = re.compile(rf"(?:^|{_SEPARATOR})(train|val|test)(?={_SEPARATOR}|$)", re.IGNORECASE)
# A bare 0 is a label only after a split ('00345_test_0'): 'field_0' is the first field of something.
_LABEL: Final = re.compile(
    rf"(?:(?:^|{_SEPARATOR})(?P<plus>[123]\+)|{_SEPARATOR}(?:train|val|test){_SEPARATOR}(?P<zero>0))$", re.IGNORECASE
)
_COPY: Final = re.compile(r" ?\(\d+\)$")
_HE_WORDS: Final = frozenset({"he", "h&e", "hes", "hande", "eosin", "haematoxylin", "hematoxylin"})
_IHC_WORDS: Final = frozenset({"ihc", "dab", "immunohistochemistry"})
# Also the subject of a whole project ('HER2_study_HE'), so that it gives way to a plainer word.
_HER2_WORDS: Final = frozenset({"her2", "her2neu", "erbb2"})


def is_image_name(path: Path) -> bool:
    """True for a visible file name with the suffix of an image. The file is not looked at."""
    return not path.name.startswith(".") and path.suffix.lower() in IMAGE_SUFFIXES


def is_copy(path: Path) -> bool:
    """True for the name that a file manager gives to a copy: 'field (1).png'."""
    return _COPY.search(_stem(path)) is not None


def same(text: str) -> str:
    """A form of a name that is equal for names that count as equal."""
    # Twice NFC: folding case can take a string out of it.
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def natural(text: str) -> tuple[tuple[int, int | str], ...]:
    """Sort key that puts 'field 2' before 'field 10'."""
    parts = re.split(r"([0-9]+)", same(text))
    return tuple((0, int(part)) if part.isascii() and part.isdigit() else (1, part) for part in parts if part)


def case_and_stain(path: Path) -> tuple[str, Stain] | None:
    """The case and the stain of a name that ends in one: 'S12_HE.png' is (S12, H&E), 'S12-her2.tif' (S12, IHC)."""
    match = _ENDING.fullmatch(_stem(path))
    if match is None:
        return None
    word = match["stain"] or match["her2"]
    return match["case"], STAIN_FOLDERS[word.casefold()]


def label_of(name: str) -> str | None:
    """The HER2 label that a file name ends in ('00000_train_1+.png' is 1+), or None. A stain after it is passed over."""
    return _first_group(_LABEL.search(_unstained(name)))


def without_label(name: str) -> str:
    """A file's or case's name without the label that it ends in: '00000_train_1+.png' is '00000_train.png'."""
    if label_of(name) is None:
        return name
    stem, suffix = (name[: -len(end)], end) if (end := Path(name).suffix) in IMAGE_SUFFIXES else (name, "")
    told = case_and_stain(Path(stem))
    at = len(told[0]) if told is not None else len(stem)
    return _LABEL.sub(_split_of_zero, stem[:at]) + stem[at:] + suffix


def _split_of_zero(match: re.Match[str]) -> str:
    """What a label leaves of what it was found in: the split before a bare 0."""
    return match[0][:-1].rstrip(" _.-") if match["zero"] else ""


def split_of(name: str) -> str | None:
    """'train', 'val' or 'test' where the file name holds that word, or None."""
    found = _first_group(_SPLIT.search(_unstained(name)))
    return None if found is None else found.casefold()


def guess_stain(path: Path) -> Stain | None:
    """The stain that a file's name tells, otherwise that of the two folders it lies in; None where they do not say."""
    path = Path(path)
    for text in (_stem(path), *(folder.name for folder in list(path.parents)[:2])):
        words = set(re.findall(r"h&e|[^\W_]+", same(text)))
        he, ihc = bool(words & _HE_WORDS), bool(words & _IHC_WORDS)
        if he != ihc:
            return Stain.HE if he else Stain.IHC
        if not he and words & _HER2_WORDS:
            return Stain.IHC
    return None


def _stem(path: Path) -> str:
    return unicodedata.normalize("NFC", path.stem)


def _unstained(name: str) -> str:
    path = Path(name)
    found = case_and_stain(path)
    return _stem(path) if found is None else found[0]


def _first_group(match: re.Match[str] | None) -> str | None:
    return None if match is None else next(group for group in match.groups() if group is not None)
