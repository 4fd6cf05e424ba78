from pathlib import Path
from unittest.mock import MagicMock

import numpy as np
from pytestqt.qtbot import QtBot

from her2viewer.gui.controllers.images import Images, resolve_opening
from her2viewer.gui.lanes import Lanes
from her2viewer.gui.messages import MessageBar
from her2viewer.gui.state import OpenedImage, State
from her2viewer.gui.store import Store
from her2viewer.imaging.opening import open_image
from her2viewer.scoring.stains import Stain

from ..conftest import user_error


def test_what_stands_is_kept_where_something_new_is_refused(scored: State) -> None:
    other = OpenedImage(MagicMock(), np.zeros((2, 2, 3), np.uint8))
    opening = resolve_opening(scored, {Stain.HE: other, Stain.IHC: user_error()})
    assert opening.state.pair == scored.pair
    assert opening.state.scoring is scored.scoring
    assert opening.superseded == (other.source,)
    assert len(opening.errors) == 1
    empty = resolve_opening(State(), {Stain.HE: other, Stain.IHC: user_error()})
    assert empty.state.image(Stain.HE) is other
    assert empty.state.slots[Stain.IHC].error is not None
    assert empty.errors == ()


def test_images_speak_to_a_messenger(qtbot: QtBot, tmp_path: Path) -> None:
    store, lanes, messenger = Store(), Lanes(), MagicMock(spec=MessageBar)
    images = Images(store, lanes.files, open_image, messenger)
    images.drop([tmp_path / "a", tmp_path / "b", tmp_path / "c"], Stain.HE)
    messenger.say_error.assert_called_once()
    images.open({Stain.HE: tmp_path / "nothing.png"})
    assert store.state.slots[Stain.HE].opening is not None
    qtbot.waitUntil(lambda: store.state.slots[Stain.HE].error is not None)
    assert lanes.close()
