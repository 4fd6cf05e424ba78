from itertools import chain
from pathlib import Path

import cv2
import numpy as np
import pytest

from her2viewer.errors import ImageError
from her2viewer.scoring.checks import MAGENTA_THRESHOLD, check_field, check_tissue, magenta, refuse_incomplete
from her2viewer.scoring.evidence import FieldPixels
from her2viewer.scoring.prediction import FieldOfView
from her2viewer.scoring.preprocess import InputLayout
from her2viewer.scoring.stains import Stain
from tests.scoring.conftest import tissue

HE, IHC = tissue(1), tissue(2, stain="ihc")


def names(he: np.ndarray, ihc: np.ndarray) -> list[str]:
    return [check.name for check in check_field(FieldPixels.whole(he, ihc), InputLayout())]


def test_a_good_pair_has_no_warning() -> None:
    assert names(HE, IHC) == []


def test_each_fault_is_named() -> None:
    assert names(IHC, HE) == ["stains_swapped"]
    assert names(HE, HE) == ["ihc_unlike_ihc"]
    assert names(IHC, IHC) == ["he_unlike_he"]
    blank = np.full_like(HE, 240)
    assert names(blank, IHC) == ["no_tissue"]
    assert names(HE, blank) == []
    assert names(HE, cv2.resize(IHC, (300, 256))) == ["unlike_sizes"]
    assert names(cv2.resize(HE, (100, 100)), cv2.resize(IHC, (100, 100))) == ["low_resolution"] * 2


def test_messages_say_what_to_do() -> None:
    (check,) = check_field(FieldPixels.whole(IHC, HE), InputLayout())
    assert check.message.endswith("swap them.")
    assert check.figure < check.threshold


def test_the_slides_tint_does_not_count() -> None:
    for tint in ((1, 1, 1), (0.75, 0.75, 0.72), (0.95, 0.8, 0.9)):
        assert magenta((HE * np.array(tint)).astype(np.uint8))[0] > MAGENTA_THRESHOLD
        assert magenta((IHC * np.array(tint)).astype(np.uint8))[0] < MAGENTA_THRESHOLD


def test_stains_are_told_apart_on_real_tissue(shared_data: Path) -> None:
    he = sorted(
        chain(
            shared_data.glob("bci*/HE/*/*.png"),
            shared_data.glob("landmarks/*HE.jpg"),
            shared_data.glob("stains/he_[st]*"),
        )
    )
    ihc = sorted(
        chain(
            shared_data.glob("bci*/IHC/*/*.png"), shared_data.glob("bci-ihc-only/*.png"), shared_data.glob("tma*/*.jpg")
        )
    )
    assert len(he) >= 20 and len(ihc) >= 20
    wrong = [p.name for p in he if magenta(_read(p))[0] <= MAGENTA_THRESHOLD]
    wrong += [p.name for p in ihc if magenta(_read(p))[0] > MAGENTA_THRESHOLD]
    assert wrong == []


def _read(path: Path) -> np.ndarray:
    image = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        pytest.fail(f"{path.name} cannot be read")
    return image[..., ::-1]


def test_one_stain_alone_is_checked_as_far_as_it_goes() -> None:
    he, ihc = HE, IHC
    both = InputLayout(optional=(Stain.HE, Stain.IHC))
    for stain, image in ((Stain.IHC, ihc), (Stain.HE, he)):
        field = FieldPixels({stain: image}, {stain: FieldOfView.whole(HE.shape[1::-1])})
        assert [check.name for check in check_field(field, both)] == ["stain_missing"]
        assert check_field(field, InputLayout(order=(stain,))) == ()
        refuse_incomplete(field, both)
        with pytest.raises(ImageError, match=f"needs the {stain.other.caption} image, and it is missing; give both"):
            refuse_incomplete(field, InputLayout())
    wrong = FieldPixels({Stain.IHC: he}, {Stain.IHC: FieldOfView.whole(HE.shape[1::-1])})
    assert [check.name for check in check_field(wrong, InputLayout(order=(Stain.IHC,)))] == ["ihc_unlike_ihc"]


def test_tissue_is_looked_for_before_the_network_is_asked() -> None:
    blank = np.full_like(HE, 240)
    assert check_tissue(FieldPixels.whole(HE, IHC)) is None
    (expected,) = check_field(FieldPixels.whole(blank, IHC), InputLayout())
    assert check_tissue(FieldPixels.whole(blank, IHC)) == expected
    alone = FieldPixels({Stain.IHC: blank}, {Stain.IHC: FieldOfView.whole((256, 256))})
    assert check_tissue(alone) is None
