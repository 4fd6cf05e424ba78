"""From the state to what each view shows. Pure functions; every word of the panels is chosen here or in a room's own."""
