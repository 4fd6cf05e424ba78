"""`her2viewer verify`: was a log, an evidence bundle or a folder of results changed since it was written?"""

from pathlib import Path

from her2viewer.batch.results_log import verify_results
from her2viewer.cases.log import verify_log
from her2viewer.cli.terminal import Terminal
from her2viewer.errors import LibraryError
from her2viewer.export.bundle import is_zip, verify_bundle
from her2viewer.export.finding import Finding, head_words


def verify_file(path: Path, head: str | None) -> int:
    """Says what was found; 0 where it is intact, 1 where it was changed. Raises LibraryError where it is no such file."""
    found = look_at(path, head)
    terminal = Terminal()
    terminal.say(f"{path.name or path.resolve().name}: {found.title}.")
    for change in found.changes:
        terminal.say(f"Changed: {change}")
    for remark in found.remarks:
        terminal.say(f"Note: {remark}")
    if not found.intact:
        return 1
    terminal.say("Intact: it is what was written, as far as its own hashes can tell." if head is None else
                 "Intact: it is what was written, and it holds the hash that was noted elsewhere.")  # fmt: skip
    return 0


def look_at(path: Path, head: str | None = None) -> Finding:
    """The right check for what it is, by its content. Raises LibraryError."""
    try:
        if path.is_dir():
            return verify_results(path, head)
        if is_zip(path):
            return verify_bundle(path, head)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise LibraryError(f"it cannot be read ({reason})", path=path, remedy="check its name and rights") from error
    chain = verify_log(path, head)
    remarks = (*chain.remarks, *head_words(chain.head, head, "the last entry"))
    return Finding(f"a log of {chain.entries:,} entries", chain.head, chain.changes, remarks)
