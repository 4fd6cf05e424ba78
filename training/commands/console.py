"""What the commands say, and where."""

from rich.console import Console

out = Console(highlight=False)


def say(text: str) -> None:
    """One line of progress, at once, also into a file."""
    out.print(text, markup=False, soft_wrap=True)
    out.file.flush()


def every_fifty(done: int, total: int) -> None:
    """Says how many fields are scored, now and then."""
    if done % 50 == 0:
        say(f"  scored {done} of {total}")
