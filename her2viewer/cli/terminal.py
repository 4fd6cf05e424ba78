"""What a command says: results on stdout, everything else on stderr, with a bar while it works."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn


class Terminal:
    """Both streams. Text is shown as it is: a file name may hold what rich would take for markup."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, markup=False, highlight=False, soft_wrap=True)
        self._said: set[str] = set()

    def say(self, text: str) -> None:
        """A result, on stdout."""
        typer.echo(text)

    def remark(self, text: str) -> None:
        """A line on stderr, above the bar where there is one."""
        if self._console.is_terminal:
            self._console.print(text)
        else:
            typer.echo(text, err=True)

    def notices(self, notices: Sequence[str]) -> None:
        """What the scorer has to say, each once."""
        for notice in notices:
            if notice not in self._said:
                self._said.add(notice)
                self.remark(f"Note: {notice}")

    @contextmanager
    def bar(self, title: str, total: int) -> Iterator["Bar"]:
        """A progress bar; nothing where stderr is a file or a pipe, or there is one step."""
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        hidden = total < 2 or not self._console.is_terminal
        with Progress(*columns, console=self._console, disable=hidden, transient=True) as progress:
            yield Bar(progress, progress.add_task(title, total=total))


class Bar:
    """A bar that is moved on step by step."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress = progress
        self._task = task

    def step(self) -> None:
        """One more is done."""
        self._progress.advance(self._task)


def survive_odd_names() -> None:
    """A file name that the terminal's encoding cannot show is shown with '?' and ends nothing."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
