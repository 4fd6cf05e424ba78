"""How the two images of a pair lie on each other: registered, by landmarks, or by hand."""
