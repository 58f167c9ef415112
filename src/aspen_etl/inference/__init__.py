"""A first model: what a source that nobody described holds, written as a model."""

__all__: list[str] = []
