from dataclasses import replace

from her2viewer.gui.lanes import Progress
from her2viewer.gui.resolve.doing import resolve_doing
from her2viewer.gui.state import DrawnMap, State


def test_a_slow_map_says_how_far_it_is(scored: State) -> None:
    doing = resolve_doing(replace(scored, drawn=DrawnMap(pending=True, progress=Progress(1, 4))))
    assert (doing.text, doing.fraction, doing.can_cancel) == ("Computing the map", 0.25, True)
