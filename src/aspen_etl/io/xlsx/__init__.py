"""Workbooks, taken apart and checked before calamine reads them."""
