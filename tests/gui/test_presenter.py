from unittest.mock import MagicMock

from PySide6.QtCore import QCoreApplication

from her2viewer.export.overlay import OverlayStyle
from her2viewer.gui.actions.actions import Actions
from her2viewer.gui.pane.pane import ImagePane
from her2viewer.gui.panels.explain import ExplainPanel
from her2viewer.gui.panels.score import ScorePanel
from her2viewer.gui.presenter import Presenter
from her2viewer.gui.state import State
from her2viewer.gui.status_line import StatusLine
from her2viewer.gui.store import Store
from her2viewer.scoring.stains import Stain


def test_a_change_of_style_pushes_a_style_and_no_map(qapp: QCoreApplication, scored: State) -> None:
    panes = {stain: MagicMock(spec=ImagePane) for stain in Stain}
    score, explain = MagicMock(spec=ScorePanel), MagicMock(spec=ExplainPanel)
    store = Store(scored)
    Presenter(store, panes, score, explain, MagicMock(spec=StatusLine), MagicMock(spec=Actions))
    for view in (*panes.values(), score, explain):
        view.reset_mock()
    store.change(style=OverlayStyle(opacity=0.1))
    for pane in panes.values():
        assert [call[0] for call in pane.method_calls] == ["set_overlay_style"]
    assert score.method_calls == []
    assert [call[0] for call in explain.method_calls] == ["show_explain"]
    store.change(overlay_held_away=True)
    panes[Stain.HE].set_overlay_visible.assert_called_once_with(False)
