"""The product's work without a screen: demo, score, model."""
