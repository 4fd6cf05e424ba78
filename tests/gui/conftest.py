"""A real window on an unseen screen, with small generated pictures and a scorer that knows nothing but is quick."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from unittest.mock import MagicMock

import cv2
import numpy as np
import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from her2viewer.errors import Cancelled, UserError
from her2viewer.gui.app import App
from her2viewer.gui.garbage import GarbageCollection, collect_due
from her2viewer.gui.settings import Settings
from her2viewer.gui.state import DrawnMap, Model, ModelFacts, ModelPhase, OpenedImage, ScorePhase, Scoring, Slot, State
from her2viewer.scoring.attribution.attribution import Attribution
from her2viewer.scoring.evidence import Evidence, FieldPixels
from her2viewer.scoring.methods import METHODS, MapRequest
from her2viewer.scoring.package import Calibration, Conformal, ModelManifest, ModelPackage, Training, Weights
from her2viewer.scoring.prediction import ModelIdentity, Prediction
from her2viewer.scoring.preprocess import InputLayout, compose
from her2viewer.scoring.stains import Stain
from her2viewer.scoring.trust.findings import (
    Curves,
    MembraneShare,
    Perturbation,
    Randomised,
    Stability,
    TrustReport,
    TurnedMap,
)
from her2viewer.scoring.trust.verdict import judge, thresholds
from her2viewer.scoring.watching import never, unwatched

from .guide import Photograph, photograph

CLASSES = ("0", "1+", "2+", "3+")
GRIDS = {"layer1": 56, "layer2": 28, "layer3": 14, "layer4": 7, "fused": 56, "input": 14}


def tissue(seed: int, size: tuple[int, int] = (256, 256), stain: Stain = Stain.HE) -> np.ndarray:
    """(h, w, 3) uint8: blobs of the stain's colour on near white."""
    rng = np.random.default_rng(seed)
    amount = cv2.resize(rng.random((9, 9)).astype(np.float32), size, interpolation=cv2.INTER_CUBIC)[..., None]
    density = {Stain.HE: (0.3, 0.6, 0.3), Stain.IHC: (0.25, 0.35, 0.5)}[stain]
    image = 240 * 10 ** (-np.clip(amount, 0, 1) * np.array(density))
    return np.clip(image + rng.normal(0, 2, image.shape), 0, 255).astype(np.uint8)


def write(path: Path, image: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(path.suffix, image[..., ::-1])[1].tobytes())
    return path


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """(H&E, IHC), 256 x 256, in BCI's layout."""
    he = write(tmp_path / "data" / "HE" / "train" / "00001_train_2+.png", tissue(1))
    ihc = write(tmp_path / "data" / "IHC" / "train" / "00001_train_2+.png", tissue(2, stain=Stain.IHC))
    return he, ihc


@pytest.fixture
def other_pair(tmp_path: Path) -> tuple[Path, Path]:
    """Another pair, of unlike sizes."""
    he = write(tmp_path / "data" / "HE" / "train" / "00002_train_0.png", tissue(3, (320, 240)))
    ihc = write(tmp_path / "data" / "IHC" / "train" / "00002_train_0.png", tissue(4, (480, 360), Stain.IHC))
    return he, ihc


@dataclass
class FakeScorer:
    """Implements FieldScorer: maps are a ramp per class, the score depends on the field's mean. `gate` holds it up."""

    gate: threading.Event = field(default_factory=threading.Event)
    started: threading.Event = field(default_factory=threading.Event)
    scored: int = 0
    questioned: int = 0
    passes: int = 0
    fail: Exception | None = None
    notices: tuple[str, ...] = ()
    device_title: str = "CPU"

    def __post_init__(self) -> None:
        self.gate.set()

    def score(self, field: FieldPixels) -> Evidence:
        self.started.set()
        assert self.gate.wait(30)
        self.scored += 1
        if self.fail is not None:
            raise self.fail
        layout = InputLayout(optional=(Stain.HE,))
        index = int(field.pixels.get(Stain.HE, field.pixels[Stain.IHC]).astype(np.uint64).sum()) % 4
        probabilities = np.full(4, 0.1)
        probabilities[index] = 0.7
        ramp = np.linspace(-1, 2, 49, dtype=np.float32).reshape(7, 7)
        maps = np.stack([np.full((7, 7), -1, np.float32), ramp, ramp.T, ramp[::-1]]).astype(np.float32)
        prediction = Prediction(
            CLASSES[index],
            CLASSES,
            tuple(float(p) for p in probabilities),
            (CLASSES[index],),
            None,
            (),
            ModelIdentity("fake", "1", "0" * 64),
            self.device_title,
            "fp32",
            0.02,
            MappingProxyType(dict(field.fields)),
        )
        return Evidence(prediction, compose(field.pixels, layout), maps, layout)

    def score_batch(self, fields: Sequence[FieldPixels]) -> list[Evidence]:
        return [self.score(one) for one in fields]

    def probabilities(self, inputs: Sequence[np.ndarray]) -> np.ndarray:
        """The darker the IHC's half, the higher the class."""
        assert self.gate.wait(30)
        self.passes += 1
        dark = np.array([255 - one[:, : one.shape[1] // 2].mean() for one in inputs])
        distance = np.abs(dark[:, None] - np.array([30.0, 60.0, 90.0, 120.0]))
        weights = np.exp(-distance / 10)
        return weights / weights.sum(axis=1, keepdims=True)

    def attribution(
        self,
        evidence: Evidence,
        request: MapRequest,
        *,
        cancelled: Callable[[], bool] = never,
        progress: Callable[[int, int], None] = unwatched,
    ) -> Attribution:
        self.started.set()
        if METHODS[request.method].slow:
            progress(1, 4)
        while not self.gate.wait(0.01):
            if cancelled():
                raise Cancelled
        at_hand = evidence.at_hand(request)
        if at_hand is not None:
            return at_hand
        side = GRIDS[request.stage]
        values = np.random.default_rng(side).normal(size=(side, side)).astype(np.float32)
        fields = evidence.prediction.fields
        return Attribution(
            values, request.target, request.stage, request.method, evidence.layout, fields, against=request.against
        )

    def trust(
        self,
        evidence: Evidence,
        attribution: Attribution,
        *,
        pixels: FieldPixels | None = None,
        mpp: float | None = None,
        seed: int = 0,
        cancelled: Callable[[], bool] = never,
    ) -> TrustReport:
        self.questioned += 1
        while not self.gate.wait(0.01):
            if cancelled():
                raise Cancelled
        return fake_report(attribution, pixels, mpp)

    def fixed_peak(self, request: MapRequest) -> float | None:
        return request.fixed_peak({"layer4": 3.0})


def fake_report(attribution: Attribution, pixels: FieldPixels | None, mpp: float | None = None) -> TrustReport:
    """What would be measured of a map that finds the evidence early; its words are the real ones."""
    share = np.array([0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0])
    random = tuple(Curves(share, 0.8 - 0.7 * share**k, 0.1 + 0.7 * share**k) for k in (0.8, 0.9, 1.1, 1.2))
    of_map = Curves(share, 0.8 - 0.7 * share**0.3, 0.1 + 0.7 * share**0.3)
    perturbation = Perturbation(of_map, random, Curves(share, 0.8 - 0.7 * share**0.7, 0.1 + 0.7 * share**0.7), {})
    stability = Stability((TurnedMap("left to right", 0.9, 0.88, 0.02), TurnedMap("upside down", 0.9, 0.86, 0.03)))
    untrained = replace(attribution, values=-attribution.values)
    randomised = Randomised(untrained, (-0.3, 0.1, 0.1), (-0.4, 0.1, 0.1))
    membrane = MembraneShare(0.41, (0.2, 0.22, 0.27), 0.3, 0.21, True, 0.1, mpp or 0.5) if pixels is not None else None
    verdict, headline, reasons = judge(attribution, perturbation, membrane, stability, randomised)
    return TrustReport(
        attribution,
        verdict,
        headline,
        reasons,
        perturbation,
        membrane,
        stability,
        randomised,
        thresholds(perturbation),
        seed=0,
        seconds=1.0,
    )


def fake_package(tmp_path: Path) -> ModelPackage:
    folder = tmp_path / "fake-model"
    folder.mkdir(exist_ok=True)
    (folder / "MODEL_CARD.md").write_text("# Fake\n\nKnows nothing.\n", encoding="utf-8")
    manifest = ModelManifest(
        name="fake",
        version="1",
        description="Knows nothing.",
        created="2026-01-01",
        input=InputLayout(),
        weights=Weights(sha256="0" * 64, dtype="float32"),
        calibration=Calibration(conformal=Conformal(level=0.9, quantile=0.6, fields=100)),
        fixed_peaks={"layer4": 3.0},
        training=Training(data="none", split="none", start="none"),
    )
    return ModelPackage(folder, manifest)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = Settings(tmp_path / "settings.ini")
    made.demo_at_start = False
    made.register_on_open = False
    made.membranes_after_score = False
    return made


@pytest.fixture
def scorer() -> Iterator[FakeScorer]:
    made = FakeScorer()
    yield made
    made.gate.set()


@pytest.fixture(scope="session", autouse=True)
def garbage_of_the_windows_thread(qapp: QApplication) -> None:
    """As in the app: no worker of a test comes to destroy a widget of another."""
    GarbageCollection(qapp)


@pytest.fixture(autouse=True)
def nothing_leaks(qapp: QApplication) -> Iterator[None]:
    """No thread and no window outlives its test."""
    threads = set(threading.enumerate())
    yield
    for widget in QApplication.topLevelWidgets():
        widget.close()
        widget.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    collect_due()
    left = [thread for thread in threading.enumerate() if thread not in threads and not thread.daemon]
    for thread in left:
        thread.join(5)
    assert [thread.name for thread in left if thread.is_alive()] == []
    assert visible_windows() == []


def visible_windows() -> list[QWidget]:
    return [widget for widget in QApplication.topLevelWidgets() if widget.isVisible()]


class PatientBot(QtBot):
    """Waits longer than pytest-qt does by itself: the machine may be busy with something else."""

    def waitUntil(self, callback: Callable[[], bool | None], *, timeout: int = 30_000) -> None:
        super().waitUntil(callback, timeout=timeout)


@pytest.fixture
def qtbot(qapp: QApplication, request: pytest.FixtureRequest) -> QtBot:
    return PatientBot(request)


@pytest.fixture
def guide_picture(pytestconfig: pytest.Config) -> Photograph:
    """Takes pictures for the user guide; `pytest --guide` keeps them."""
    return partial(photograph, keep=pytestconfig.getoption("--guide"))


AppMaker = Callable[[], App]


@pytest.fixture
def make_app(
    qtbot: QtBot, qapp: QApplication, settings: Settings, scorer: FakeScorer, tmp_path: Path
) -> Iterator[AppMaker]:
    """Makes started apps, each with a window of 1280 x 800; closes them afterwards."""
    made: list[App] = []

    def make() -> App:
        app = App(qapp, settings, loader=lambda _wish: (scorer, fake_package(tmp_path)))
        app.window.resize(1280, 800)
        app.start()
        made.append(app)
        return app

    yield make
    scorer.gate.set()
    for app in made:
        app.window.close()


@pytest.fixture
def app(make_app: AppMaker, qtbot: QtBot) -> App:
    """A started app whose model is loaded."""
    made = make_app()
    qtbot.waitUntil(lambda: made.store.state.model.phase is ModelPhase.READY)
    return made


def opened(app: App, qtbot: QtBot, pair: tuple[Path, Path]) -> None:
    """Opens a pair and waits until it stands."""
    app.images.open({Stain.HE: pair[0], Stain.IHC: pair[1]})
    qtbot.waitUntil(lambda: tuple(image.source.path for image in app.store.state.pair or ()) == pair)
    qtbot.waitUntil(lambda: not app.lanes.files.busy)


@pytest.fixture
def scored_app(app: App, qtbot: QtBot, pair: tuple[Path, Path]) -> App:
    """An app with a scored pair."""
    opened(app, qtbot, pair)
    app.scoring.score()
    qtbot.waitUntil(lambda: app.store.state.scoring.phase is ScorePhase.SCORED)
    qtbot.waitUntil(lambda: app.store.state.drawn.attribution is not None)
    return app


def opened_alone(app: App, qtbot: QtBot, ihc: Path) -> None:
    """Opens an IHC image without an H&E, and scores it."""
    app.images.open({Stain.IHC: ihc})
    qtbot.waitUntil(lambda: app.store.state.scorable is not None)
    app.scoring.score()
    qtbot.waitUntil(lambda: app.store.state.scoring.phase is ScorePhase.SCORED)


FACTS = ModelFacts(
    ModelIdentity("fake", "1", "0" * 64),
    ("0", "1+", "2+", "3+"),
    "CPU",
    "fp32",
    0.9,
    MappingProxyType({"layer4": 3.0}),
    (),
    "# Card",
)


@pytest.fixture
def scored() -> State:
    """What is so once a pair is scored, without a window."""
    evidence = FakeScorer().score(FieldPixels.whole(tissue(1), tissue(2, stain=Stain.IHC)))
    source = MagicMock(size=(256, 256), path=Path("he.png"), format="PNG", notes=("16-bit, scaled to 8 bit",), mpp=None)
    image = OpenedImage(source, np.zeros((2, 2, 3), np.uint8))
    state = State(
        model=Model(ModelPhase.READY, FACTS),
        scoring=Scoring(ScorePhase.SCORED, evidence),
        drawn=DrawnMap(evidence.attribution("2+")),
    )
    return state.with_slots({stain: Slot(image) for stain in Stain})


def user_error(text: str = "it cannot be done") -> UserError:
    return UserError(text, remedy="do something else")
