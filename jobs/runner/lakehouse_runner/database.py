"""DuckDB in a worker, and in it who was forgotten. It knows no rule."""

import tempfile
from collections.abc import Sequence
from typing import Any

import duckdb
import pyarrow as pa

from .manifest import ForgottenSql, PeopleSql
from .suppression import Forgotten

_SETTINGS: dict[str, Any] = {
    "threads": 1,
    "memory_limit": "1GB",
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}
_BLOCK_BYTES = 64


class Database:
    """A DuckDB of its own, which spills to a folder of its own."""

    def __init__(self) -> None:
        """Connect."""
        self._spill = tempfile.TemporaryDirectory()
        self._base = duckdb.connect(config={**_SETTINGS, "temp_directory": self._spill.name})

    def close(self) -> None:
        """Leave nothing."""
        self._base.close()
        self._spill.cleanup()

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        return self._base.execute(query).fetchall()

    def _make(self, table: str, query: str, **variables: Any) -> None:
        self._set(**variables)
        self._base.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS {query}")

    def _set(self, **variables: Any) -> None:
        for name, value in variables.items():
            self._base.execute(f"SET VARIABLE {name} = $1", [value])

    def _take(self, table: str, rows: pa.Table) -> None:
        self._base.register("_arrow", rows)
        self._make(table, "FROM _arrow")
        self._base.unregister("_arrow")

    def _ready(self, forgotten: Forgotten, sql: ForgottenSql | PeopleSql) -> None:
        """Make ready what the SQL asks. The key is in no text of SQL."""
        block = forgotten.key.ljust(_BLOCK_BYTES, b"\0")
        self._set(_inner=bytes(b ^ 0x36 for b in block), _outer=bytes(b ^ 0x5C for b in block))
        self._set(_subject=forgotten.subject)
        self._base.execute(sql.macro)
        listed = forgotten.entries
        self._take("_list", _table(kind=[e.kind for e in listed], hash=[e.hash for e in listed]))


def _table(**columns: Sequence[str]) -> pa.Table:
    return pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})
