"""Where a class's score comes from: class activation maps, and witnesses without a gradient."""
