"""What a user sees, recorded: it holds a rebuild still. See ``record.py``."""
