"""What leaves the app: blended overlays, annotated pictures, tables and result files."""
