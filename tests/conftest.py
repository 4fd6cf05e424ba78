"""What every test needs: a screen that is not there, and the real images where they are."""

import os
from pathlib import Path

import pytest

# Before anything imports Qt: tests never open a window on somebody's screen.
os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ.setdefault("QT_LOGGING_RULES", "qt.qpa.fonts=false")

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real images beside the checkout; the test is skipped, in words, where it is not there."""
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real images (../shared/data beside the checkout) are not here")
    return folder


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--guide", action="store_true", help="write the pictures of the user guide (resources/guide/pictures)"
    )


def pytest_configure(config: pytest.Config) -> None:
    # The offscreen platform says of some things that it cannot do them; nothing is wrong with the window then.
    config.addinivalue_line("qt_log_ignore", "This plugin does not support .*")
