"""Parquet files, looked at before pyarrow believes them, and their columns as text."""
