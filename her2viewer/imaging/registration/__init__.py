"""Registration of an H&E image to its IHC image: by what both show, or by landmarks."""
