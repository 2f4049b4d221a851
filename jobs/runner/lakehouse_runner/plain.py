"""Reads the plain lines of landing files, many at once.

They are most of what lands, so their price is that of the table: one regular expression, made from the
contract, takes them apart in Arrow. What is not plain is not bad: `LineJudge` decides.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from .lines import MAX_LINE_BYTES, Record, range_of
from .manifest import Column, ColumnType

_REFINED: Final[Mapping[ColumnType, pa.DataType]] = {
    "text": pa.string(),
    "int": pa.int64(),
    "double": pa.float64(),
    "epochMillis": pa.timestamp("us"),
    "isoDate": pa.date32(),
}
_WRITTEN: Final[Mapping[ColumnType, pa.DataType]] = {
    **_REFINED,
    "epochMillis": pa.int64(),
    "isoDate": pa.string(),
}
"""How `LineJudge` gives the values."""

# How long a number may be is asked after, as a limit here makes the expression slow.
_WHOLE: Final = r"-?(?:0|[1-9][0-9]*)"
_MAX_CHARACTERS: Final[Mapping[ColumnType, int]] = {"int": 15, "epochMillis": 15, "double": 32}
"""Of whole numbers so that a double holds each of them, of others so that none is beyond a double."""
# Not the 29th of February, which not every year has, and no year below 1000, which has two spellings.
_DAY: Final = (
    r"[1-9][0-9]{3}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])"
    r"|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
)
_VALUES: Final[Mapping[ColumnType, tuple[str, str, str]]] = {
    # An empty text is never plain: Arrow gives it for what is missing too.
    "text": ('"', r'[^"\\\x00-\x1f]+', '"'),
    "int": ("", _WHOLE, ""),
    "double": ("", rf"{_WHOLE}(?:\.[0-9]+)?", ""),
    "epochMillis": ("", _WHOLE, ""),
    "isoDate": ('"', _DAY, '"'),
}
"""What stands before a plain value, the value, and what stands after it."""
_SPACE: Final = r"[ \t]*"


class PlainReader:
    """Reads the plain lines of a source.

    Such a line has the declared keys, or their aliases, in their order, and nothing else, each with a good
    value: a text without escapes, a number without an exponent. Nullable columns may be missing, except the
    first of all. What `LineJudge` gives for such a line is the same.
    """

    schema: pa.Schema
    """The rows as a job sees them: instants and days in their own types."""

    def __init__(self, columns: Mapping[str, Column]) -> None:
        """Take the contract."""
        self._columns = tuple(columns.values())
        self._pattern = _pattern(columns)
        self.schema = pa.schema(
            [pa.field(name, _REFINED[column.type], column.nullable) for name, column in columns.items()]
        )

    def read(self, lines: pa.Array) -> tuple[pa.RecordBatch, list[int]]:
        """Give the rows of the plain lines, which come without their ends, and the indices of all others."""
        found = pc.extract_regex(_texts(lines), self._pattern)
        plain = found.is_valid()
        values = []
        for group, column in zip(found.flatten(), self._columns, strict=True):
            value = pc.if_else(pc.equal(group, ""), None, group) if column.nullable else group
            limit = _MAX_CHARACTERS.get(column.type)
            if limit is not None:
                is_short = pc.less_equal(pc.binary_length(group), limit)
                value = pc.if_else(is_short, value, None).cast(_WRITTEN[column.type])
                plain = pc.and_kleene(plain, pc.and_(is_short, _is_within(value, column)))
            values.append(_refined(value, column))
        rows = pa.RecordBatch.from_arrays(values, schema=self.schema).filter(plain)
        return rows, pc.indices_nonzero(pc.invert(plain)).to_pylist()

    def rows(self, records: Sequence[Record]) -> pa.RecordBatch:
        """Give records of a `LineJudge` as such rows."""
        arrays = [
            _refined(pa.array([record[i] for record in records], _WRITTEN[column.type]), column)
            for i, column in enumerate(self._columns)
        ]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)


def _pattern(columns: Mapping[str, Column]) -> str:
    pairs = []
    for i, (name, column) in enumerate(columns.items()):
        keys = "|".join(re.escape(json.dumps(key, ensure_ascii=False)) for key in (name, *column.aliases))
        before, value, after = _VALUES[column.type]
        value = f"{before}(?P<c{i}>{value}){after}"
        if column.nullable:
            value = f"(?:{value}|null)"
        pair = f"{_SPACE}(?:{keys}){_SPACE}:{_SPACE}{value}{_SPACE}"
        if i > 0:
            pair = f"(?:,{pair})?" if column.nullable else f",{pair}"
        pairs.append(pair)
    return rf"^{_SPACE}\{{{''.join(pairs)}\}}{_SPACE},?{_SPACE}$"


def _texts(lines: pa.Array) -> pa.Array:
    """The lines as texts; null where they are none, or too long."""
    # What comes as texts, Arrow takes for UTF-8 unseen.
    lines = lines.cast(pa.binary())
    is_short = pc.less_equal(pc.binary_length(lines), MAX_LINE_BYTES)
    lines = pc.if_else(is_short, lines, None)
    try:
        return lines.cast(pa.string())
    except pa.ArrowInvalid:
        return pa.array([_text(line) for line in lines.to_pylist()], pa.string())


def _text(line: bytes | None) -> str | None:
    try:
        return None if line is None else line.decode()
    except UnicodeDecodeError:
        return None


def _is_within(numbers: pa.Array, column: Column) -> pa.Array:
    """Whether each number is in the range; none is."""
    low, high = range_of(column)
    numbers = numbers.cast(pa.float64())
    within = pc.and_(pc.greater_equal(numbers, low), pc.less_equal(numbers, high))
    return pc.fill_null(within, True)


def _refined(values: pa.Array, column: Column) -> pa.Array:
    """Values of a `LineJudge` as a job sees them."""
    if column.type == "epochMillis":
        return values.cast(pa.timestamp("ms")).cast(pa.timestamp("us"))
    if column.type == "isoDate":
        # The year 967 may come in three digits.
        return pc.utf8_lpad(values, 10, "0").cast(pa.date32())
    return values
