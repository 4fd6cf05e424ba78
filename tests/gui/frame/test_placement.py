"""Where a window may stand."""

import pytest
from PySide6.QtCore import QRect

from her2viewer.gui.frame.placement import reachable

ONE = QRect(0, 0, 1920, 1080)
TWO = QRect(1920, 0, 2560, 1440)


@pytest.mark.parametrize(
    "window",
    [QRect(100, 100, 1440, 900), QRect(2000, 100, 1440, 900), QRect(1800, 40, 1440, 900), QRect(-1200, 10, 1440, 900)],
)
def test_what_can_be_grasped_stays(window: QRect) -> None:
    assert reachable(window, [ONE, TWO]) == window


@pytest.mark.parametrize(
    "window", [QRect(2000, 100, 1440, 900), QRect(100, -500, 1440, 900), QRect(-1430, 0, 1440, 900)]
)
def test_what_stood_on_a_screen_that_is_gone_comes_home(window: QRect) -> None:
    moved = reachable(window, [ONE])
    assert ONE.contains(moved) and moved.size() == window.size()


def test_a_window_of_a_larger_screen_is_made_to_fit() -> None:
    assert reachable(QRect(2000, 0, 2500, 1400), [ONE]) == ONE
