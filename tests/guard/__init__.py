"""How often the guard is wrong: wrong inputs it lets pass, and good pairs it warns of. `python -m tests.guard` counts."""
