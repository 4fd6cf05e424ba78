"""The networks that there are, by name, and their stages. No torch: also who never runs one speaks of them."""

from typing import Final, Literal

Architecture = Literal["resnet18", "resnet18-two-encoders", "resnet18-six-channels"]
"""The networks that a package may hold, by their names in `model.json`."""

STAGES: Final = ("layer1", "layer2", "layer3", "layer4")
"""The stages whose map can be asked for, from fine to coarse. The last one comes with every score."""
