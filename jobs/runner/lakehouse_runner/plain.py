"""Reads the plain lines of landing files, many at once.

They are most of what lands, so their price is that of the table: one regular expression, made from the
contract, takes them apart in Arrow. What is not plain is not bad: `LineJudge` decides.
"""

import json
import re
from collections.abc import Mapping, Sequence
from functools import reduce
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
"""A double holds every whole number of that size; what Arrow makes of those beyond a double is not asked."""
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
_MOST_GROUPS: Final = 4
"""Up to so many, and where each byte tells how to go on, RE2 needs one look at a text: half the time."""


class PlainReader:
    """Reads the plain lines of a source.

    Such a line has the declared keys, or their aliases, in their order, and nothing else, each with a good
    value: a text without escapes, a number without an exponent. Nullable columns may be missing, except the
    first of all. What `LineJudge` gives for such a line is the same.
    """

    schema: pa.Schema
    """The rows as a job sees them, instants and days in their own types; or as they are written."""

    def __init__(self, columns: Mapping[str, Column], refined: bool = True) -> None:
        """Take the contract."""
        self._columns = tuple(columns.values())
        self._parts = _parts(columns)
        self._final = _refined if refined else _as_written
        types = _REFINED if refined else _WRITTEN
        self.schema = pa.schema(
            [pa.field(name, types[column.type], column.nullable) for name, column in columns.items()]
        )

    def read(self, lines: pa.Array) -> tuple[pa.RecordBatch, list[int]]:
        """Give the rows of the plain lines, which may have their ends, and the indices of all others."""
        texts = _texts(lines)
        groups: list[pa.Array] = []
        for part in self._parts:
            found = pc.extract_regex(texts, part)
            *taken, texts = found.flatten()
            groups += taken
        # What a part does not match, none after it does.
        faults = [found.is_null()] if found.null_count > 0 else []
        values = []
        for group, column in zip([*groups, texts], self._columns, strict=True):
            value = group
            if column.nullable and pc.any(pc.equal(group, "")).as_py():
                value = pc.if_else(pc.equal(group, ""), None, group)
            if column.type in _MAX_CHARACTERS:
                value, fault = _numbers(value, column)
                faults += fault
            values.append(self._final(value, column))
        rows = pa.RecordBatch.from_arrays(values, schema=self.schema)
        if not faults:
            return rows, []
        odd = reduce(pc.or_kleene, faults)
        return rows.filter(pc.invert(odd)), pc.indices_nonzero(odd).to_pylist()

    def rows(self, records: Sequence[Record]) -> pa.RecordBatch:
        """Give records of a `LineJudge` as such rows."""
        arrays = [
            self._final(pa.array([record[i] for record in records], _WRITTEN[column.type]), column)
            for i, column in enumerate(self._columns)
        ]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)


def _parts(columns: Mapping[str, Column]) -> list[str]:
    """One expression after the other, each for what the one before leaves over as its last group."""
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
    parts = []
    begin = rf"{_SPACE}\{{"
    while len(pairs) > _MOST_GROUPS:
        taken, pairs = pairs[: _MOST_GROUPS - 1], pairs[_MOST_GROUPS - 1 :]
        parts.append(rf"^{begin}{''.join(taken)}(?P<rest>[,}}](?s:.*))$")
        begin = ""
    return [*parts, rf"^{begin}{''.join(pairs)}\}}{_SPACE}(?:,{_SPACE})?\r?\n?$"]


def _texts(lines: pa.Array) -> pa.Array:
    """The lines as texts; null where they are none, or too long."""
    # What comes as texts, Arrow takes for UTF-8 unseen.
    lines = lines.cast(pa.binary())
    longest = pc.max(pc.binary_length(lines)).as_py() or 0
    # Not with if_else: of a slice of bytes, that of pyarrow 17 gives other values than are in it.
    if longest <= MAX_LINE_BYTES:
        try:
            return lines.cast(pa.string())
        except pa.ArrowInvalid:
            pass
    return pa.array([_text(line) for line in lines.to_pylist()], pa.string())


def _text(line: bytes) -> str | None:
    try:
        return line.decode() if len(line) <= MAX_LINE_BYTES else None
    except UnicodeDecodeError:
        return None


def _numbers(texts: pa.Array, column: Column) -> tuple[pa.Array, list[pa.Array]]:
    """The numbers of texts, and which of them are too long or out of range. Nearly always none is."""
    faults = []
    limit = _MAX_CHARACTERS[column.type]
    lengths = pc.binary_length(texts)
    if (pc.max(lengths).as_py() or 0) > limit:
        faults.append(pc.fill_null(pc.greater(lengths, limit), False))
        texts = pc.if_else(faults[0], None, texts)
    numbers = texts.cast(_WRITTEN[column.type])
    low, high = range_of(column)
    least, most = pc.min_max(numbers).values()
    if least.is_valid and not low <= least.as_py() <= most.as_py() <= high:
        exact = numbers.cast(pa.float64())
        outside = pc.or_(pc.less(exact, low), pc.greater(exact, high))
        faults.append(pc.fill_null(outside, False))
    return numbers, faults


def _refined(values: pa.Array, column: Column) -> pa.Array:
    """Values of a `LineJudge` as a job sees them."""
    if column.type == "epochMillis":
        return values.cast(pa.timestamp("ms")).cast(pa.timestamp("us"))
    if column.type == "isoDate":
        # The year 967 may come in three digits.
        return pc.utf8_lpad(values, 10, "0").cast(pa.date32())
    return values


def _as_written(values: pa.Array, _column: Column) -> pa.Array:
    return values
