"""Many pairs in the window: found, looked over, scored, summed up."""
