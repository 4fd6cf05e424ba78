"""What a check of a log, a bundle or a folder comes to, in sentences; and what no such check can know."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of a file: what it is, its head, what was changed, and what else is to be said, a sentence each."""

    title: str
    head: str
    changes: tuple[str, ...]
    remarks: tuple[str, ...]

    @property
    def intact(self) -> bool:
        return not self.changes


def head_words(head: str, noted: str | None, what: str) -> tuple[str, ...]:
    """What the hashes can and cannot tell. `head` is of `what`; `noted`: the hash that the user had noted, if any."""
    if noted is not None:
        return ()
    return (
        f"Its head, the hash of {what}, is {head}. "
        "Whoever rewrites everything can rewrite every hash in it as well, and no check of the file alone can know that. "
        "Note the head elsewhere, and check it with --head.",
    )
