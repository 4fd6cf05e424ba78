import pytest

from her2viewer.batch.engines.address import PORT, SchedulerAddress, engine_of
from her2viewer.errors import UserError


def test_this_machine_has_no_address() -> None:
    assert engine_of("local") is None


@pytest.mark.parametrize(
    ("text", "address", "contact"),
    [
        ("dask://big.hospital:8790", SchedulerAddress("big.hospital", 8790), "tcp://big.hospital:8790"),
        ("dask://10.0.0.5", SchedulerAddress("10.0.0.5", PORT), f"tcp://10.0.0.5:{PORT}"),
        ("dask+tls://big:1", SchedulerAddress("big", 1, encrypted=True), "tls://big:1"),
        ("dask://[::1]:99/", SchedulerAddress("::1", 99), "tcp://[::1]:99"),
    ],
)
def test_an_address_is_what_dask_calls_it(text: str, address: SchedulerAddress, contact: str) -> None:
    found = engine_of(text)
    assert found == address and found.contact == contact
    assert engine_of(str(found)) == found


@pytest.mark.parametrize(
    "text",
    ["", "dask", "dask://", "tcp://a:1", "http://a:1", "dask://a:port", "dask://a:99999", "dask://a:1/b", "dask://u@a:1"],
)
def test_anything_else_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(UserError, match=r"dask://HOST:PORT"):
        engine_of(text)
