"""Real tissue made into labelled fields: tiles of cores, restained by the scoring rule, with an H&E rendered for them."""
