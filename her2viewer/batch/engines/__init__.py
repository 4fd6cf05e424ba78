"""Who does the work of a batch: this machine, or a Dask cluster that the user names. Nothing else ever opens a connection."""
