"""Which labelled pairs there are, which are one and the same, how they are split, and their pixels at training size."""
