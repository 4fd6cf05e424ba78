"""The case library behind the window: opened at the start, kept up by itself, asked for cases, and one order of undo."""
