"""What a training is made of: the settings, the files that hold them, and one file for every experiment."""
