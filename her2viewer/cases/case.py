"""The two images of a case, opened together."""

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType
from typing import Self

from her2viewer.errors import ImageError, PairError
from her2viewer.imaging.identity import same_picture
from her2viewer.imaging.opening import open_image
from her2viewer.imaging.source import ImageSource, RGBImage
from her2viewer.scoring.evidence import FieldPixels
from her2viewer.scoring.prediction import FieldOfView
from her2viewer.scoring.stains import Stain


class OpenedPair:
    """Two open image sources of the same tissue, or the IHC's alone. A context manager: leaving it closes what there is."""

    def __init__(self, he: ImageSource | None, ihc: ImageSource) -> None:
        both = {Stain.HE: he, Stain.IHC: ihc}
        self._sources = MappingProxyType({stain: source for stain, source in both.items() if source is not None})

    @property
    def he(self) -> ImageSource:
        """Raises KeyError where the IHC is alone."""
        return self._sources[Stain.HE]

    @property
    def ihc(self) -> ImageSource:
        return self._sources[Stain.IHC]

    @property
    def sources(self) -> Mapping[Stain, ImageSource]:
        """Of the stains that there are."""
        return self._sources

    def source(self, stain: Stain) -> ImageSource:
        return self._sources[stain]

    def read(self) -> FieldPixels:
        """The whole images at level 0. Raises ImageError where they do not fit into memory."""
        fields = {stain: FieldOfView.whole(source.size) for stain, source in self._sources.items()}
        return FieldPixels({stain: _whole(source) for stain, source in self._sources.items()}, fields)

    def close(self) -> None:
        """Closes them; harmless where they are closed already."""
        for source in self._sources.values():
            source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def open_pair(he: Path | str | None, ihc: Path | str) -> OpenedPair:
    """Opens and decodes both images at the same time, or the IHC alone.

    Raises ImageError for what is wrong with a file (the H&E's first), PairError where both are one picture. Nothing is
    left open then.
    """
    if he is None:
        return OpenedPair(None, open_image(ihc))
    he, ihc = Path(he), Path(ihc)
    if _is_same_file(he, ihc):
        raise PairError(
            "the same file was given for H&E and IHC", path=ihc, remedy="choose the IHC image of this tissue"
        )
    with ThreadPoolExecutor(max_workers=2, thread_name_prefix="open") as pool:
        opening = [pool.submit(open_image, path) for path in (he, ihc)]
    failed = [error for error in (future.exception() for future in opening) if error is not None]
    if failed:
        _close_opened(opening)
        raise failed[0]
    pair = OpenedPair(*(future.result() for future in opening))
    if same_picture(pair.he, pair.ihc):
        pair.close()
        raise PairError(
            f"it is the same picture as {he.name}, given for H&E",
            path=ihc,
            remedy="choose the IHC image of this tissue",
        )
    return pair


def _close_opened(opening: list[Future[ImageSource]]) -> None:
    for future in opening:
        if future.exception() is None:
            future.result().close()


def _is_same_file(he: Path, ihc: Path) -> bool:
    try:
        return he.samefile(ihc)
    except (OSError, ValueError):  # missing or unreadable: opening it says so
        return False


def _whole(source: ImageSource) -> RGBImage:
    width, height = source.size
    try:
        return source.read(0, 0, 0, width, height)
    except MemoryError as error:
        raise ImageError(
            "there is not enough memory to read it", path=source.path, remedy="close other programs"
        ) from error
