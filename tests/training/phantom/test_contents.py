"""What a field holds besides invasive tumour: drawn where said, never counted, and no nucleus copied between two sections."""

import numpy as np
import pytest

from training.phantom import artefacts, lesions
from training.phantom.cells import Cells
from training.phantom.nuclei import Kind
from training.phantom.pair import Phantom, make_phantom
from training.phantom.writing import cell_mask, contents_of, truth_of

RATES = ("IN_SITU_RATE", "NORMAL_RATE", "NECROSIS_RATE", "CRUSH_RATE")


def made(monkeypatch: pytest.MonkeyPatch, *certain: str, index: int = 0, side: int = 512) -> Phantom:
    """A field that certainly has some contents, and certainly not the others."""
    for name in RATES:
        monkeypatch.setattr(lesions, name, 1.0 if name in certain else 0.0)
    monkeypatch.setattr(artefacts, "FOLD_RATE", 1.0 if "FOLD_RATE" in certain else 0.0)
    return make_phantom(31, index, side=side)


def kinds(cells: Cells) -> np.ndarray:
    return cells.kind[cells.tumour]


def test_ducts_never_count(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = set()
    for index in range(4):
        phantom = made(monkeypatch, "IN_SITU_RATE", "NORMAL_RATE", index=index)
        cells, expression = phantom.cells, phantom.expression
        other = kinds(cells) != Kind.TUMOUR
        assert not expression.visible[other].any()
        assert expression.shares == pytest.approx(
            [(expression.grade[expression.visible] == grade).mean() for grade in range(4)]
        )
        truth = truth_of(phantom)
        # The mask tells them apart: invasive cells come first, and the JSON names each cell's kind.
        mask, first_other = cell_mask(phantom), int((~other).sum()) + 1
        named = np.array(truth["cells"]["kind"])
        assert (named[: first_other - 1] == "tumour").all()
        assert not (named[first_other - 1 :] == "tumour").any()
        ducts = phantom.tissue.in_situ | phantom.tissue.normal
        assert ducts[mask >= first_other].mean() > 0.99
        assert not ducts[(mask > 0) & (mask < first_other)].any()
        seen |= set(named)
    assert seen == {"tumour", "in_situ", "normal"}


def test_a_stained_duct_leaves_the_label_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    found = set()
    for index in range(12):
        phantom = made(monkeypatch, "IN_SITU_RATE", index=index)
        in_situ = phantom.expression.grade[kinds(phantom.cells) == Kind.IN_SITU]
        if phantom.label == "0" and in_situ.size:
            found.add(int(in_situ.max()))
    assert max(found) >= 2  # a field of label 0 whose ducts are positive


@pytest.mark.parametrize(("rate", "content"), [("NECROSIS_RATE", "necrosis"), ("CRUSH_RATE", "crush")])
def test_no_living_tumour_in_dead_or_crushed_tissue(monkeypatch: pytest.MonkeyPatch, rate: str, content: str) -> None:
    pairs = [made(monkeypatch, rate, index=index, side=640) for index in range(4)]
    assert max(contents_of(pair)[content] for pair in pairs) > 0.005
    for pair in pairs:
        area = getattr(pair.tissue, content) > 0.6
        assert not (area & (pair.cells.tumour_id > 0)).any()
        assert not pair.expression.membrane[area].any()


def test_a_fold_is_dark_in_its_own_section_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    pair = made(monkeypatch, "FOLD_RATE")
    assert all(area is not None for area in pair.folds)
    for picture, area in zip((pair.he, pair.ihc), pair.folds, strict=True):
        assert area is not None
        inside, beside = area > 0.9, (area < 0.01) & ~pair.tissue.glass
        if inside.sum() > 200:
            assert picture[inside].mean() < picture[beside].mean() - 2
    assert not np.array_equal(pair.folds[0] > 0.5, pair.folds[1] > 0.5)


def test_plain_fields_hold_none_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    contents = contents_of(made(monkeypatch))
    assert [contents[name] for name in ("in_situ", "normal", "necrosis", "crush", "fold_he", "fold_ihc")] == [0] * 6


def test_sections_share_their_architecture_but_not_each_nucleus(phantoms: dict[int, Phantom]) -> None:
    for pair in phantoms.values():
        assert np.array_equal(pair.cells.owner, pair.he_cells.owner)
        ihc, he = pair.cells.nucleus > 0.5, pair.he_cells.nucleus > 0.5
        overlap = (ihc & he).sum() / (ihc | he).sum()
        if pair.slide.apart == 0:
            assert overlap == 1
        else:
            assert 0.15 < overlap < 0.75  # far from one for one, far from chance
            assert overlap > 1.5 * (ihc & np.roll(he, 60, 1)).sum() / (ihc | he).sum()
    assert {pair.slide.apart > 0 for pair in phantoms.values()} == {True, False}
