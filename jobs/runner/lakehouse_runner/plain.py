"""Values of Spark as JSON takes them."""

import datetime
import decimal
import math
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
    if isinstance(value, float) and not math.isfinite(value):
        # JSON has no number for it; the text is JavaScript's.
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, decimal.Decimal):
        return float(value)
    if isinstance(value, datetime.datetime):
        return value.isoformat(sep=" ", timespec="milliseconds")
    if isinstance(value, datetime.date | bytearray):
        return str(value)
    return value
