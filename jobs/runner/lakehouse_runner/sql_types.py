"""How the contract's types are spelled on Spark."""

from collections.abc import Mapping

from .manifest import Column, ColumnType

_SPARK: Mapping[ColumnType, str] = {
    "text": "string",
    "int": "bigint",
    "double": "double",
    "epochMillis": "timestamp_ntz",
    "isoDate": "date",
    "timestamp": "timestamp_ntz",
    "date": "date",
    "pseudonym": "string",
}
_WRITTEN: Mapping[ColumnType, str] = {**_SPARK, "epochMillis": "bigint", "isoDate": "string"}


def spark_schema(columns: Mapping[str, Column], refined: bool = True) -> str:
    """Spell a table's columns as a job sees them, instants in UTC without a zone; or as they are written."""
    types = _SPARK if refined else _WRITTEN
    return ", ".join(f"{quoted(name)} {types[column.type]}" for name, column in columns.items())


def quoted(*names: str) -> str:
    """Quote a name for Spark SQL, or the names that lead to it, divided by dots."""
    return ".".join("`" + name.replace("`", "``") + "`" for name in names)
