"""One image on screen: where it is looked at from, what is read of it, and how two of them move together."""
