"""`her2viewer`: no arguments or two images open the window, anything else is for the command line."""

import sys
from pathlib import Path

_COMMANDS = frozenset({"demo", "score", "table", "export", "report", "verify", "library", "model"})


def main() -> int:
    """The entry point of the installed command and of the bundled app. Returns the exit status."""
    arguments = sys.argv[1:]
    if not opens_window(arguments):
        from her2viewer.cli.main import main as command_line

        return command_line()
    from her2viewer.gui.display import load_torch_libraries_first, no_display

    if (reason := no_display()) is not None:
        print(reason, file=sys.stderr)
        return 2
    load_torch_libraries_first()
    from her2viewer.gui.app import run

    return run((Path(arguments[0]), Path(arguments[1])) if arguments else None)


def opens_window(arguments: list[str]) -> bool:
    """Nothing, or two paths: an H&E and an IHC image."""
    if not arguments:
        return True
    return len(arguments) == 2 and arguments[0] not in _COMMANDS and not any(word.startswith("-") for word in arguments)


if __name__ == "__main__":
    sys.exit(main())
