"""Where a class's score comes from: class activation maps, witnesses without a gradient, and what a missing stain changes."""

from her2viewer.scoring.attribution.stage_map import last_stage_maps, stage_map

__all__ = ["last_stage_maps", "stage_map"]
