"""The reader's own score beside the model's: given by a key, first and blind where that is wished, compared over all cases."""
