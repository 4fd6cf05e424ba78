"""A network and a way to explain it, as they are questioned: any network, any method of attribution."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from her2viewer.scoring.network import Network
from her2viewer.scoring.normalise import normalised
from her2viewer.scoring.preprocess import InputLayout, NetworkInput

Attribute = Callable[[Network, Tensor], NDArray[np.float32]]
"""A method, fixed to a class and a stage: a network and one normalised input (1, 3, h, w) -> the map (rows, columns)."""


@dataclass(frozen=True, eq=False)
class Explained:
    """A network, (n, 3, h, w) normalised -> (n, classes) logits, and how its maps come about.

    network: in eval mode, on its device and in its dtype; it is never changed. target: index of the class that the map is of;
    against: of the class that it is told from, where the map is a contrast. temperature: of the calibrated probabilities.
    """

    network: Network
    layout: InputLayout
    attribute: Attribute
    target: int
    against: int | None = None
    temperature: float = 1.0

    def probabilities(self, inputs: NDArray[np.uint8]) -> NDArray[np.float64]:
        """(n, h, w, 3) uint8 composed pictures -> (n, classes) calibrated probabilities."""
        with torch.inference_mode():
            logits = self.network(self._normalised(inputs)).double() / self.temperature
            found: NDArray[np.float64] = torch.softmax(logits, dim=1).cpu().numpy()
        return found

    def watched(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, classes) -> (n,): the class's probability; in a contrast its share of that of the two classes."""
        own = probabilities[:, self.target]
        if self.against is None:
            return own
        both = own + probabilities[:, self.against]
        return np.asarray(own / np.maximum(both, 1e-12), np.float64)

    def values(self, network_input: NetworkInput) -> NDArray[np.float32]:
        """The map of a composed picture (h, w, 3) uint8: (rows, columns) float32, signed."""
        return np.asarray(self.attribute(self.network, self._normalised(network_input[None])), np.float32)

    def with_network(self, network: Network) -> "Explained":
        """Another network explained in the same way."""
        return replace(self, network=network)

    def _normalised(self, inputs: NDArray[np.uint8]) -> Tensor:
        weights = next(self.network.parameters())
        return normalised(np.ascontiguousarray(inputs), self.layout, weights.device).to(weights.dtype)
