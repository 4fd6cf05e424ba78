"""Prints each figure beside its peer or floor, and whether it meets its goal."""

import argparse
import importlib
import json
import os
import platform
from pathlib import Path

from rich.console import Console
from rich.table import Table

GROUPS = ("pair", "explain", "batch", "cluster", "training", "stains", "registration", "viewer", "fields", "library")
"""Later issues add startup; each is a module here with `rows()`."""


def main() -> None:
    """Runs the groups and prints one table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("group", nargs="*", choices=[*GROUPS, []], help=f"any of {', '.join(GROUPS)} (default: all)")
    parser.add_argument("--json", type=Path, help="write the rows there as well")
    options = parser.parse_args()
    rows = [
        row for group in options.group or GROUPS for row in importlib.import_module(f"tests.benchmarks.{group}").rows()
    ]
    table = Table("figure", "value", "peer or floor", "its value", "ratio", "goal", "met", title=_machine())
    for row in rows:
        table.add_row(
            row.figure,
            f"{row.value:g} {row.unit}",
            row.other,
            f"{row.other_value:g} {row.unit}",
            f"{row.ratio:.2f}",
            row.goal,
            {True: "yes", False: "no", None: "-"}[row.met],
        )
    Console(width=140).print(table)
    if options.json:
        document = {"machine": _machine(), "rows": [row.as_dict() for row in rows]}
        options.json.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def _machine() -> str:
    return f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, {os.cpu_count()} cores"


if __name__ == "__main__":
    main()
