"""The membranes read without the network: their score beside the network's, and the cells over the tissue."""
