"""Image sources and their pyramids. Knows nothing of stains' meaning, scores or Qt."""
