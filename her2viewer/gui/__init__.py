"""The window: views, controllers and the lanes that work for them. Nothing here imports torch."""
