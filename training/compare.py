"""Many recipes on one data set, in one table."""
