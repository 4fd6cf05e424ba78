"""The words about link, alignment and landmarks."""

from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from her2viewer.errors import UserError
from her2viewer.gui.lanes import Progress
from her2viewer.gui.registration.landmarks import Landmarks
from her2viewer.gui.registration.resolve import distance_words, is_unlikely_field, resolve_landmarks, resolve_link
from her2viewer.gui.resolve.doing import resolve_doing
from her2viewer.gui.state import OpenedImage, Slot, State
from her2viewer.imaging.affine import Affine
from her2viewer.imaging.alignment import Alignment
from her2viewer.scoring.stains import Stain


@dataclass(frozen=True)
class Scale:
    um: float


def image(mpp: float | None) -> OpenedImage:
    source: Any = SimpleNamespace(
        size=(100, 100),
        mpp=Scale(mpp) if mpp is not None else None,
        notes=(),
        path=Path("a.png"),
        format="PNG",
    )
    return OpenedImage(source, source)


def state(mpp: float | None = None, **registration: object) -> State:
    opened = State().with_slots({stain: Slot(image(mpp)) for stain in Stain})
    return replace(opened, registration=replace(opened.registration, **registration))


def alignment(origin: Any, **facts: Any) -> Alignment:
    return Alignment(Affine(), origin=origin, **facts)


@pytest.mark.parametrize(
    ("lies", "words"),
    [
        (alignment("assumed"), "Linked"),
        (alignment("automatic", error_px=3.04, error_um=1.4), "Linked, registered, 1.4 µm"),
        (alignment("automatic", error_px=12.3), "Linked, registered, 12 px"),
        (alignment("landmarks"), "Linked by landmarks"),
        (alignment("landmarks", error_px=40.0, poor=True), "Linked by landmarks, 40 px (poor)"),
        (alignment("by hand"), "Linked by hand"),
    ],
)
def test_the_link_says_who_aligned_it_and_how_well(lies: Alignment, words: str) -> None:
    shown = resolve_link(state(alignment=lies))
    assert shown.text == words
    assert shown.more == f"{lies.words}."
    unlinked = resolve_link(replace(state(alignment=lies), linked=False)).text
    assert unlinked.startswith("Unlinked") and "px" not in unlinked


@pytest.mark.parametrize(
    ("he", "ihc", "unlikely"),
    [
        (((100, 100), None), ((100, 100), None), False),
        (((320, 240), None), ((480, 360), None), False),  # one shape: another scan of one field
        (((320, 240), None), ((480, 480), None), True),
        (((1000, 800), 0.5), ((2000, 1600), 0.25), False),
        (((1000, 800), 0.5), ((1000, 800), 0.25), True),  # one size in pixels, but not of tissue
    ],
)
def test_images_of_unlike_tissue_are_no_one_field(he: Any, ihc: Any, unlikely: bool) -> None:
    images = {}
    for stain, (size, mpp) in ((Stain.HE, he), (Stain.IHC, ihc)):
        images[stain] = image(mpp)
        images[stain].source.size = size  # type: ignore[misc]
    opened = State().with_slots({stain: Slot(one) for stain, one in images.items()})
    assert is_unlikely_field(opened) is unlikely
    known = replace(opened.registration, alignment=alignment("by hand"))
    assert not is_unlikely_field(replace(opened, registration=known)), "somebody has said how they lie"
    assert not is_unlikely_field(State())


def test_without_a_pair_there_is_no_link_to_speak_of() -> None:
    assert resolve_link(State()).text == ""


def test_a_registration_under_way_is_said_with_how_to_stop_it() -> None:
    busy = state(progress=Progress(20, 100, "Registering"))
    assert resolve_link(busy).text == "Registering" and "Esc" in resolve_link(busy).more
    doing = resolve_doing(busy)
    assert doing.text == "Registering" and doing.fraction == 0.2 and doing.can_cancel


def test_distances_are_in_micrometres_where_they_are_known() -> None:
    assert distance_words(4.0, 0.25) == "1.0 µm"
    assert distance_words(4.0, None) == "4.0 px"


def marks(*pairs: tuple[tuple[float, float], tuple[float, float] | None]) -> Landmarks:
    made = Landmarks()
    for he, ihc in pairs:
        made = made.placed(Stain.HE, he)
        made = made.placed(Stain.IHC, ihc) if ihc is not None else made
    return made


FOUR = marks(((0, 0), (0, 0)), ((90, 0), (90, 0)), ((0, 90), (0, 90)), ((90, 90), (93, 94)))


def test_residuals_stand_beside_their_landmarks() -> None:
    lies = alignment("landmarks", error_px=2.5)
    shown = resolve_landmarks(state(0.5, landmarks=FOUR, alignment=lies, setting=True))
    assert [words for _, words in shown.marks] == ["0.0 µm", "0.0 µm", "0.0 µm", "2.5 µm"]
    assert shown.verdict == "4 landmarks, affine, 2.5 px off"
    assert shown.can_bend and not shown.trouble
    poor = resolve_landmarks(state(landmarks=FOUR, alignment=replace(lies, poor=True), setting=True))
    assert poor.trouble and "do not fit together" in poor.verdict


def test_what_fits_exactly_shows_no_error() -> None:
    three = replace(FOUR, marks=FOUR.marks[:3])
    shown = resolve_landmarks(state(0.5, landmarks=three, alignment=alignment("landmarks"), setting=True))
    assert [words for _, words in shown.marks] == ["", "", ""]
    assert "a fourth one shows" in shown.verdict and not shown.can_bend


def test_a_registration_is_judged_by_landmarks_it_was_not_made_from() -> None:
    one = marks(((10, 10), (13, 14)))
    shown = resolve_landmarks(state(landmarks=one, alignment=alignment("automatic"), setting=True))
    assert shown.marks == (("1", "5.0 px"),)
    assert resolve_landmarks(state(landmarks=one, setting=True)).marks == (("1", ""),)


def test_what_is_missing_is_asked_for() -> None:
    open_one = marks(((0, 0), (0, 0)), ((5, 5), None))
    shown = resolve_landmarks(state(landmarks=open_one, setting=True))
    assert shown.prompt == "Now click the same spot in the IHC HER2 image"
    assert shown.marks[1] == ("2", "click it in the IHC HER2")
    assert shown.verdict == "1 more landmark to align the images"


def test_landmarks_that_cannot_be_used_are_trouble() -> None:
    error = UserError("two landmarks are on one place", remedy="drag one away")
    shown = resolve_landmarks(state(landmarks=FOUR, error=error, setting=True))
    assert shown.trouble and shown.verdict == "Two landmarks are on one place; drag one away."
