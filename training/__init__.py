"""Makes the model that the viewer opens: phantom pairs, index, fit, evaluate, package. `python -m training --help`."""
