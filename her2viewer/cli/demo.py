"""`her2viewer demo`: the pair that ships with the app, in the window or in files."""

from pathlib import Path

from her2viewer.batch.drawing import encoded_drawing
from her2viewer.batch.names import file_stem
from her2viewer.batch.options import BatchOptions
from her2viewer.batch.row import score_pair
from her2viewer.cases.pairing import Pair, pair_folder
from her2viewer.cli.choices import Device
from her2viewer.cli.score import cautions, coverage, lines_of, open_model, open_scorer
from her2viewer.cli.terminal import Terminal
from her2viewer.errors import ExportError
from her2viewer.export.files import write_atomic
from her2viewer.export.results import write_json
from her2viewer.resources import resource

WINDOW = "window.png"


def open_demo() -> int:
    """Opens the window with the demo pair, scored, and returns when it is closed; 2 where there is no display."""
    from her2viewer.gui.display import load_torch_libraries_first, no_display

    if (reason := no_display()) is not None:
        Terminal().remark(reason)
        return 2
    load_torch_libraries_first()
    from her2viewer.gui.app import run

    return run(demo=True)


def write_demo(out: Path, device: Device) -> int:
    """Scores the demo pair and writes its annotated overlay, its JSON and a picture of the window; raises UserError."""
    terminal = Terminal()
    pair = demo_pair()
    package = open_model(None)
    scorer = open_scorer(package, device, "fp32")
    terminal.notices((*scorer.notices, *cautions(package)))
    options = BatchOptions(out=out, overlay=True, root=resource("demo"), coverage=coverage(package))
    row = score_pair(pair, scorer, options)
    if row.result is None or row.drawing is None:
        terminal.remark(f"Failed: {pair.case_id}: {row.error}")
        return 1
    _make(out)
    stem = file_stem(pair.case_id)
    files = [out / f"{stem}_overlay.png", out / f"{stem}.json", out / WINDOW]
    with write_atomic(files[0]) as file:
        file.write(encoded_drawing(row.drawing, pair.case_id, options))
    write_json(files[1], row.result)
    for line in lines_of(row.result):
        terminal.say(line)
    del row, scorer  # the window loads a scorer of its own
    from her2viewer.gui.bench import ModelWish
    from her2viewer.gui.picture import window_picture

    window_picture(files[2], pair.both, model=ModelWish(device=device))
    terminal.say(f"Written to {out}: {', '.join(path.name for path in files)}.")
    return 0


def demo_pair() -> Pair:
    """The first pair under `resources/demo`. Raises PairError where this copy has none."""
    return pair_folder(resource("demo")).pairs[0]


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ExportError(
            f"the folder cannot be made ({reason})", path=folder, remedy="choose another folder"
        ) from error
