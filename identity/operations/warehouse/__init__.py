"""Exports for warehouses: tables as Parquet files in a directory, run after run."""
