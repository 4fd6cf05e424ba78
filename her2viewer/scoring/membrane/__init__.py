"""A second reading of a field's HER2 without the network: cells found in the IHC, their membranes measured, the rule applied.

`dyes` (counterstain and DAB at one resolution), `nuclei` (where cells are), `polar` (closed outlines round many centres at once),
`outlines` (where each cell's membrane runs), `measuring` (what it shows), `cells` (which of them count), `rule` (ASCO/CAP),
`reading` (all of it, for one field), `agreement` (beside the network's score).
"""
