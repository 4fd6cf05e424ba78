"""Which files make a pair, and the pair once it is opened."""
