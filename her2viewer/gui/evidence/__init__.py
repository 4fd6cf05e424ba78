"""Exporting the evidence of a score: one zip that can be checked."""
