"""A Dask cluster that the user named: reached, asked whether it can do the work, and every way it fails said in a sentence.

The one file that knows Dask. It pickles between its own processes; nothing here unpickles anything. Who can reach a scheduler can
run code on its workers and on the machine that named it, which the guide says.
"""

import importlib.util
import logging
import warnings
from asyncio import CancelledError as TaskCancelled
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from typing import Any, Final

from her2viewer.batch.engines.address import SchedulerAddress
from her2viewer.errors import ClusterError, UserError

CONNECT_SECONDS: Final = 10.0
WORKERS_WITHIN_SECONDS: Final = 10.0
_ANSWER_SECONDS: Final = 30.0
_CLOSE_SECONDS: Final = 5.0
_UNREACHABLE = (OSError, ValueError, TypeError, RuntimeError)
"""What `distributed.Client` raises where nobody listens, somebody else does, or TLS is not set up as it must be."""

_GO_ON: Final = "the same command with --resume goes on"


class Cluster:
    """A connection to a scheduler. Used from the thread that runs the batch, `gather` from another."""

    def __init__(self, client: Any, address: SchedulerAddress) -> None:
        self._client = client
        self.name = str(address)
        self.threads = self.count_threads()

    def count_threads(self) -> int:
        """Worker threads there are now. Raises ClusterError where the scheduler does not answer."""
        try:
            told = self._client.sync(self._client.scheduler.identity, n_workers=0, callback_timeout=_ANSWER_SECONDS)
        except (OSError, CancelledError, RuntimeError, AttributeError) as error:
            raise self._lost() from error
        return int(told["total_threads"])

    def ask(self, question: Callable[..., str | None], *words: str | None) -> dict[str, str | Exception | None]:
        """What each worker says to a question, by its address: None where all is well. Raises ClusterError."""
        try:
            told = self._client.run(question, *words, on_error="return")
        except (OSError, CancelledError) as error:
            raise self._lost() from error
        return dict(told)

    def submit(self, key: str, work: Callable[..., object], *values: object) -> Any:
        """A future. Done again by Dask where its worker dies."""
        return self._client.submit(work, *values, key=key, pure=False)

    def gather(self, futures: Sequence[Any]) -> list[tuple[Any, Any]]:
        """Each future that is done with its value or its error, which is not raised; the values come over together."""
        found: list[tuple[Any, Any]] = []
        finished = [future for future in futures if future.status == "finished"]
        if finished:
            with suppress(Exception):
                found = list(zip(finished, self._client.gather(finished), strict=True))
        brought = {future for future, _ in found}
        found += [(future, _value(future)) for future in futures if future not in brought]
        for future in futures:
            future.release()
        return found

    def drop(self, futures: Sequence[Any]) -> None:
        """Takes work off the cluster; what is being worked on ends by itself."""
        if futures and self._client.status == "running":
            with suppress(OSError, CancelledError, RuntimeError):
                self._client.cancel(list(futures))

    def deaths(self, error: BaseException) -> int | None:
        """How many workers died of a task, where that is why it was given up."""
        from distributed import KilledWorker

        return error.allowed_failures + 1 if isinstance(error, KilledWorker) else None

    def explained(self, error: BaseException) -> ClusterError:
        """What ended the run, in a sentence."""
        if isinstance(error, (CancelledError, TaskCancelled)):
            if self._client.status != "running" or getattr(error, "reason", "") == "scheduler-connection-lost":
                return self._lost()
            return ClusterError(f"somebody took the work off {self.name}", remedy=_GO_ON)
        if isinstance(error, UserError):
            what = error.what if isinstance(error, ClusterError) else f"a worker cannot do the work: {error.what}"
            return ClusterError(what, path=error.path, remedy=error.remedy)
        kind, words = type(error).__name__, (str(error).strip().splitlines() or [""])[0]
        return ClusterError(
            f"{self.name} could not take the work ({kind}{': ' if words else ''}{words})",
            remedy="install the same version of HER2 Viewer with its extra 'cluster' on all its machines",
        )

    def _lost(self) -> ClusterError:
        return ClusterError(f"the connection to {self.name} was lost", remedy="see whether its scheduler still runs")


def _value(future: Any) -> Any:
    try:
        return future.result()
    except (Exception, CancelledError, TaskCancelled) as error:  # noqa: BLE001 whatever it is, it is the answer
        return error


@contextmanager
def connected(address: SchedulerAddress) -> Iterator[Cluster]:
    """A cluster with a worker at least. Raises ClusterError where Dask is not installed, nobody answers or no worker is there."""
    if importlib.util.find_spec("distributed") is None:
        raise ClusterError(
            "the Dask engine is not installed", remedy='install it with: pip install "her2viewer[cluster]"'
        )
    from distributed import Client

    connect: Any = Client
    with _quietly():
        try:
            client = connect(address.contact, timeout=CONNECT_SECONDS, name="her2viewer", set_as_default=False)
        except _UNREACHABLE as error:
            raise _unreachable(address, error) from error
        try:
            try:
                client.wait_for_workers(1, timeout=WORKERS_WITHIN_SECONDS)
            except TimeoutError as error:
                raise ClusterError(
                    f"there is no worker at {address}", remedy=f"start some with: dask worker {address.contact}"
                ) from error
            yield Cluster(client, address)
        finally:
            with suppress(OSError, RuntimeError, TimeoutError):
                client.close(timeout=_CLOSE_SECONDS)


def _unreachable(address: SchedulerAddress, error: Exception) -> ClusterError:
    if isinstance(error, TypeError) or "encryption" in str(error):
        return ClusterError(
            f"{address} cannot be spoken to as Dask's settings are ({str(error).splitlines()[0]})",
            remedy="name the certificates in Dask's settings (distributed.comm.tls) and use dask+tls://",
        )
    return ClusterError(
        f"no Dask scheduler answers at {address}",
        remedy=f"see whether it runs there (dask scheduler --port {address.port}) and can be reached from here",
    )


@contextmanager
def _quietly() -> Iterator[None]:
    """Dask's own log and warnings are left out: what the user can mend is said in sentences."""
    names = [name for name in logging.root.manager.loggerDict if name.split(".")[0] in ("distributed", "tornado")]
    loggers = [logging.getLogger(name) for name in ("distributed", "tornado", *names)]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"distributed\.")
            yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
