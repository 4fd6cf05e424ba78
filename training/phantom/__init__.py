"""Phantom pairs: computed H&E and HER2 IHC fields of one tissue, with every cell and membrane known.

From geometry to pixels, one file a step: `architecture` (which tissue is where), `cells` (cells and nuclei), `expression`
(HER2 on their membranes, and the label that follows by `scoring.membrane.rule`), `staining` (dye amounts, Beer-Lambert), `optics`
(microscope and camera), `pair` (all of them in order) and `writing` (BCI's folders and names).
"""
