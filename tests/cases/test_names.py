import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from her2viewer.cases.names import (
    case_and_stain,
    guess_stain,
    is_copy,
    is_image_name,
    label_of,
    natural,
    same,
    split_of,
)
from her2viewer.scoring.stains import Stain


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("S12_HE.png", ("S12", Stain.HE)),
        ("S12_IHC.png", ("S12", Stain.IHC)),
        ("S12-he.tif", ("S12", Stain.HE)),
        ("S12 HE.jpg", ("S12", Stain.HE)),
        ("S12_HER2.png", ("S12", Stain.IHC)),
        ("S12_H&E.png", ("S12", Stain.HE)),
        ("S12_HER2_IHC.png", ("S12", Stain.IHC)),
        ("S12_IHC_HER2.png", ("S12", Stain.IHC)),
        ("S12_HER2_HE.png", ("S12", Stain.HE)),
        ("HER2_HE.png", ("HER2", Stain.HE)),
        ("HER2_IHC.png", ("HER2", Stain.IHC)),
        ("phantom_2+_HE.png", ("phantom_2+", Stain.HE)),
        ("_HE.png", None),
        ("HE.png", None),
        ("cache.png", None),
        ("SHE.png", None),
        ("he_S12.png", None),
    ],
)
def test_the_ending_of_a_name_tells_case_and_stain(name: str, expected: tuple[str, Stain] | None) -> None:
    assert case_and_stain(Path(name)) == expected


@pytest.mark.parametrize(
    ("name", "label", "split"),
    [
        ("00000_train_1+.png", "1+", "train"),
        ("00345_test_0.png", "0", "test"),
        ("00082_val_3+.png", "3+", "val"),
        ("phantom_2+_HE.png", "2+", None),
        ("00010_train_2+_IHC.png", "2+", "train"),
        ("field_0.png", None, None),
        ("S12_4+.png", None, None),
        ("x1+.png", None, None),
        ("training_day_1+.png", "1+", None),
        ("contest_0.png", None, None),
        ("plain.png", None, None),
    ],
)
def test_label_and_split_are_what_the_name_itself_says(name: str, label: str | None, split: str | None) -> None:
    assert (label_of(name), split_of(name)) == (label, split)


@pytest.mark.parametrize(
    ("path", "stain"),
    [
        ("S12_HE.png", Stain.HE),
        ("S12 H&E 20x.png", Stain.HE),
        ("her2.png", Stain.IHC),
        ("S12-IHC-region2.png", Stain.IHC),
        ("HER2_study_HE.png", Stain.HE),
        ("bci/HE/train/00000_train_1+.png", Stain.HE),
        ("bci/IHC/00000.png", Stain.IHC),
        ("IHC/S12_HE.png", Stain.HE),
        ("HE_and_IHC.png", None),
        ("the sheet.png", None),
        ("HE/a/b/plain.png", None),
    ],
)
def test_a_stain_is_guessed_from_the_name_first_and_then_the_folders(path: str, stain: Stain | None) -> None:
    assert guess_stain(Path(path)) is stain


def test_copies_hidden_files_and_other_kinds_are_told_by_name() -> None:
    assert is_copy(Path("00000_train_1+ (1).png")) and is_copy(Path("a(12).tif"))
    assert not is_copy(Path("a (1) b.png")) and not is_copy(Path("a (b).png"))
    assert is_image_name(Path("a.PNG")) and is_image_name(Path("a.b.Tiff"))
    assert not is_image_name(Path(".a.png")) and not is_image_name(Path("a.txt")) and not is_image_name(Path("png"))


def test_numbers_in_names_sort_by_their_size() -> None:
    names = ["f10", "f2", "F1", "f02b", "g1", "²", "1"]
    assert sorted(names, key=natural) == ["1", "F1", "f2", "f02b", "f10", "g1", "²"]


@settings(deadline=None)
@given(st.text(max_size=12))
def test_names_that_differ_in_case_or_composition_are_the_same(text: str) -> None:
    assert same(unicodedata.normalize("NFD", text)) == same(unicodedata.normalize("NFC", text))
    assert same(same(text)) == same(text)
    assert natural(text) == natural(unicodedata.normalize("NFD", text))


@settings(deadline=None)
@given(st.lists(st.text(alphabet="ab1290²٣ ", max_size=6)))
def test_any_names_can_be_sorted(names: list[str]) -> None:
    assert sorted(sorted(names, key=natural)) == sorted(names)


@settings(deadline=None)
@given(st.text(max_size=20))
def test_no_name_is_too_odd_for_a_guess(name: str) -> None:
    path = Path("x" + name.replace("\0", "") + ".png")
    guess_stain(path), label_of(path.name), split_of(path.name), is_copy(path), case_and_stain(path)
