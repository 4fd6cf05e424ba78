"""What if the DAB were weaker or stronger: how the score moves, and how the IHC would look."""
