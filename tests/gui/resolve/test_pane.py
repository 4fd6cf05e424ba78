from her2viewer.gui.resolve.pane import resolve_pane
from her2viewer.gui.state import State
from her2viewer.scoring.stains import Stain


def test_the_header_says_that_pixels_were_changed(scored: State) -> None:
    shown = resolve_pane(scored, Stain.HE)
    assert shown.info == "256 x 256 px, converted"
    assert "16-bit, scaled to 8 bit" in shown.more
