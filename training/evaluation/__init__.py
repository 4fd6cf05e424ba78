"""What a model is worth on labelled pairs: figures, plots, report."""
