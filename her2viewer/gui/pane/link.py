"""Two panes that show the same place of the tissue.

What is copied from one to the other is the middle of the viewport and the pixel size, in units of each image's own field,
and how it is turned, so that images of unlike size and panes of unlike size still agree.
"""

from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal

from her2viewer.gui.pane.tissue_view import TissueView
from her2viewer.gui.pane.viewpoint import Viewpoint
from her2viewer.gui.state import OpenedImage
from her2viewer.scoring.prediction import FieldOfView


class Link(QObject):
    """Keeps views together while it is on. `looked`: any view was moved by the user, or followed one that was."""

    looked = Signal()

    def __init__(self, views: Sequence[TissueView], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._views = tuple(views)
        self._on = True
        for view in self._views:
            view.moved.connect(lambda viewpoint, view=view: self._follow(view, viewpoint))
            view.cursor_moved.connect(lambda position, view=view: self._point(view, position))

    def set_on(self, on: bool) -> None:
        """Turning it on, again too, brings every view to the place of the first that was zoomed into."""
        self._on = on
        leader = next((view for view in self._views if view.viewpoint is not None and not view.fits), None)
        if on and leader is not None and leader.viewpoint is not None:
            self._follow(leader, leader.viewpoint)
        for view in self._views:
            view.set_ghost(None)

    def _follow(self, leader: TissueView, viewpoint: Viewpoint) -> None:
        # `set_viewpoint` tells no one, so there is no echo to guard against.
        if self._on and leader.image is not None:
            for view in self._others(leader):
                assert view.image is not None
                view.set_viewpoint(counterpart(viewpoint, leader.image, view.image))
                if leader.fits:
                    view.fit()
        self.looked.emit()

    def _point(self, leader: TissueView, position: tuple[float, float] | None) -> None:
        if not self._on or leader.image is None:
            return
        for view in self._others(leader):
            assert view.image is not None
            view.set_ghost(corresponding(position, leader.image.source.size, view.image.source.size))

    def _others(self, leader: TissueView) -> list[TissueView]:
        return [view for view in self._views if view is not leader and view.image is not None]


def counterpart(viewpoint: Viewpoint, from_image: OpenedImage, to_image: OpenedImage) -> Viewpoint:
    """Where another image of the same field is looked at from, to see the same place in the same way."""
    relative = viewpoint.relative(FieldOfView.whole(from_image.source.size))
    return relative.absolute(FieldOfView.whole(to_image.source.size))


def corresponding(
    position: tuple[float, float] | None, size: tuple[int, int], other: tuple[int, int]
) -> tuple[float, float] | None:
    """The level-0 position in another image of the same field."""
    if position is None:
        return None
    return position[0] * other[0] / size[0], position[1] * other[1] / size[1]
