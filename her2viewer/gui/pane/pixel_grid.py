"""How a picture falls on the pixels of the screen."""

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QImage, QPainter, QTransform


def is_right_angled(transform: QTransform) -> bool:
    """Whether rows and columns of a picture stay rows and columns of the screen, or change places."""
    straight = abs(transform.m12()) + abs(transform.m21())
    crossed = abs(transform.m11()) + abs(transform.m22())
    return min(straight, crossed) < 1e-9


def scale_of(transform: QTransform) -> float:
    """How many times longer a length becomes, the geometric mean of all directions."""
    return float(abs(transform.determinant()) ** 0.5)


def on_whole_pixels(transform: QTransform) -> QTransform:
    """The nearest transform of whole numbers: each pixel of a picture at 1:1 falls on one of the screen."""
    parts = (transform.m11(), transform.m12(), transform.m21(), transform.m22(), transform.dx(), transform.dy())
    return QTransform(*(float(round(part)) for part in parts))


def draw(painter: QPainter, image: QImage, device: QTransform, viewport: QRectF, *, smooth: bool) -> None:
    """Draws an image where `device` takes its pixels, in device pixels of the painter, inside `viewport`.

    viewport: in the painter's own coordinates; smooth: whether to go between the image's pixels.
    """
    own = painter.worldTransform().inverted()[0] * painter.deviceTransform()
    painter.save()
    painter.setClipRect(viewport, Qt.ClipOperation.IntersectClip)
    painter.setWorldTransform(device * own.inverted()[0])
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.drawImage(QPointF(0, 0), image)
    painter.restore()
