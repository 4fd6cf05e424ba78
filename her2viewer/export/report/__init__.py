"""Reports as PDF: one case, or a study. Text stays text, plots are vectors, and nothing tells of this machine or its user."""
