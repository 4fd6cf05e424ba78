"""From pairs and a recipe to weights."""
