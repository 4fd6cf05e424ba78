"""A map questioned: what it is worth against chance, beside the map itself."""
