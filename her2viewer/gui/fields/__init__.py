"""Fields of view: drawn on the tissue, scored, gridded, listed."""
