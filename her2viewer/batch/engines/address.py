"""What `--engine` says: this machine, or where a Dask scheduler listens. No Dask."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from her2viewer.errors import UserError

LOCAL: Final = "local"
PORT: Final = 8786
"""Where a Dask scheduler listens unless it is told otherwise."""

_PROTOCOLS: Final = {"dask": "tcp", "dask+tls": "tls"}
_REMEDY: Final = "give --engine local, dask://HOST:PORT, or dask+tls://HOST:PORT for an encrypted one"


@dataclass(frozen=True, slots=True)
class SchedulerAddress:
    """Where a Dask scheduler listens; `encrypted`: it is spoken to under TLS, with the certificates that Dask's settings name."""

    host: str
    port: int = PORT
    encrypted: bool = False

    @property
    def contact(self) -> str:
        """As Dask names it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'tls' if self.encrypted else 'tcp'}://{host}:{self.port}"

    def __str__(self) -> str:
        return self.contact.replace("tls://", "dask+tls://").replace("tcp://", "dask://")


def engine_of(text: str) -> SchedulerAddress | None:
    """The scheduler that is named, or None for this machine. Raises UserError for anything else."""
    text = text.strip()
    if text == LOCAL:
        return None
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as error:  # a port that is no number, a bracket that is not closed
        raise UserError(f"--engine {text}: this is no address of a scheduler", remedy=_REMEDY) from error
    if parts.scheme not in _PROTOCOLS or not host:
        raise UserError(f"--engine {text}: there is no such engine", remedy=_REMEDY)
    if parts.path not in ("", "/") or parts.query or parts.fragment or "@" in parts.netloc:
        raise UserError(f"--engine {text}: more than a host and a port is named", remedy=_REMEDY)
    return SchedulerAddress(host, PORT if port is None else port, parts.scheme == "dask+tls")
