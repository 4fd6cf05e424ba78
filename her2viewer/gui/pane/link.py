"""Two panes that show the same place of the tissue.

What is carried from one to the other is the middle of the viewport, the pixel size, and how the tissue is turned, through the
alignment that is in force, so that images of unlike size and panes of unlike size still agree.
"""

from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal

from her2viewer.gui.pane.tissue_view import TissueView
from her2viewer.gui.pane.viewpoint import Viewpoint
from her2viewer.imaging.affine import Affine
from her2viewer.imaging.alignment import Alignment
from her2viewer.scoring.stains import Stain


class Link(QObject):
    """Keeps views together while it is on. `looked`: any view was moved by the user, or followed one that was."""

    looked = Signal()

    def __init__(self, views: Sequence[TissueView], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._views = tuple(views)
        self._on = True
        self._alignment: Alignment | None = None
        for view in self._views:
            view.moved.connect(lambda viewpoint, view=view: self._follow(view, viewpoint))
            view.cursor_moved.connect(lambda position, view=view: self._point(view, position))

    def set_on(self, on: bool) -> None:
        """Turning it on, again too, brings every view to the place of the first that was zoomed into."""
        self._on = on
        zoomed = next((view for view in self._views if view.viewpoint is not None and not view.fits), None)
        if on:
            self.gather(zoomed.stain if zoomed is not None else Stain.IHC)
        for view in self._views:
            view.set_ghost(None)

    def set_alignment(self, alignment: Alignment | None, leader: Stain = Stain.IHC) -> None:
        """How the images lie on each other from now on; where the link is on the others come to the leader's place."""
        self._alignment = alignment
        self.gather(leader)

    def gather(self, leader: Stain) -> None:
        """Brings every view to the place of one."""
        for view in self._views:
            if view.stain is leader and view.viewpoint is not None:
                self._follow(view, view.viewpoint)

    def _follow(self, leader: TissueView, viewpoint: Viewpoint) -> None:
        # `set_viewpoint` tells no one, so there is no echo to guard against.
        if self._on and leader.image is not None:
            for view in self._others(leader):
                view.set_viewpoint(counterpart(viewpoint, self._lies(leader, view, viewpoint.x, viewpoint.y)))
                if leader.fits and not self._registered:
                    view.fit()
        self.looked.emit()

    def _point(self, leader: TissueView, position: tuple[float, float] | None) -> None:
        if self._on and leader.image is not None:
            for view in self._others(leader):
                view.set_ghost(self._lies(leader, view, *position)(*position) if position is not None else None)

    @property
    def _registered(self) -> bool:
        return self._alignment is not None and self._alignment.origin != "assumed"

    def _lies(self, leader: TissueView, view: TissueView, x: float, y: float) -> Affine:
        """From level-0 px of the leader to those of another view, as it holds at (x, y) of the leader."""
        if self._alignment is not None:
            return onto(self._alignment, leader.stain, x, y)
        assert leader.image is not None and view.image is not None
        return Affine.between(leader.image.source.size, view.image.source.size)

    def _others(self, leader: TissueView) -> list[TissueView]:
        return [view for view in self._views if view is not leader and view.image is not None]


def onto(alignment: Alignment, stain: Stain, x: float, y: float) -> Affine:
    """From level-0 px of a stain's image to those of the other: the affine map that is exact at (x, y) of the first."""
    if stain is Stain.HE:
        return alignment.affine_at(x, y)
    ((he_x, he_y),) = alignment.to_he([(x, y)]).tolist()
    return alignment.affine_at(he_x, he_y).inverse()


def counterpart(viewpoint: Viewpoint, lies: Affine) -> Viewpoint:
    """Where another image is looked at from, to see the same place in the same way.

    lies: from level-0 px of this one to those of the other. A viewpoint has no shear: the middle is exact,
    scale and rotation are those of the nearest similarity.
    """
    x, y = lies(viewpoint.x, viewpoint.y)
    seen = lies.inverse().then(Affine.similarity(1 / viewpoint.px, viewpoint.rotation, mirrored=viewpoint.mirrored))
    # Rounded to a billionth of a degree: 30 turned there and back is 30.
    return Viewpoint(x, y, 1 / seen.scale, round(seen.rotation, 9) % 360, seen.mirrored)
