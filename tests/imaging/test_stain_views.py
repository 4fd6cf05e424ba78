import numpy as np
import pytest

from her2viewer.imaging.separation import separated
from her2viewer.imaging.stain_vectors import Dyes, Origin, StainVectors, ruifrok_johnston, typed_vectors
from her2viewer.imaging.stain_views import StainView, caption, limits, picture_in, view_name
from tests.imaging.pictures import tissue

HE, IHC = Dyes.HAEMATOXYLIN_EOSIN, Dyes.HAEMATOXYLIN_DAB
SEPARATED = [view for view in StainView if view is not StainView.ORIGINAL]


def macenko(dyes: Dyes) -> StainVectors:
    table = ruifrok_johnston(dyes)
    return StainVectors.of(dyes, table.matrix[0], table.matrix[1], Origin.MACENKO)


def test_the_four_views_have_the_names_of_the_slide() -> None:
    assert [view_name(view, HE) for view in StainView] == ["Original", "Haematoxylin", "Eosin", "Residual"]
    assert [view_name(view, IHC) for view in StainView] == ["Original", "Haematoxylin", "DAB", "Residual"]


def test_a_separated_view_says_by_which_vectors_and_that_it_measures_nothing() -> None:
    table = ruifrok_johnston(IHC)
    assert caption(StainView.SECOND, table) == "DAB, separated by Ruifrok-Johnston vectors: not quantitative"
    assert caption(StainView.SECOND, macenko(HE)) == "Eosin, separated by Macenko vectors: not quantitative"
    typed = typed_vectors(IHC, "0.65 0.70 0.29", "0.27 0.57 0.78")
    assert caption(StainView.HAEMATOXYLIN, typed) == "Haematoxylin, separated by typed vectors: not quantitative"
    assert caption(StainView.ORIGINAL, table) == "Original"


@pytest.mark.parametrize("dyes", Dyes)
def test_every_separated_view_says_why(dyes: Dyes) -> None:
    reasons = [limits(view, dyes) for view in SEPARATED]
    assert len(set(reasons)) == 3 and all(reason.endswith(".") for reason in reasons)
    assert limits(StainView.ORIGINAL, dyes) == ""


def test_dab_and_eosin_have_reasons_of_their_own() -> None:
    assert "scatters light" in limits(StainView.SECOND, IHC) and "HER2" in limits(StainView.SECOND, IHC)
    assert "protein" in limits(StainView.SECOND, HE)
    assert "no dye" in limits(StainView.RESIDUAL, HE)


def test_the_original_is_not_touched_and_the_others_are_separated() -> None:
    image = tissue(20, 30)
    vectors = ruifrok_johnston(IHC)
    assert picture_in(StainView.ORIGINAL, image, vectors) is image
    for component, view in enumerate(SEPARATED):
        assert view.component == component
        assert (picture_in(view, image, vectors) == separated(image, vectors, view.component)).all()  # type: ignore[arg-type]
        assert not np.shares_memory(picture_in(view, image, vectors), image)
