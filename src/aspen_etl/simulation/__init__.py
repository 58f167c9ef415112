"""What a database and AWS DMS would do: histories in SQLite, and the files that land of them.

For the demo of the command line and for ``aspen_etl.testing``; no run on real data needs it.
"""
