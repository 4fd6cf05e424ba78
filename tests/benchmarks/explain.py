"""What explains a score, and what stands beside it."""

from tests.benchmarks import membranes
from tests.benchmarks.measure import Row


def rows() -> list[Row]:
    return membranes.rows()
