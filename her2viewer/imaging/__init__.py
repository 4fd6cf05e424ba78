"""Image sources, their pyramids, and the colours of dyes. Knows nothing of scores or Qt."""
