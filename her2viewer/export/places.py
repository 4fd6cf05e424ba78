"""Nothing that leaves the app says where on this machine a file lay, or who was signed in."""

import re
from contextlib import suppress
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from typing import Final

# Absolute paths inside a sentence: a drive or a share, or a slash that follows no word. A path ends at a space.
_WINDOWS: Final = re.compile(r"(?:\b[A-Za-z]:|(?<!\S)\\\\[^\s\\/]+)[\\/]+(?:[^\\/\s'\"<>|]+[\\/]+)*([^\\/\s'\"<>|]*)")
_POSIX: Final = re.compile(r"(?<![\w.~/\\:*-])/+(?:[^/\s'\"]+/+)+([^/\s'\"]*)")
_FILE_URL: Final = re.compile(r"file://\S*/(\S*)")


def file_within(path: Path | str, root: Path | str | None) -> str:
    """A file's path below `root` with forward slashes; its bare name without a root or outside it."""
    path = Path(path)
    file = path.name
    if root is not None:
        with suppress(ValueError, OSError):
            file = path.resolve().relative_to(Path(root).resolve()).as_posix()
    return valid_unicode(file)


def valid_unicode(text: str) -> str:
    """The text with a question mark for each byte of a Linux file name that is not UTF-8."""
    return text.encode(errors="replace").decode()


def is_placeless(file: str) -> bool:
    """True for a relative path with forward slashes that leads nowhere upwards."""
    kinds: tuple[PurePath, ...] = (PurePosixPath(file), PureWindowsPath(file))
    return bool(file) and not any(kind.anchor or ".." in kind.parts for kind in kinds)


def without_places(text: str) -> str:
    """A sentence in which an absolute path is cut to its last name ('/home/ada/a.png' becomes 'a.png')."""
    text = valid_unicode(text)
    # First, because a user's own folder is the one that may hold spaces and a person's name.
    home = str(Path.home())
    if len(home) > 1:
        text = text.replace(home, "/~").replace(Path(home).as_posix(), "/~")
    for pattern in (_FILE_URL, _WINDOWS, _POSIX):
        text = pattern.sub(r"\1", text)
    return text
