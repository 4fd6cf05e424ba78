"""The checks on a field, all of them, beneath the score that they are for."""
