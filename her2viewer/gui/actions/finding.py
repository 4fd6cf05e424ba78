"""What is meant by what somebody typed."""

from typing import Protocol


class Findable(Protocol):
    """What can be found by typing: an action, or another command."""

    @property
    def text(self) -> str: ...

    @property
    def tip(self) -> str: ...

    @property
    def words(self) -> str: ...


def matches(thing: Findable, typed: str) -> bool:
    """Whether something is meant by what was typed: every word of it begins a word of its text, tip or search words."""
    return begins(f"{thing.text} {thing.tip} {thing.words}", typed)


def begins(text: str, typed: str) -> bool:
    """Whether every word that was typed begins a word of a text."""
    known = text.lower().replace(":", " ").replace(".", " ").replace(",", " ").split() + text.lower().split()
    return all(any(word.startswith(part) for word in known) for part in typed.lower().split())
