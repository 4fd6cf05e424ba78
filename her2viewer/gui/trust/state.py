"""The map on screen, questioned."""

from dataclasses import dataclass

from her2viewer.errors import UserError
from her2viewer.scoring.trust.findings import TrustReport


@dataclass(frozen=True, eq=False, slots=True)
class TrustState:
    """`report` is of the map on screen and no other; `asking` while it is measured; `error` where it could not be.

    `untrained`: whether the panes show, in place of the map, that of a network with random weights.
    """

    report: TrustReport | None = None
    asking: bool = False
    error: UserError | None = None
    untrained: bool = False
