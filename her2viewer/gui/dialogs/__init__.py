"""Windows of their own: opening, exporting, batches, preferences, help."""
