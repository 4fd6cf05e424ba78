"""What stands beside the tissue: the answer, and how to question it."""
