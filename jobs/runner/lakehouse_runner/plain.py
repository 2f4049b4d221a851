"""Values of Spark as JSON takes them."""

import datetime
import decimal
from collections.abc import Iterable, Sequence
from typing import Any


def plain_rows(rows: Iterable[Sequence[object]]) -> list[list[Any]]:
    """Give rows of such values."""
    return [[plain(value) for value in row] for row in rows]


def plain(value: Any) -> Any:
    """Give a value as JSON takes it: whole numbers as text, for JavaScript rounds them."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return str(value)
    if isinstance(value, decimal.Decimal):
        return float(value)
    if isinstance(value, datetime.datetime):
        return value.isoformat(sep=" ", timespec="milliseconds")
    if isinstance(value, datetime.date | bytearray):
        return str(value)
    return value
