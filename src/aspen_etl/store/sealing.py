"""A checksum in the last field of a JSON file: of its bytes as they are without that field."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Optional

__all__ = ["seal", "sealed", "unsealed"]


def seal(text: bytes, /) -> bytes:
    """Add the last field, ``sha256``: the checksum of the bytes as they are without it.

    Args:
        text: A JSON object as ``json.dumps(..., indent=1)`` lays it out, and a line feed.
    """
    digest = hashlib.sha256(text).hexdigest()
    return text.removesuffix(b"\n}\n") + f',\n "sha256": "{digest}"\n}}\n'.encode("ascii")


def sealed(values: Mapping[str, Any], /) -> bytes:
    """Give a file that holds values, sealed; of values that were read, the same bytes again."""
    plain = {name: value for name, value in values.items() if name != "sha256"}
    return seal(json.dumps(plain, indent=1).encode("ascii") + b"\n")


def unsealed(data: bytes, /) -> Optional[bytes]:
    """Give a file as it was before it was sealed; nothing where it is not as it was sealed."""
    text = data.rpartition(b',\n "sha256": "')[0] + b"\n}\n"
    return text if seal(text) == data else None
