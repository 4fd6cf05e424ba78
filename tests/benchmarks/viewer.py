"""The window at work on two slides of 100,000 x 80,000 px and on the demo pair: what a user waits for, frame by frame.

On an unseen screen of Qt's, 1440 x 900, both panes linked. A frame is both panes painted. Needs no file but those it writes.
"""

import itertools
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from tests.benchmarks.measure import Row, in_turn
from tests.imaging.slides import write_slide

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QTimer
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QApplication

from her2viewer.export.overlay import OverlayStyle
from her2viewer.gui.app import App, application
from her2viewer.gui.compare.state import CompareMode
from her2viewer.gui.demo import demo_pair
from her2viewer.gui.garbage import put_modules_aside
from her2viewer.gui.memory import EVERY_MS
from her2viewer.gui.pane.tissue_view import SURROUND, TissueView
from her2viewer.gui.pane.viewpoint import Viewpoint
from her2viewer.gui.resolve.map import OverlayShown
from her2viewer.gui.settings import Settings
from her2viewer.gui.state import ModelPhase, ScorePhase
from her2viewer.imaging.stain_views import StainView
from her2viewer.scoring.attribution.attribution import Attribution
from her2viewer.scoring.prediction import FieldOfView
from her2viewer.scoring.preprocess import InputLayout
from her2viewer.scoring.stains import Stain

SIZE = (100_000, 80_000)
_FRAME_S = 1 / 60


def rows() -> list[Row]:
    """All of it in one app."""
    with tempfile.TemporaryDirectory() as folder:
        he, ihc = (write_slide(Path(folder) / f"{stain}.tif", SIZE, seed=seed) for seed, stain in enumerate(Stain))
        settings = Settings(Path(folder) / "settings.ini")
        settings.demo_at_start = False
        app = App(application(), settings)
        put_modules_aside(app.store)
        app.window.resize(1440, 900)
        app.start()
        _until(lambda: app.store.state.model.phase is ModelPhase.READY)
        _rest(1.0)
        idle = _resident_mb()
        floors = _floors(app, he)
        try:
            made = [
                _first_picture(app, he, ihc, floors),
                *_moving(app, floors),
                _stain_switch(app, "slides", floors),
                _overlay_on_a_slide(app, floors),
                *_memory(app, idle),
                *_demo(app, floors),
            ]
        finally:
            app.window.close()
    return made


def _floors(app: App, slide: Path) -> dict[str, float]:
    """Milliseconds of the least that each job needs, measured here and now."""
    import openslide

    views = _views(app)
    pictures = [QImage(view.viewport().size() * 1.5, QImage.Format.Format_RGB32) for view in views]
    screens = [QImage(view.viewport().size(), QImage.Format.Format_RGB32) for view in views]
    clear = [QImage(view.viewport().size(), QImage.Format.Format_ARGB32_Premultiplied) for view in views]
    for one in (*pictures, *clear):
        one.fill(QColor(120, 40, 90, 128))
    planes = [np.full((screen.height(), screen.width()), 100, np.uint8) for screen in screens]

    def draw() -> None:
        for picture, screen in zip(pictures, screens, strict=True):
            painter = QPainter(screen)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.scale(1 / 1.5, 1 / 1.5)
            painter.drawImage(0, 0, picture)
            painter.end()

    def open_and_read() -> None:
        with openslide.OpenSlide(slide) as opened:
            opened.read_region((0, 0), opened.level_count - 1, opened.level_dimensions[-1])

    def overlay() -> None:
        for plane, over, screen in zip(planes, clear, screens, strict=True):
            cv2.applyColorMap(plane, cv2.COLORMAP_VIRIDIS)
            painter = QPainter(screen)
            painter.drawImage(0, 0, over)
            painter.end()

    def logarithm() -> None:
        for plane in planes:
            cv2.log(np.stack([plane] * 3, axis=2).astype(np.float32))

    ways = {"draw": draw, "open": open_and_read, "overlay": overlay, "logarithm": logarithm}
    return {name: statistics.median(seconds) * 1e3 for name, seconds in in_turn(ways, rounds=7).items()}


def _first_picture(app: App, he: Path, ihc: Path, floors: dict[str, float]) -> Row:
    """From asking for a slide to its first picture in the pane; the other stain's slide takes turns with it."""
    times = []
    for file in (he, ihc, he, ihc, he, ihc):
        started = time.perf_counter()
        app.images.open({Stain.HE: file})
        view = app.window.panes[Stain.HE].view
        _until(lambda file=file, view=view: view.image is not None and view.image.source.path == file)
        view.viewport().repaint()
        times.append(time.perf_counter() - started)
        _rest(0.3)
    app.images.open({Stain.HE: he, Stain.IHC: ihc})
    _until(lambda: app.store.state.pair is not None and app.store.state.pair[0].source.path == he)
    _rest(0.5)
    ms = statistics.median(times[1:]) * 1e3
    return _row(
        "first picture of a 100,000 px slide", ms, "openslide: open, read its smallest level", floors["open"], 300
    )


def _moving(app: App, floors: dict[str, float]) -> list[Row]:
    """300 random moves with tiles on their way, then the same, turned by 30 degrees; then both images in one place."""
    made = []
    blank = 0
    for name, rotation, mode in (
        ("", 0.0, CompareMode.SIDE_BY_SIDE),
        (", turned by 30 degrees", 30.0, CompareMode.SIDE_BY_SIDE),
        (", H&E blended over the IHC", 0.0, CompareMode.BLEND),
    ):
        app.compare.choose(mode)
        views = [view for view in _views(app) if view.isVisible()]
        views[-1].go(Viewpoint(50_000, 40_000, 8.0, rotation))
        _rest(0.5)
        times: list[float] = []
        own: list[float] = []
        for move in _moves(300, seed=7):
            started, busy = time.perf_counter(), time.thread_time()
            move(views[-1])
            for view in views:
                view.viewport().repaint()
            times.append(time.perf_counter() - started)
            own.append(time.thread_time() - busy)
            blank += _blank(views[-1])
            _rest(max(_FRAME_S - times[-1], 0.001))
        # Processor time is what is left of it when nothing else wants the processor.
        for what, measured in (("", times), (", processor time", own)):
            p95 = float(np.percentile(measured, 95)) * 1e3
            figure = f"pan and zoom, p95 of a frame{name}{what}"
            made.append(_row(figure, p95, "two smooth pictures by QPainter", floors["draw"], 33))
    app.compare.choose(CompareMode.SIDE_BY_SIDE)
    made.append(Row("pan and zoom, blank frames of 900", blank, "frames", "-", 0, 0, "0", blank == 0))
    return made


def _moves(count: int, seed: int) -> list[Callable[[TissueView], None]]:
    rng = np.random.default_rng(seed)
    made: list[Callable[[TissueView], None]] = []
    for _ in range(count):
        if rng.random() < 0.7:
            dx, dy = rng.uniform(-150, 150, 2)
            made.append(lambda view, dx=dx, dy=dy: view.move_by(dx, dy))
        elif rng.random() < 0.9:
            factor = float(2 ** rng.uniform(-0.7, 0.75))
            made.append(lambda view, factor=factor: view.zoom_at(factor))
        else:
            x, y, px = *rng.uniform(0.2, 0.8, 2) * SIZE, float(2 ** rng.uniform(-1, 5))
            made.append(
                lambda view, x=x, y=y, px=px: view.go(replace(view.viewpoint or Viewpoint(0, 0, 1), x=x, y=y, px=px))
            )
    return made


def _blank(view: TissueView) -> bool:
    """Whether surround shows inside the image: looked for along two lines across the viewport."""
    seen = view._tissue
    width, height = seen.width(), seen.height()
    for i in range(40):
        for column, row in ((i * width // 40, height // 2), (width // 2, i * height // 40)):
            ratio = view.devicePixelRatioF()
            x, y = view.transform().inverted()[0].map(column / ratio, row / ratio)
            margin = (view.viewpoint.px if view.viewpoint else 1) * 2
            inside = margin < x < SIZE[0] - margin and margin < y < SIZE[1] - margin
            if inside and seen.pixelColor(column, row) == SURROUND:
                return True
    return False


def _stain_switch(app: App, what: str, floors: dict[str, float]) -> Row:
    """From the key to both panes in the other view, for what is on screen at 1:1."""
    views = _views(app)
    if what == "slides":
        views[0].go(Viewpoint(41_000, 33_000, 1.0))
    _until(lambda: len(app.store.state.stain_viewing.found) == 2)
    _settle(app)
    times = []
    for view in (StainView.HAEMATOXYLIN, StainView.SECOND, StainView.RESIDUAL) * 3:
        started = time.perf_counter()
        app.stain_views.show(view)
        _until(lambda view=view: all(one.mosaic.colouring.name[0] is view for one in views))  # type: ignore[index]
        for one in views:
            one.viewport().repaint()
        times.append(time.perf_counter() - started)
        app.stain_views.show(StainView.ORIGINAL)
        _settle(app)
    p95 = float(np.percentile(times, 95)) * 1e3
    return _row(
        f"stain view of both panes, {what}, p95", p95, "one logarithm of what is on screen", floors["logarithm"], 100
    )


def _overlay_on_a_slide(app: App, floors: dict[str, float]) -> Row:
    """A map over a field of 2048 px that fills both panes at 1:1."""
    values = np.linspace(-1, 2, 49, dtype=np.float32).reshape(7, 7)
    fields = {stain: FieldOfView(40_000, 32_000, 2048, 2048) for stain in Stain}
    attribution = Attribution(values, "2+", "layer4", "Grad-CAM", InputLayout(), fields)
    for view in _views(app):
        view.set_overlay(OverlayShown(attribution, attribution.peak), OverlayStyle())
    _views(app)[0].go(Viewpoint(41_000, 33_000, 1.0))
    _settle(app)
    row = _overlay(app, "on slides", floors, 16)
    for view in _views(app):
        view.set_overlay(None, OverlayStyle())
    return row


def _overlay(app: App, what: str, floors: dict[str, float], goal: float) -> Row:
    """Other opacities and thresholds, as by dragging the sliders: both panes drawn again."""
    views, times = _views(app), []
    for view in views:
        view.viewport().repaint()
    for i in range(120):
        style = OverlayStyle(0.2 + 0.005 * i, 0.1 + 0.004 * (i % 50), fade=bool(i % 2))
        started = time.perf_counter()
        for view in views:
            view.set_overlay_style(style)
            view.viewport().repaint()
        times.append(time.perf_counter() - started)
    p95 = float(np.percentile(times, 95)) * 1e3
    return _row(
        f"overlay change {what}, both panes, p95", p95, "colour and blend, OpenCV and QPainter", floors["overlay"], goal
    )


def _memory(app: App, idle: float) -> list[Row]:
    """Two slides open: above the idle app after 1,000 random moves, and what the last 800 of them added."""
    views = _views(app)
    after = {}
    for number, move in enumerate(_moves(1000, seed=3), start=1):
        move(views[0])
        for view in views:
            view.viewport().repaint()
        _rest(0.01)
        if number in (200, 1000):
            _settle(app)
            _rest(1.1 * EVERY_MS / 1e3)  # what is free has been given back by then
            after[number] = _resident_mb()
    above, grown = after[1000] - idle, after[1000] - after[200]
    return [
        _row("memory with two 100,000 px slides, 1,000 moves", above, "the idle app", idle, 500, "MB"),
        _row("memory grown over the last 800 moves", grown, "after 200 moves", after[200], 50, "MB"),
    ]


def _demo(app: App, floors: dict[str, float]) -> list[Row]:
    """The demo pair: overlay, stain view, and the window's longest silence while it scores and is moved about."""
    pair = demo_pair()
    assert pair is not None
    app.images.open({Stain.HE: pair[0], Stain.IHC: pair[1]})
    _until(lambda: app.store.state.pair is not None and app.store.state.pair[0].source.path == pair[0])
    app.scoring.score()
    _until(lambda: app.store.state.drawn.attribution is not None)
    app.window.fit()
    _settle(app)
    overlay = _overlay(app, "at 1024 px", floors, 8)
    switch = _stain_switch(app, "1024 px", floors)
    quiet = _silences(app, lambda: _rest(3.0))
    # Made beforehand: the window must not be charged for it.
    moves = itertools.cycle(_moves(1000, seed=1))
    scoring = _silences(app, lambda: [_score(app, moves) for _ in range(12)])
    return [
        overlay,
        switch,
        _row(
            "window's silence while scoring, p99",
            float(np.percentile(scoring, 99)),
            "not scoring",
            float(np.percentile(quiet, 99)),
            100,
        ),
        _row("window's silence while scoring, worst", max(scoring), "not scoring", max(quiet), 250),
    ]


def _score(app: App, moves: Iterator[Callable[[TissueView], None]]) -> None:
    app.scoring.score()
    while app.store.state.scoring.phase is not ScorePhase.SCORED:
        move = next(moves)
        view = _views(app)[0]
        if view.viewpoint is not None and view.viewpoint.px > 0.2:
            move(view)
        _rest(0.01)
    app.window.fit()


def _silences(app: App, work: Callable[[], object]) -> list[float]:
    """Milliseconds between the ticks of a timer of 5 ms while something goes on, less those 5."""
    ticks = [time.perf_counter()]
    timer = QTimer(app.window)
    timer.setInterval(5)
    timer.timeout.connect(lambda: ticks.append(time.perf_counter()))
    timer.start()
    work()
    timer.stop()
    return [max(gap * 1e3 - 5, 0.0) for gap in np.diff(ticks)]


def _views(app: App) -> list[TissueView]:
    return [app.window.panes[stain].view for stain in Stain]


def _settle(app: App) -> None:
    for view in _views(app):
        view.viewport().repaint()
        _until(lambda view=view: view.mosaic.settled)
    _rest(0.1)
    for view in _views(app):
        view.viewport().repaint()


def _until(so: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.perf_counter() + seconds
    while not so():
        if time.perf_counter() > deadline:
            raise TimeoutError
        QApplication.processEvents()
        time.sleep(0.0005)


def _rest(seconds: float) -> None:
    deadline = time.perf_counter() + seconds
    while time.perf_counter() < deadline:
        QApplication.processEvents()
        time.sleep(0.0005)


def _resident_mb() -> float:
    """What the process holds in memory, by Linux's account."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("no VmRSS")


def _row(figure: str, value: float, other: str, other_value: float, goal: float, unit: str = "ms") -> Row:
    ratio = value / other_value if other_value else 0.0
    return Row(
        figure,
        round(value, 1),
        unit,
        other,
        round(other_value, 1),
        round(ratio, 2),
        f"<= {goal:g} {unit}",
        bool(value <= goal),
    )
