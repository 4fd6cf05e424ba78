"""HER2 Viewer: H&E and HER2 IHC side by side, with a field-level score that can be questioned."""

__version__ = "0.1.0"

RESEARCH_USE = "For Research Use Only. Not for use in diagnostic procedures."
