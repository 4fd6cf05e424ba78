"""What is looked at before a score counts: each check with its figure, its threshold and a sentence with what to do.

The thresholds stand beside their checks and come from one half of the images and kinds of wrong input that `python -m
tests.guard` knows; what it measured on the other half stands in the guide (resources/guide/checks.md).
"""
