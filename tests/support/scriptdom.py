"""Microsoft's parser of T-SQL, where it is at hand: a tool for tests, of which nothing ships.

The wheel ``mssql-cli`` 1.0.0 for manylinux1 carries ScriptDom and the runtime that it needs; the
variable ``ASPEN_ETL_SCRIPTDOM`` names the folder that it was unpacked to. ``pythonnet`` must be
installed. It knows the grammar of SQL Server 2019 and no table: it judges syntax alone.
"""

from __future__ import annotations

import ctypes
import functools
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.services import require_service

FOLDER = "ASPEN_ETL_SCRIPTDOM"


def parse_errors(text: str) -> list[tuple[int, int, str]]:
    """Give line, column and message of each error of syntax; skip where there is no parser."""
    parser, reader = _load()
    found = parser.Parse(reader(text), None)
    errors = found[1] if isinstance(found, tuple) else ()
    return [(each.Line, each.Column, each.Message) for each in errors]


@functools.cache
def _load() -> tuple[Any, Any]:
    folder = os.environ.get(FOLDER, "")
    require_service("ScriptDom", folder, f"{FOLDER} names no folder with it")
    pythonnet = pytest.importorskip("pythonnet", reason="pythonnet is not installed")
    os.environ.setdefault("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT", "1")
    bridge = Path(pythonnet.__file__).parent / "runtime" / "Python.Runtime.dll"
    place = Path(folder) / "mssqlcli" / "mssqltoolsservice" / "bin"
    pythonnet.set_runtime(_Runtime(place, bridge))
    clr = pytest.importorskip("clr")
    clr.AddReference("Microsoft.SqlServer.TransactSql.ScriptDom")
    dom = pytest.importorskip("Microsoft.SqlServer.TransactSql.ScriptDom")
    system = pytest.importorskip("System.IO")
    initial_quoted_identifiers = True
    return dom.TSql150Parser(initial_quoted_identifiers), system.StringReader


class _Runtime:
    """Host .NET in this process, as pythonnet asks its runtimes to."""

    def __init__(self, folder: Path, bridge: Path) -> None:
        self.library = ctypes.CDLL(str(folder / "libcoreclr.so"), mode=ctypes.RTLD_GLOBAL)
        trusted = [*map(str, sorted(folder.glob("*.dll"))), str(bridge)]
        given = {
            "TRUSTED_PLATFORM_ASSEMBLIES": ":".join(trusted),
            "APP_PATHS": str(folder),
            "NATIVE_DLL_SEARCH_DIRECTORIES": str(folder),
            "System.Globalization.Invariant": "true",
        }
        texts = ctypes.c_char_p * len(given)
        names = texts(*[name.encode() for name in given])
        values = texts(*[value.encode() for value in given.values()])
        self.host, self.domain = ctypes.c_void_p(), ctypes.c_uint()
        places = (ctypes.byref(self.host), ctypes.byref(self.domain))
        counted = (len(given), names, values)
        program = sys.executable.encode()
        assert self.library.coreclr_initialize(program, b"tests", *counted, *places) == 0

    def get_assembly(self, _path: str) -> _Runtime:
        """Give what functions are asked of."""
        return self

    def get_function(self, name: str, kind: Any = None) -> Any:
        """Give a function of the bridge, by its full name."""
        if kind is None:
            kind, _, name = name.rpartition(".")
        place = ctypes.c_void_p()
        asked = (b"Python.Runtime", str(kind).encode(), name.encode(), ctypes.byref(place))
        assert self.library.coreclr_create_delegate(self.host, self.domain, *asked) == 0
        shape = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int)
        function = shape(place.value or 0)

        def call(data: bytes) -> Any:
            buffer = ctypes.create_string_buffer(data, max(len(data), 1))
            return function(ctypes.cast(buffer, ctypes.c_void_p).value, len(data))

        return call

    def info(self) -> None:
        """Tell nothing."""

    def shutdown(self) -> None:
        """Let the process end it."""
