"""A Spark of several processes, in an environment of its own, for tests."""
