"""How well the maps of a model package point at the cells that decide a phantom's class.

One file a step: `deciding` (which cells those are), `metrics` (what a map says of them), `maps` (which maps are asked for, and
the baselines), `judging` (one pair), `rows` (kept as they come), `run` (all pairs), `figures` (what they add up to, and the map
that follows from it), `plot` and `report` (files and the guide's table).
"""
