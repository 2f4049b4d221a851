"""Reads one line of a landing file by contract.

A port of engines/landing/read-line.ts: both give the same verdict on the same bytes, to which
tests/readers-agree.test.ts holds them. A rule is changed in both.
"""

import json
import re
import sys
from collections.abc import Mapping
from decimal import Decimal
from typing import Final, NamedTuple, TypeAlias

from .manifest import Column

MAX_LINE_BYTES: Final = 1 << 20
"""Longer lines are refused unread."""
MAX_DEPTH: Final = 200
MAX_RAW_CHARACTERS: Final = 1 << 16
"""What quarantine keeps of a line, in UTF-16 units as TypeScript counts."""
MAX_SAFE_INTEGER: Final = (1 << 53) - 1

Record: TypeAlias = tuple[str | int | float | None, ...]
"""The values of a good line, in the columns' order: instants in milliseconds, days as they were written."""


class Refusal(NamedTuple):
    """Why a line is refused; the detail names keys and types, never a value."""

    reason: str
    detail: str


class LineJudge:
    """Judges the lines of a source."""

    def __init__(self, columns: Mapping[str, Column]) -> None:
        """Take the contract."""
        self._columns = [_Declared(name, column) for name, column in columns.items()]

    def judge(self, line: bytes) -> Record | Refusal | None:
        """Give the record of a line without its end, or why it is refused; nothing for a blank line.

        Takes a trailing comma, keys in any order, other case or an alias; ignores keys that the contract does
        not name. A byte-order mark before the first line is not part of it.
        """
        if len(line) > MAX_LINE_BYTES:
            return Refusal("LINE_TOO_LONG", f"longer than {MAX_LINE_BYTES} bytes")
        try:
            text = line.decode().strip(_SPACES)
        except UnicodeDecodeError:
            return Refusal("INVALID_ENCODING", "not UTF-8")
        if text == "":
            return None
        found = _object_in(text)
        if isinstance(found, Refusal):
            return found
        by_case: dict[str, list[str]] = {}
        for key in found:
            by_case.setdefault(_folded(key), []).append(key)
        values: list[str | int | float | None] = []
        for column in self._columns:
            value = column.read(found, by_case)
            if isinstance(value, Refusal):
                return value
            values.append(value)
        return tuple(values)


def raw_of(line: bytes) -> str:
    """Give what quarantine keeps of a refused line; bytes that are no UTF-8 as Latin-1."""
    kept = line if len(line) <= MAX_LINE_BYTES else _beginning_of(line)
    try:
        text = kept.decode()
    except UnicodeDecodeError:
        text = kept.decode("latin-1")
    if len(text) <= MAX_RAW_CHARACTERS // 2:
        return text
    # The cut may fall between the halves of a surrogate pair.
    return text.encode("utf-16-le")[: 2 * MAX_RAW_CHARACTERS].decode("utf-16-le", "replace")


def _beginning_of(line: bytes) -> bytes:
    """More than quarantine keeps, cut between two characters."""
    end = 4 * MAX_RAW_CHARACTERS
    # Text that is UTF-8 has three such bytes in a row at most.
    for _ in range(3):
        if line[end] & 0xC0 == 0x80:
            end -= 1
    return line[:end]


def range_of(column: Column) -> tuple[float, float]:
    """The declared range, closed by what the type itself can hold."""
    limit = sys.float_info.max if column.type == "double" else float(MAX_SAFE_INTEGER)
    low = -limit if column.min is None else max(column.min, -limit)
    high = limit if column.max is None else min(column.max, limit)
    return float(low), float(high)


class _Number(NamedTuple):
    """A number as it was written."""

    text: str


_Json: TypeAlias = "str | bool | _Number | list[_Json] | dict[str, _Json] | None"


class _Declared:
    """A column as its values are read."""

    def __init__(self, name: str, column: Column) -> None:
        self._name = name
        self._nullable = column.nullable
        self._type = column.type
        self._keys = tuple(dict.fromkeys(_folded(key) for key in (name, *column.aliases)))
        self._min, self._max = range_of(column)

    def read(
        self, record: dict[str, _Json], by_case: dict[str, list[str]]
    ) -> str | int | float | Refusal | None:
        keys = [key for folded in self._keys for key in by_case.get(folded, ())]
        if len(keys) > 1:
            named = " and ".join(f'"{key}"' for key in keys)
            return Refusal("DUPLICATE_KEY", f"{named} both stand for {self._name}")
        value = record[keys[0]] if keys else None
        if value is None or (value == "" and not self._nullable):
            if self._nullable:
                return None
            what = "is missing" if not keys else "is null" if value is None else "is empty"
            return Refusal("MISSING_REQUIRED", f"{self._name} {what}")
        if self._type in ("text", "isoDate"):
            return self._text(value)
        return self._number(value)

    def _text(self, value: _Json) -> str | Refusal:
        if not isinstance(value, str):
            return self._wrong(f"a string, found {_type_of(value)}")
        if _NUL_OR_HALF.search(value):
            return Refusal("INVALID_ENCODING", f"{self._name} holds a NUL or half a surrogate pair")
        if self._type == "isoDate" and not _is_calendar_day(value):
            return self._wrong("a day written YYYY-MM-DD")
        return value

    def _number(self, value: _Json) -> int | float | Refusal:
        if not isinstance(value, _Number):
            return self._wrong(f"a number, found {_type_of(value)}")
        if self._type != "double" and not _WHOLE.fullmatch(value.text):
            return self._wrong("a whole number")
        number = float(value.text)
        if not self._min <= number <= self._max:
            between = f"{_as_javascript(self._min)} and {_as_javascript(self._max)}"
            return Refusal("OUT_OF_RANGE", f"{self._name} should be between {between}")
        return number if self._type == "double" else int(number)

    def _wrong(self, expected: str) -> Refusal:
        return Refusal("WRONG_TYPE", f"{self._name} should be {expected}")


_SPACES = " \t\f\v"
_NUL_OR_HALF = re.compile("[\0\ud800-\udfff]")
_WHOLE = re.compile(r"-?[0-9]+")
_REST = re.compile(r"[ \t\f\v]*,?")
_UPPER = re.compile("[A-Z]+")
# The quantifiers never give back: a string is passed over in one go, be it closed or not.
_NESTING = re.compile(r'[{[\]}]|"(?:[^"\\]++|\\.)*+"?', re.DOTALL)


def _folded(key: str) -> str:
    """A key in one case, that of ASCII letters: of others it depends on the version of Unicode."""
    return key.lower() if key.isascii() else _UPPER.sub(lambda letters: letters[0].lower(), key)


def _object_in(text: str) -> dict[str, _Json] | Refusal:
    """Read the one object of a line, which may have a comma after it."""
    end = _end_of_nesting(text) if text[0] in "{[" else None
    if end == _TOO_DEEP:
        return Refusal("NOT_JSON", f"nested deeper than {MAX_DEPTH} levels")
    if text[0] != "{":
        try:
            _whole(text.removesuffix(","))
        except ValueError:
            return Refusal("NOT_JSON", "the line does not begin with {")
        what = "a JSON array" if text[0] == "[" else "a JSON value"
        return Refusal("NOT_AN_OBJECT", f"{what}; a line holds one object")
    if end is None:
        return Refusal("TRUNCATED", "the object is not closed")
    if not _REST.fullmatch(text, end):
        # Columns count UTF-16 units, as in TypeScript.
        column = len(text[:end].encode("utf-16-le")) // 2 + 1
        return Refusal("TRAILING_TEXT", f"text after the object, from column {column}")
    try:
        record = _whole(text[:end])
    except _DuplicateKeyError:
        return Refusal("DUPLICATE_KEY", "a key stands twice with different values")
    except ValueError:
        return Refusal("NOT_JSON", "the braces close, but what is between them is not JSON")
    assert isinstance(record, dict)
    return record


_TOO_DEEP = -1


def _end_of_nesting(text: str) -> int | None:
    """Index after the brace or bracket that closes the first one, if one does."""
    depth = 0
    for token in _NESTING.finditer(text):
        first = text[token.start()]
        if first in "{[":
            depth += 1
            if depth > MAX_DEPTH:
                return _TOO_DEEP
        elif first in "]}":
            depth -= 1
            if depth == 0:
                return token.end()
    return None


class _DuplicateKeyError(ValueError):
    """A key stands twice with different values."""


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


_SCALARS = json.JSONDecoder(parse_constant=_no_constant)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
# What begins as a number is one to its end: `json` takes the 1 of "1." and stumbles over the point later.
_NUMBER_BEGUN = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]*)?(?:[eE][+-]?[0-9]*)?")
_JSON_SPACES = re.compile(r"[ \t\n\r]*")


def _whole(text: str) -> _Json:
    value, end = _value(text, 0)
    if end < len(text):
        raise ValueError("text after the value")
    return value


def _value(text: str, start: int) -> tuple[_Json, int]:
    """Read the value that begins at `start` or after spaces, and pass over the spaces after it.

    Objects and arrays are not left to `json`: where a line has several faults, the first one is its reason,
    and that may be a key that stands twice in an object which is not read to its end.
    """
    at = _after_spaces(text, start)
    first = text[at : at + 1]
    value: _Json
    if first == "{":
        record: dict[str, _Json] = {}
        at = _after_spaces(text, at + 1)
        while text[at : at + 1] != "}":
            if record:
                at = _after_spaces(text, _after(",", text, at))
            if text[at : at + 1] != '"':
                raise ValueError("no key")
            key, at = _SCALARS.raw_decode(text, at)
            value, at = _value(text, _after(":", text, _after_spaces(text, at)))
            if key in record and not _same(value, record[key]):
                raise _DuplicateKeyError
            record[key] = value
        value, at = record, at + 1
    elif first == "[":
        items: list[_Json] = []
        at = _after_spaces(text, at + 1)
        while text[at : at + 1] != "]":
            item, at = _value(text, _after(",", text, at) if items else at)
            items.append(item)
        value, at = items, at + 1
    elif number := _NUMBER_BEGUN.match(text, at):
        if not _NUMBER.fullmatch(number[0]):
            raise ValueError("no number")
        value, at = _Number(number[0]), number.end()
    else:
        value, at = _SCALARS.raw_decode(text, at)
    return value, _after_spaces(text, at)


def _after_spaces(text: str, at: int) -> int:
    match = _JSON_SPACES.match(text, at)
    return match.end() if match else at


def _after(mark: str, text: str, at: int) -> int:
    if text[at : at + 1] != mark:
        raise ValueError(f"no {mark}")
    return at + 1


class _Absent:
    """What a key stands for that an object does not have."""


# What JavaScript's objects and arrays, and the numbers of lossless-json, have as `__proto__`.
_OBJECTS: Final[_Json] = {}
_ARRAYS: Final[_Json] = []
_NUMBERS: Final[_Json] = {}


def _same(a: "_Json | _Absent", b: "_Json | _Absent") -> bool:
    """Whether lossless-json takes two values of one key as equal.

    It compares numbers as they are written; arrays with objects, and numbers with objects, by their keys; and
    a key `__proto__` with what an object that lacks it has from JavaScript.
    """
    if isinstance(a, list) and isinstance(b, list) and len(a) != len(b):
        return False
    some, others = _members(a), _members(b)
    if some is None or others is None:
        return type(a) is type(b) and a == b
    for key in {**some, **others}:  # noqa: SIM110 - a generator would take a second frame a level
        if not _same(_member(a, some, key), _member(b, others, key)):
            return False
    return True


def _members(value: "_Json | _Absent") -> dict[str, _Json] | None:
    if isinstance(value, list):
        return {str(i): item for i, item in enumerate(value)}
    if isinstance(value, _Number):
        return {"value": value.text, "isLosslessNumber": True}
    return value if isinstance(value, dict) else None


def _member(value: "_Json | _Absent", members: dict[str, _Json], key: str) -> "_Json | _Absent":
    if key in members:
        return members[key]
    if key != "__proto__":
        return _Absent()
    if isinstance(value, _Number):
        return _NUMBERS
    if isinstance(value, list) and value is not _ARRAYS:
        return _ARRAYS
    return None if value is _OBJECTS else _OBJECTS


def _type_of(value: _Json) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, _Number):
        return "number"
    if isinstance(value, list):
        return "array"
    return "string" if isinstance(value, str) else "object"


_DAY = re.compile(r"(?!0+-)([0-9]{3,4})-([0-9]{2})-([0-9]{2})")
_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def _is_calendar_day(text: str) -> bool:
    """Whether it is a day: YYYY-MM-DD, or YYY-MM-DD as the website writes the year 967."""
    match = _DAY.fullmatch(text)
    if match is None:
        return False
    year, month, day = (int(part) for part in match.groups())
    if not 1 <= month <= 12:
        return False
    leap = month == 2 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return 1 <= day <= _DAYS[month - 1] + leap


def _as_javascript(number: float) -> str:
    """The number as JavaScript writes it."""
    if number == 0:
        return "0"
    if 1e-6 <= abs(number) < 1e21:
        return f"{Decimal(repr(number)):f}".removesuffix(".0")
    return repr(number).replace("e-0", "e-")
