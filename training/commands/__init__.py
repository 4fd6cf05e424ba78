"""The commands of `python -m training`, by what they are for. Heavy imports stand within each, so that --help is quick."""
