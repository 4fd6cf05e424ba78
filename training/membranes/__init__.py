"""How well membranes are read without the network: on phantoms against their truth, on real images against their labels.

`truth` (a phantom's cells and nuclei), `matching` (found with drawn ones), `peer` (the same by scikit-image), `fitting`
(thresholds from one half of the phantoms), `figures` (what the other half shows), `run` (all of it), `report` (the guide's page).
"""
