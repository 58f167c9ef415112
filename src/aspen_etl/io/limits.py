"""How much of a file reading may take in, before it says that the file is too large."""

from __future__ import annotations

from dataclasses import dataclass, fields

__all__ = ["ReadLimits"]

_GIB = 1 << 30


@dataclass(frozen=True)
class ReadLimits:
    """Bound the memory and the time that a file, hostile or not, can cost.

    The defaults let through ten million records of CSV and every workbook that a
    spreadsheet program can show. A single cell of a CSV file may hold 131,072 characters (Excel
    stops at 32,767); this bound is fixed, since a longer one is a quote that was never closed.

    Attributes:
        max_file_bytes: The size of one file as it lies in the storage.
        max_uncompressed_bytes: The size of what is read from it once unpacked; for a
            workbook also the text of its cells, each repetition counted.
        max_compression_ratio: How many times larger a packed part may become.
        max_cells: The cells of the rectangle that a workbook's sheet spans: its reader takes
            memory for all of them, also for the empty ones.
        max_empty_cells: Those of them that are empty.
        max_cell_bytes: The text of one cell of a workbook, as its XML writes it; Excel's 32,767
            characters are less, however they are escaped.
        max_parts: The members of a zip file; of a workbook also its sheets and its formats.
        max_depth: The tags of a workbook's XML that are open at once.
        max_rows: The records of a file.
        max_columns: The columns of a sheet.
        max_line_bytes: The bytes between two line breaks of a CSV file: more than that is
            mostly a file without line breaks.

    Examples:
        >>> ReadLimits(max_rows=1_000).max_rows
        1000
    """

    max_file_bytes: int = 2 * _GIB
    max_uncompressed_bytes: int = 2 * _GIB
    max_compression_ratio: int = 200
    max_cells: int = 50_000_000
    max_empty_cells: int = 10_000_000
    max_cell_bytes: int = 262_144
    max_parts: int = 100_000
    max_depth: int = 100
    max_rows: int = 20_000_000
    max_columns: int = 16_384
    max_line_bytes: int = 32 << 20

    def __post_init__(self) -> None:
        """Refuse a limit that nothing could pass."""
        for each in fields(self):
            value = getattr(self, each.name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise ValueError(f"{each.name} must be a whole number of at least 1")
