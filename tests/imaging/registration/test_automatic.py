import numpy as np
import pytest

from her2viewer.errors import Cancelled
from her2viewer.imaging.affine import Affine
from her2viewer.imaging.flat import FlatImage
from her2viewer.imaging.opening import open_image
from her2viewer.imaging.registration.automatic import bent, register
from her2viewer.imaging.source import PixelSize
from tests.benchmarks.registration import MovedPair, flat, moved_pair

SEED = 11


@pytest.fixture(scope="module")
def pair() -> MovedPair:
    return moved_pair(1, SEED)


@pytest.mark.parametrize("index", range(6))
def test_finds_where_a_phantom_was_moved_to(index: int) -> None:
    moved = moved_pair(index, SEED)
    alignment = register(flat(moved.he), flat(moved.ihc))
    assert moved.error(alignment.to_ihc) <= 4
    assert alignment.he_to_ihc.mirrored == moved.moved.mirrored
    assert alignment.error_px is not None and alignment.error_px <= 4
    assert not alignment.poor and alignment.origin == "automatic"


def test_micrometres_are_said_where_they_are_known(pair: MovedPair) -> None:
    def scanned(picture: np.ndarray) -> FlatImage:
        return FlatImage(flat(picture).path, picture.copy(), kind="TIFF", sha256="", mpp=PixelSize(0.5, "test"))

    shares: list[float] = []
    alignment = register(scanned(pair.he), scanned(pair.ihc), progress=shares.append)
    assert alignment.error_um == pytest.approx(0.5 * alignment.error_px)
    assert "µm" in alignment.words
    assert shares == sorted(shares) and shares[-1] == 1
    typed = register(flat(pair.he), flat(pair.ihc), he_um=2.0, ihc_um=2.0)
    assert typed.error_um == pytest.approx(2 * typed.error_px)


def test_a_pair_that_does_not_match_is_poor_and_stays_where_it_was(pair: MovedPair) -> None:
    alignment = register(flat(pair.he), flat(moved_pair(2, SEED).ihc))
    assert alignment.poor and alignment.error_px is None
    assert alignment.he_to_ihc.is_identity
    assert alignment.words == "Poor: the images were not found to match; set landmarks or align by hand"


@pytest.mark.parametrize("picture", [np.full((300, 400, 3), 255, np.uint8), np.zeros((40, 30, 3), np.uint8)])
def test_a_picture_of_nothing_is_poor(picture: np.ndarray, pair: MovedPair) -> None:
    assert register(flat(picture), flat(pair.ihc)).poor
    assert register(flat(pair.he), flat(picture)).poor


def test_a_spline_follows_what_an_affine_cannot(pair: MovedPair) -> None:
    import cv2

    rows, columns = np.indices(pair.ihc.shape[:2], np.float32)
    wave = 6 * np.sin(columns / 160)  # the tissue at (x, y) is now at (x, y + wave)
    ihc = cv2.remap(pair.ihc, columns, rows - wave, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    places = pair.ihc_places + np.column_stack(
        [np.zeros(len(pair.ihc_places)), 6 * np.sin(pair.ihc_places[:, 0] / 160)]
    )
    he_source, ihc_source = flat(pair.he), flat(ihc)
    alignment = register(he_source, ihc_source)
    follows = bent(he_source, ihc_source, alignment)

    def error(found: np.ndarray) -> float:
        return float(np.hypot(*(found - places).T).mean())

    assert error(follows.to_ihc(pair.he_places)) < 0.6 * error(alignment.to_ihc(pair.he_places))
    assert np.abs(follows.to_he(follows.to_ihc(pair.he_places)) - pair.he_places).max() < 0.1


def test_it_stops_where_it_is_told_to(pair: MovedPair) -> None:
    asked = 0

    def check() -> None:
        nonlocal asked
        asked += 1
        if asked == 5:
            raise Cancelled

    with pytest.raises(Cancelled):
        register(flat(pair.he), flat(pair.ihc), check=check)
    assert asked == 5


def test_landmarks_of_consecutive_sections_come_to_lie_on_each_other(shared_data) -> None:
    """Other stains, other cells: as near as the best affine of the landmarks themselves, but for a third."""
    folder = shared_data / "landmarks"
    for he, ihc, assumed in (
        ("Izd2-29-041-w35_HE", "Izd2-29-041-w35_proSPC", 64.8),
        ("Rat-Kidney_HE", "Rat-Kidney_PanCytokeratin", 12.7),
    ):
        one, two = (np.loadtxt(folder / f"{name}.csv", delimiter=",", skiprows=1, usecols=(1, 2)) for name in (he, ihc))
        with open_image(folder / f"{he}.jpg") as first, open_image(folder / f"{ihc}.jpg") as second:
            stretched = Affine.between(first.size, second.size)
            alignment = register(first, second)
        count = min(len(one), len(two))
        before = np.median(np.hypot(*(stretched.points(one[:count]) - two[:count]).T))
        after = np.median(np.hypot(*(alignment.to_ihc(one[:count]) - two[:count]).T))
        assert before == pytest.approx(assumed, abs=0.1)
        assert after < 8.5 and after < 0.35 * before
