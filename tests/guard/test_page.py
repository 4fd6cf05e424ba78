from her2viewer.scoring.guard.report import Examined, GuardReport
from her2viewer.scoring.stains import Stain
from tests.guard.counting import Looked, names_counted, unseen
from tests.guard.page import MEANT_FOR, page
from tests.guard.wrong import KINDS, SET_ON


def looked(what: str, half: int, sharpness: float, name: str = "blurred") -> Looked:
    made = Examined(
        name, Stain.HE, "sharpness of the H&E image", sharpness, 0.8, at_least=True, message="Scan it again."
    )
    return Looked(what, "1", half, GuardReport((made,)))


BLURRED = "one image blurred to nothing"


def test_the_page_counts_what_was_caught_missed_and_warned_of_in_vain() -> None:
    good = [looked("phantoms", half, figure) for half, figure in ((0, 1.2), (1, 1.5), (1, 0.5))]
    wrong = [looked(BLURRED, half, figure) for half, figure in ((0, 0.1), (1, 0.2), (1, 0.9))]
    text = page(good, wrong, "a model", "Quick.", "python -m tests.guard")
    assert f"| {BLURRED} | yes | 1 of 1 | 1 of 2 | blurred 2 |" in text
    assert "| phantoms | 0 of 1 | 1 of 2 | blurred 1 |" in text
    assert "refused or warned of: 2 of 3 (66.7%" in text and "no part in setting thresholds 1 of 2 (50.0%" in text
    (row,) = [line for line in text.splitlines() if line.startswith("| blurred |")]
    assert row.endswith("| 0.8 | 1 of 2 | 1 of 2 |")
    assert "`unfamiliar` was not made" in text


def test_a_kind_left_aside_was_never_looked_at() -> None:
    assert not unseen(looked(BLURRED, 0, 1)) and unseen(looked(BLURRED, 1, 1))
    assert unseen(looked("screenshots", 0, 1))


def test_refusing_is_more_than_warning() -> None:
    assert looked("noise", 0, 0.1, "no_tissue").refused and not looked("noise", 0, 0.1).refused
    assert names_counted([looked("noise", 0, 0.1), looked("noise", 0, 2)]) == "blurred 1"


def test_every_kind_named_is_one_that_is_made() -> None:
    assert set(KINDS) > SET_ON
    assert {kind for kinds in MEANT_FOR.values() for kind in kinds} <= set(KINDS)
