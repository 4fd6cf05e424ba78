"""From two fields of pixels to a prediction and its explanation. Importing this package does not import torch."""
