"""Tests of the reader of plain lines."""

import random
from collections.abc import Mapping
from datetime import UTC, date, datetime

import pyarrow as pa
import pytest
from lakehouse_runner.lines import MAX_LINE_BYTES, LineJudge, Record, Refusal
from lakehouse_runner.manifest import Column, ColumnType
from lakehouse_runner.plain import PlainReader

READINGS = {
    "user": Column("text", False),
    "timestamp": Column("epochMillis", False, ("timeStamp",), 946684800000, 4102444800000),
    "x": Column("double", False, (), -16, 16),
}
PLAIN = '{"user":"a","timestamp":1655564444103,"x":-0.5}'


def read(columns: Mapping[str, Column], *lines: str | bytes) -> tuple[list[dict[str, object]], list[int]]:
    """Read lines by a contract."""
    encoded = [line.encode() if isinstance(line, str) else line for line in lines]
    rows, others = PlainReader(columns).read(pa.array(encoded, pa.binary()))
    return rows.to_pylist(), others


def test_rows_are_as_a_job_sees_them() -> None:
    """Instants and days have their own types, and every value that of its column."""
    columns = {**READINGS, "n": Column("int", True), "day": Column("isoDate", True)}
    reader = PlainReader(columns)
    assert reader.schema == pa.schema(
        [
            pa.field("user", pa.string(), False),
            pa.field("timestamp", pa.timestamp("us"), False),
            pa.field("x", pa.float64(), False),
            pa.field("n", pa.int64(), True),
            pa.field("day", pa.date32(), True),
        ]
    )
    line = f'{PLAIN[:-1]},"n":7,"day":"1815-12-10"}}'.encode()
    rows, others = reader.read(pa.array([line], pa.binary()))
    assert others == []
    at = datetime.fromtimestamp(1655564444, UTC).replace(tzinfo=None, microsecond=103_000)
    values = {"user": "a", "timestamp": at, "x": -0.5, "n": 7, "day": date(1815, 12, 10)}
    assert rows.to_pylist() == [values]
    assert rows.schema == reader.schema
    record = LineJudge(columns).judge(line)
    assert record is not None
    assert not isinstance(record, Refusal)
    assert reader.rows([record]).equals(rows)
    assert reader.rows([]).schema == reader.schema


def test_rows_may_be_as_they_are_written() -> None:
    """Instants are milliseconds then, and days texts."""
    columns = {"at": Column("epochMillis", True), "day": Column("isoDate", True)}
    reader = PlainReader(columns, refined=False)
    rows, _ = reader.read(pa.array([b'{"at":1655564444103,"day":"1815-12-10"}'], pa.binary()))
    assert rows.to_pylist() == [{"at": 1655564444103, "day": "1815-12-10"}]
    assert reader.rows([(1655564444103, "1815-12-10")]).equals(rows)


def test_a_slice_is_read_as_it_is() -> None:
    """Pyarrow 17 has functions that give other values of a slice of bytes than are in it."""
    all_lines = [PLAIN.replace('"a"', f'"{i}"').encode() for i in range(6)]
    all_lines[3] = b"{}"
    all_lines[4] = PLAIN.replace('"a"', f'"{"a" * MAX_LINE_BYTES}"').encode()
    rows, others = PlainReader(READINGS).read(pa.array(all_lines, pa.binary()).slice(2))
    assert [row["user"] for row in rows.to_pylist()] == ["2", "5"]
    assert others == [1, 2]


def test_no_lines_give_no_rows() -> None:
    """A batch may be empty, or hold no plain line."""
    assert read(READINGS) == ([], [])
    assert read(READINGS, "", "{}") == ([], [0, 1])


@pytest.mark.parametrize(
    "line",
    [
        PLAIN,
        f"\t {PLAIN} , ",
        f"{PLAIN}\n",
        f"{PLAIN},\r\n",
        f"{PLAIN}\r",
        PLAIN.replace(":", "\t: ").replace(",", " ,\t"),
        PLAIN.replace("timestamp", "timeStamp"),
        PLAIN.replace('"a"', '"é\x7f\U0001f600{},:"'),
        PLAIN.replace("-0.5", "16.000"),
        PLAIN.replace("-0.5", "-0"),
    ],
)
def test_plain_lines(line: str) -> None:
    """A good line is plain however it is spaced."""
    assert read(READINGS, line)[1] == []


@pytest.mark.parametrize(
    "line",
    [
        "",
        f"{PLAIN}x",
        f"{PLAIN},,",
        f"{PLAIN}\n\n",
        f"{PLAIN}\n,",
        f"\n{PLAIN}",
        f"\ufeff{PLAIN}",
        PLAIN[:-1],
        PLAIN.replace('"a"', '""'),
        PLAIN.replace('"a"', "null"),
        PLAIN.replace('"a"', '"\\n"'),
        PLAIN.replace('"a"', '"\t"'),
        PLAIN.replace('"a"', '"\0"'),
        PLAIN.replace("user", "USER"),
        PLAIN.replace("-0.5", "16.001"),
        PLAIN.replace("-0.5", "1e0"),
        PLAIN.replace("-0.5", "01"),
        PLAIN.replace("-0.5", "1."),
        PLAIN.replace("-0.5", "9" * 400),
        PLAIN.replace("1655564444103", "1655564444"),
        PLAIN.replace("1655564444103", "1655564444103.0"),
        PLAIN.replace("1655564444103", "9" * 30),
        PLAIN.replace(',"x"', ',"y":1,"x"'),
        PLAIN.replace('"a"', '"\xe9"').encode("latin-1"),
        PLAIN.replace('"a"', f'"{"a" * MAX_LINE_BYTES}"'),
    ],
)
def test_other_lines(line: str | bytes) -> None:
    """What is not plain is left, and the lines beside it are not."""
    rows, others = read(READINGS, PLAIN, line, PLAIN)
    assert others == [1]
    assert [row["x"] for row in rows] == [-0.5, -0.5]


def test_missing_values() -> None:
    """Of nullable columns all but the first may be missing; an empty text is not a missing one."""
    columns = {name: Column("text", True) for name in "abc"}
    lines = ['{"a":null}', '{"a":"1","c":"3"}', '{"a":null,"b":"2","c":null}']
    left = ["{}", '{"b":"2"}', '{"a":""}', '{"a":null,"b":""}', '{"a":null,}', '{"a":null,,"c":"3"}']
    rows, others = read(columns, *lines, *left)
    assert [tuple(row.values()) for row in rows] == [(None, None, None), ("1", None, "3"), (None, "2", None)]
    assert others == list(range(len(lines), len(lines) + len(left)))


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("2000-01-31", True),
        ("2000-04-30", True),
        ("2000-02-28", True),
        ("2000-02-29", False),
        ("2000-02-30", False),
        ("2000-04-31", False),
        ("2000-13-01", False),
        ("2000-00-01", False),
        ("2000-01-00", False),
        ("967-01-01", False),
        ("0967-01-01", False),
    ],
)
def test_days(written: str, plain: bool) -> None:
    """Days that every year has are plain."""
    rows, others = read({"day": Column("isoDate", False)}, f'{{"day":"{written}"}}')
    assert others == ([] if plain else [0])
    assert [row["day"] for row in rows] == ([date.fromisoformat(written)] if plain else [])


@pytest.mark.parametrize("written", ["967-01-01", "0967-01-01"])
def test_days_before_the_year_1000(written: str) -> None:
    """Both spellings are one day."""
    rows = PlainReader({"day": Column("isoDate", True)}).rows([(written,), (None,)])
    assert [row["day"] for row in rows.to_pylist()] == [date(967, 1, 1), None]


@pytest.mark.parametrize("limit", [(1 << 53) - 1, 1 - (1 << 53)])
def test_instants_that_no_datetime_has(limit: int) -> None:
    """Instants without a declared range reach as far as whole numbers do."""
    rows = PlainReader({"at": Column("epochMillis", False)}).rows([(limit,)])
    assert rows.column(0).cast(pa.int64()).to_pylist() == [limit * 1000]


def test_what_comes_as_texts_is_checked_too() -> None:
    """Arrow takes bytes for texts unseen, and its expressions take half a surrogate pair for a character."""
    unchecked = pa.array([b'{"v":"\xed\xa0\x80"}', b'{"v":"a"}'], pa.binary()).view(pa.string())
    rows, others = PlainReader({"v": Column("text", False)}).read(unchecked)
    assert (rows.to_pylist(), others) == ([{"v": "a"}], [0])


TYPES: tuple[ColumnType, ...] = ("text", "int", "double", "epochMillis", "isoDate")
VALUES: Mapping[ColumnType, tuple[str, ...]] = {
    "text": ('"a"', '"é,"', '""', '"\\u0041"', "1"),
    "int": ("0", "-0", "-17", "999999999999999", "1000000000000000", "1.0", '""'),
    "double": ("0", "-0.0", "0.1", "-1.5", "1e3", "9" * 31, f"0.{'3' * 40}", "true"),
    "epochMillis": ("0", "1655564444103", "-62135596800001", "9007199254740991", "null"),
    "isoDate": ('"2000-02-29"', '"1999-12-31"', '"967-01-01"', '"1900-02-29"'),
}


def test_rows_of_plain_lines_are_what_the_judge_gives() -> None:
    """Never does a plain line have another value, or one that the judge refuses."""
    rng = random.Random(1)
    plain = 0
    for _ in range(300):
        columns = {
            name: Column(rng.choice(TYPES), rng.random() < 0.5, (), rng.choice([None, None, -17, 0.1]))
            for name in "abcd"[: rng.randint(1, 4)]
        }
        lines = [_line(rng, columns).encode() for _ in range(50)]
        reader, judge = PlainReader(columns), LineJudge(columns)
        rows, others = reader.read(pa.array(lines, pa.binary()))
        taken = sorted(set(range(len(lines))) - set(others))
        verdicts = [judge.judge(lines[i]) for i in taken]
        records: list[Record] = [v for v in verdicts if v is not None and not isinstance(v, Refusal)]
        assert len(records) == len(verdicts)
        assert rows.equals(reader.rows(records))
        plain += len(taken)
    assert plain > 2000


def _line(rng: random.Random, columns: Mapping[str, Column]) -> str:
    pairs = []
    for name, column in columns.items():
        if rng.random() < 0.1:
            continue
        value = "null" if rng.random() < 0.1 else rng.choice(VALUES[column.type])
        pairs.append(f'"{name}":{value}')
    if rng.random() < 0.1:
        rng.shuffle(pairs)
    line = "{" + rng.choice([",", " , "]).join(pairs) + "}"
    if rng.random() < 0.1:
        at = rng.randrange(len(line))
        line = line[:at] + rng.choice(['"', ",", "}", "x", "\\", "0", "", "-"]) + line[at + 1 :]
    return line


def test_slices_are_read_as_what_is_in_them() -> None:
    """Some of Arrow's functions give wrong values of a slice."""
    lines = [PLAIN.replace("-0.5", str(i)).encode() for i in range(12)]
    lines[5] = b""
    lines[8] = PLAIN.replace('"a"', '"\xe9"').encode("latin-1")
    lines[11] = PLAIN.replace('"a"', f'"{"a" * MAX_LINE_BYTES}"').encode()
    reader = PlainReader(READINGS)
    whole = pa.array(lines, pa.binary())
    for at in range(len(lines)):
        for end in range(at, len(lines) + 1):
            rows, others = reader.read(whole.slice(at, end - at))
            odd = [i for i in (5, 8, 11) if at <= i < end]
            assert others == [i - at for i in odd]
            assert rows.column(2).to_pylist() == [i for i in range(at, end) if i not in odd]


def test_rows_as_they_are_written() -> None:
    """Whoever asks for it gets instants as numbers and days as the texts that came."""
    columns = {"at": Column("epochMillis", False), "day": Column("isoDate", True)}
    reader = PlainReader(columns, refined=False)
    assert reader.schema == pa.schema([pa.field("at", pa.int64(), False), pa.field("day", pa.string(), True)])
    rows, others = reader.read(pa.array([b'{"at":-7,"day":"2000-01-31"}', b'{"at":8}'], pa.binary()))
    assert (rows.schema, others) == (reader.schema, [])
    assert [tuple(row.values()) for row in rows.to_pylist()] == [(-7, "2000-01-31"), (8, None)]
    assert reader.rows([(9, "967-01-01")]).to_pylist() == [{"at": 9, "day": "967-01-01"}]
