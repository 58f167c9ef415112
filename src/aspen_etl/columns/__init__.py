"""Columns of text: what every room above does with them, by Arrow or by pandas."""
