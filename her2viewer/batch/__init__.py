"""Many pairs: score them, write each as it comes, go on where a run was cut off."""
