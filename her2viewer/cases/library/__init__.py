"""The cases that a reader keeps: files, fields, alignment, predictions, readings, in one SQLite file on this machine."""
