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


def spark_schema(columns: Mapping[str, Column]) -> str:
    """Spell a table's columns as a job sees them: instants in UTC without a zone."""
    return ", ".join(f"{quoted(name)} {_SPARK[column.type]}" for name, column in columns.items())


def quoted(name: str) -> str:
    """Quote a name for Spark SQL."""
    return "`" + name.replace("`", "``") + "`"
