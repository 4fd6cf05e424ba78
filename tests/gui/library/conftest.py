"""Windows one after the other on the same settings and library."""

from ..readings.conftest import folder, open_app

__all__ = ["folder", "open_app"]
