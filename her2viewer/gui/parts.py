"""What the app is made of, for those who need many of its parts."""

from dataclasses import dataclass

from her2viewer.gui.batch.controller import BatchController
from her2viewer.gui.controllers.exporting import Exporting
from her2viewer.gui.controllers.images import Images, Opener
from her2viewer.gui.controllers.scoring import ScoringController
from her2viewer.gui.controllers.stain_views import StainViews
from her2viewer.gui.lanes import Lanes
from her2viewer.gui.settings import Settings
from her2viewer.gui.store import Store
from her2viewer.gui.theme import Theme
from her2viewer.gui.window import MainWindow


@dataclass(frozen=True, eq=False, slots=True)
class Parts:
    """Built once, by the composition root."""

    settings: Settings
    theme: Theme
    lanes: Lanes
    store: Store
    window: MainWindow
    opener: Opener
    images: Images
    scoring: ScoringController
    exporting: Exporting
    batch: BatchController
    stain_views: StainViews
