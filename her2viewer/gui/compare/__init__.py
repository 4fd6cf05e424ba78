"""Two images in one place: flicker, a curtain, a blend."""
