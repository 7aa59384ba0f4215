"""Exports a destination's view to a warehouse: tables as Parquet files in a directory, run after run."""
