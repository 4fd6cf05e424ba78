from her2viewer.gui.actions.ids import ActionId
from her2viewer.gui.actions.specs import SPECS, key_words
from her2viewer.gui.presenter import enabled_actions
from her2viewer.gui.state import State


def test_actions_are_declared_once_and_whole() -> None:
    assert sorted(spec.id for spec in SPECS) == sorted(ActionId)
    keys = [key for spec in SPECS for key in spec.keys]
    assert len(keys) == len(set(keys)), "two actions share a key"
    # The arrows page through cases, and Space is held to look beneath the map.
    assert not set(keys) & {"Left", "Right", "Space"}
    assert all(spec.tip and spec.icon for spec in SPECS)
    assert all(action in {spec.id for spec in SPECS} for action in enabled_actions(State()))
    assert key_words(next(spec for spec in SPECS if spec.id is ActionId.FIT)) == "F or Ctrl+0"
