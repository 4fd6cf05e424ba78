import logging

import pytest

from her2viewer.batch.faults import Fault, attempt
from her2viewer.errors import Cancelled, ExportError, ImageError


def raising(error: BaseException) -> object:
    def work() -> None:
        raise error

    return attempt(work, one="field", name="row 1", raising=(ExportError,))


def test_what_is_done_is_handed_back() -> None:
    assert attempt(lambda: 7, one="pair", name="a") == 7


def test_each_kind_of_fault_has_its_words(caplog: pytest.LogCaptureFixture) -> None:
    assert raising(ImageError("it is cut off", path="a.png", remedy="copy it again")) == Fault(
        "a.png: it is cut off; copy it again."
    )
    assert raising(MemoryError()) == Fault(
        "there was not enough memory for this field; close other programs, or crop the images."
    )
    with caplog.at_level(logging.ERROR):
        found = raising(ZeroDivisionError("x"))
    assert isinstance(found, Fault) and "ZeroDivisionError); the other fields go on" in found.words
    assert "field row 1" in caplog.text and "Traceback" in caplog.text


@pytest.mark.parametrize("error", [Cancelled(), ExportError("full", remedy="free some"), KeyboardInterrupt()])
def test_what_ends_the_run_goes_through(error: BaseException) -> None:
    with pytest.raises(type(error)):
        raising(error)
