"""How large things are: pixel sizes from the file or typed, magnification, and the ruler."""
