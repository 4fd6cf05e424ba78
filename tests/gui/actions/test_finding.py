import pytest

from her2viewer.gui.actions.finding import matches
from her2viewer.gui.actions.ids import ActionId
from her2viewer.gui.actions.specs import SPECS


@pytest.mark.parametrize(
    ("typed", "action"),
    [
        ("heatmap", ActionId.OVERLAY),
        ("gpu", ActionId.PREFERENCES),
        ("save figure", ActionId.EXPORT),
        ("folder", ActionId.BATCH),
        ("wrong side", ActionId.SWAP),
        ("magnif", ActionId.ZOOM_IN),
        ("her2", ActionId.SCORE),
        ("model card", ActionId.MODEL_CARD),
        ("excel", ActionId.BATCH),
    ],
)
def test_commands_are_found_by_the_words_of_a_pathologist(typed: str, action: ActionId) -> None:
    assert action in [spec.id for spec in SPECS if matches(spec, typed)]
