"""Tests of how the files of a source are read on Spark: rows, counts, and the places of what is refused."""

import gzip
import json
import os
import random
from pathlib import Path
from typing import Any

import pytest
from contract import Contract, source_of
from lakehouse_runner import blocks, landing
from lakehouse_runner.errors import tell
from lakehouse_runner.files import list_files
from lakehouse_runner.landing import Account, Landing
from listed import listed
from pyspark.sql import SparkSession

COLUMNS = {
    "user": Contract("text"),
    "at": Contract("epochMillis", min=0, max=4102444800000),
    "day": Contract("isoDate", nullable=True),
}
ACCELEROMETER = {
    "user": Contract("text"),
    "timestamp": Contract("epochMillis", aliases=("timeStamp",), min=0, max=4102444800000),
    "x": Contract("double"),
    "y": Contract("double"),
    "z": Contract("double"),
}


def write(folder: Path, files: dict[str, bytes]) -> None:
    """Write files."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)


def places(read: Landing, account: Account) -> list[tuple[str, int | None, int | None, str]]:
    """Give what was refused: where and why."""
    rows = read.quarantine(account).collect()
    return sorted(
        ((row.file, row.line, row.record, row.reason) for row in rows),
        key=lambda place: (place[0], place[1] or 0, place[2] or 0),
    )


def some_file(rng: random.Random, name: str) -> tuple[bytes, list[str], list[tuple[str, int, None, str]]]:
    """Write lines of all kinds. Give the users of the good ones and the places of others, too."""
    lines = []
    users = []
    refused: list[tuple[str, int, None, str]] = []
    for i in range(rng.choice([1, 50, 200])):
        good = json.dumps({"user": f"{name} {i}", "at": i, "day": "2000-01-31"})
        plain = good.replace(" ", "") if rng.random() < 0.5 else good.replace('"user"', '"USER"')
        line = rng.choice([plain, plain, plain, plain, "", "{bad", good[:20], '{"user":"a","at":-1}'])
        lines.append(line)
        if line == plain:
            users.append(json.loads(line).get("user") or json.loads(line)["USER"])
        elif line:
            refused.append((name, i + 1, None, "OUT_OF_RANGE" if "-1" in line else "TRUNCATED"))
    if not any(lines):
        return b"", [], [(name, None, None, "EMPTY_FILE")]  # type: ignore[list-item]
    end = rng.choice(["\n", "\r\n"])
    return (end.join(lines) + rng.choice(["", end])).encode(), users, refused


def test_many_blocks_are_one_file(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However a file is cut, its lines are counted from its beginning."""
    rng = random.Random(5)
    for size in (50, 1000, 1 << 20):
        monkeypatch.setattr(blocks, "BLOCK_BYTES", size)
        monkeypatch.setattr(landing, "BLOCK_BYTES", size)
        # Else there is one task; and with it one of Spark's batches a block.
        monkeypatch.setattr(landing, "_LEAST_BYTES", 3000)
        names = ["a.json", "b.json", "c d.json", "e/f.json", "g.json.gz", "[h]*.json"]
        folder = tmp_path / str(size)
        made = {name: some_file(rng, name) for name in names}
        write(folder, {name: content for name, (content, _, _) in made.items()})
        read = Landing(spark, source_of(folder, COLUMNS))
        assert sorted(row.user for row in read.rows.collect()) == sorted(
            user for _, users, _ in made.values() for user in users
        )
        account = read.account()
        refused = [place for _, _, places_ in made.values() for place in places_]
        assert account.accepted == sum(len(users) for _, users, _ in made.values())
        assert sorted(map(str, places(read, account))) == sorted(map(str, refused))
        assert account.bytes == sum(len(content) for content, _, _ in made.values())


RECORD = '{"user":"%s","timestamp":%d,"x":1.5,"y":-0.5,"z":0.0}'
RECORDS = [RECORD % (f"u{i}@x.org", i) for i in range(40)]
TEN = RECORDS[:10]


def pretty(records: list[str], indent: int) -> list[str]:
    """Spread records over lines."""
    return [json.dumps(json.loads(record), indent=indent) for record in records]


CASES: dict[str, tuple[bytes, int, list[tuple[int | None, int | None, str]]]] = {
    "one a line": ("\n".join(RECORDS).encode(), 40, []),
    "concatenated": ("".join(RECORDS).encode(), 40, []),
    "concatenated, mixed": (("\n".join(RECORDS[:20]) + "\n" + ", ".join(RECORDS[20:])).encode(), 40, []),
    "an array on one line": (f"[{','.join(TEN)}]".encode(), 10, []),
    "an array, pretty": (json.dumps([json.loads(record) for record in TEN], indent=2).encode(), 10, []),
    "objects, pretty": ("\n".join(pretty(TEN, 4)).encode(), 10, []),
    "trailing commas": (",\n".join(TEN).encode() + b",\n", 10, []),
    "two marks": (
        b"\n".join(b"\xef\xbb\xbf" + "\n".join(half).encode() for half in (TEN[:5], TEN[5:])),
        10,
        [],
    ),
    "not a number": (
        "\n".join([*RECORDS[:7], RECORDS[7].replace("1.5", "NaN"), *RECORDS[7:]]).encode(),
        40,
        [(8, None, "WRONG_TYPE")],
    ),
    "a broken one of several": (
        "\n".join([TEN[0], ",".join([TEN[1], "{bad}", TEN[2]]), TEN[3]]).encode(),
        4,
        [(2, 2, "NOT_JSON")],
    ),
    "a broken one among pretty": (
        "\n".join([*pretty(TEN[:2], 2), "{bad", *pretty(TEN[2:4], 2)]).encode(),
        4,
        [(15, None, "TRUNCATED")],
    ),
    "no UTF-8": (
        b"\n".join([TEN[0].encode(), b'{"user":"\xff"}', TEN[1].encode()]),
        2,
        [(2, None, "INVALID_ENCODING")],
    ),
    "utf-16": ("\n".join(TEN).encode("utf-16"), 0, [(None, None, "UNREADABLE_FILE")]),
    "blank": (b" \n\n", 0, [(None, None, "EMPTY_FILE")]),
    "blank for long": (b" \n" * 5000, 0, [(None, None, "EMPTY_FILE")]),
    "after many blank lines": (b" \n" * 5000 + "\n".join(TEN).encode(), 10, []),
    "nothing": (b"", 0, [(None, None, "EMPTY_FILE")]),
    "bzip2": (b"BZh91AY&SY" + bytes(50), 0, [(None, None, "UNREADABLE_FILE")]),
    "zip": (b"PK\x03\x04" + bytes(50), 0, [(None, None, "UNREADABLE_FILE")]),
    "30,000 on one line beside others": (
        b"\n".join(["\n".join(RECORDS * 100).encode(), "".join(RECORDS * 750).encode(), RECORDS[0].encode()]),
        34_001,
        [],
    ),
}


@pytest.mark.parametrize("packed", [False, True])
def test_every_shape_is_read(spark: SparkSession, tmp_path: Path, packed: bool) -> None:
    """Each alone and all of them as files of one source, packed or not."""
    names = {case: f"{i}.json{'.gz' if packed else ''}" for i, case in enumerate(CASES)}
    write(tmp_path, {names[case]: content for case, (content, _, _) in CASES.items()})
    read = Landing(spark, source_of(tmp_path, ACCELEROMETER))
    account = read.account()
    expected = {
        (names[case], line, record, reason)
        for case, (_, _, refused) in CASES.items()
        for line, record, reason in refused
    }
    assert set(places(read, account)) == expected
    assert account.accepted == sum(accepted for _, accepted, _ in CASES.values())
    assert account.failure is not None
    assert account.failure.startswith("3 files cannot be read.")
    details = {row.file: row.detail for row in read.quarantine(account).collect()}
    assert "NaN" in details[names["not a number"]]


def test_a_line_that_is_too_long_is_refused_by_its_beginning(spark: SparkSession, tmp_path: Path) -> None:
    """All its bytes count; what stands behind it is read."""
    long = b"{bad " + ",".join(RECORDS).encode() * 8000
    assert len(long) > 16 << 20
    write(tmp_path, {"a.json": b"\n".join([TEN[0].encode(), long, TEN[1].encode(), b"{bad"])})
    read = Landing(spark, source_of(tmp_path, ACCELEROMETER))
    account = read.account()
    assert account.accepted == 2
    assert places(read, account) == [
        ("a.json", 2, None, "LINE_TOO_LONG"),
        ("a.json", 4, None, "TRUNCATED"),
    ]
    assert 0 <= account.refused_bytes - len(long) - 4 <= 1
    assert max(len(row.raw) for row in read.quarantine(account).collect()) == 1 << 16


def test_every_refused_line_of_a_block_is_kept(spark: SparkSession, tmp_path: Path) -> None:
    """DuckDB gives them in batches, between which names of files are asked for."""
    write(tmp_path, {"bad.json": b"{bad\n" * 2500})
    read = Landing(spark, source_of(tmp_path, COLUMNS))
    account = read.account()
    assert account.quarantined == 2500
    assert read.quarantine(account).count() == 2500


def test_the_verdict_names_the_first(spark: SparkSession, tmp_path: Path) -> None:
    """Beyond a share of the records, or of their bytes."""
    write(tmp_path, {"a.json": b'{"user":"a","at":1}\n' * 20 + b"{bad\n" * 4 + b"{" + b"x" * 999})
    source = source_of(tmp_path, COLUMNS, share=0.3)
    failure = Landing(spark, source).account().failure
    assert failure is not None
    assert failure.split("\n")[1:] == [
        "  a.json, line 21: TRUNCATED, the object is not closed",
        "  a.json, line 22: TRUNCATED, the object is not closed",
        "  a.json, line 23: TRUNCATED, the object is not closed",
    ]
    assert failure.startswith("5 of 25 records are refused, 20 %, which are 71.")
    assert Landing(spark, source_of(tmp_path, COLUMNS, share=0.8)).account().failure is None


@pytest.mark.parametrize("packed", [False, True])
def test_a_file_that_changes_is_not_read(spark: SparkSession, tmp_path: Path, packed: bool) -> None:
    """Also where the new one is as long."""
    name = "a.json.gz" if packed else "a.json"
    write(tmp_path, {name: b'{"user":"a","at":1}\n'})
    read = Landing(spark, source_of(tmp_path, COLUMNS))
    path = tmp_path / name
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content)
    os.utime(path, ns=(1, 1))
    with pytest.raises(Exception, match="was changed while it was read") as error:
        read.rows.collect()
    assert tell(error.value) == f"file:{path} was changed while it was read; run the job again"


def test_what_no_query_asked_for_is_read_for_the_account(spark: SparkSession, tmp_path: Path) -> None:
    """Spark reads no rows of which it needs none, and some of them where a few are enough."""
    files = {f"{i}.json": b'{"user":"a","at":1}\n{bad\n' for i in range(4)}
    write(tmp_path, files)
    read = Landing(spark, source_of(tmp_path, COLUMNS))
    assert len(read.rows.limit(1).collect()) == 1
    account = read.account()
    assert (account.accepted, account.reasons) == (4, {"TRUNCATED": 4})
    assert places(read, account) == [(name, 2, None, "TRUNCATED") for name in files]


def test_what_is_read_twice_counts_once(spark: SparkSession, tmp_path: Path) -> None:
    """A job's SQL may name a source twice."""
    write(tmp_path, {"a.json": b'{"user":"a","at":1}\n{bad\n'})
    read = Landing(spark, source_of(tmp_path, COLUMNS))
    assert read.rows.unionAll(read.rows).count() == 2
    assert read.rows.count() == 1
    account = read.account()
    assert (account.accepted, account.reasons) == (1, {"TRUNCATED": 1})


def test_no_file_is_no_row(spark: SparkSession, tmp_path: Path) -> None:
    """A folder may be empty, or not there yet, as those of S3 are."""
    for folder in (tmp_path, tmp_path / "none"):
        read = Landing(spark, source_of(folder, COLUMNS))
        assert read.rows.collect() == []
        account = read.account()
        assert (account.accepted, account.quarantined, account.failure) == (0, 0, None)
        assert read.quarantine(account).collect() == []


def test_files_without_a_line_are_told(spark: SparkSession, tmp_path: Path) -> None:
    """Nobody means to land nothing. Hidden files are none, and are named."""
    files = {"a.json": b"", "b.gz": b"", "c d.json": b"\n \n", "e/f.json": b"\xef\xbb\xbf"}
    hidden = {"_a.json": b"{bad", ".b.json": b"{bad", "_c/d.json": b"{bad", "_e=1/f.json": b"{bad"}
    write(tmp_path, files | hidden)
    (tmp_path / "b.gz").write_bytes(b"")
    skipped: list[str] = []
    list_files(source_of(tmp_path, COLUMNS).location, skipped)
    read = Landing(spark, source_of(tmp_path, COLUMNS))
    assert sorted(skipped) == [".b.json", "_a.json", "_c/", "_e=1/"]
    assert read.rows.collect() == []
    account = read.account()
    assert account.reasons == {"EMPTY_FILE": len(files)}
    assert places(read, account) == [(name, None, None, "EMPTY_FILE") for name in sorted(files)]


@pytest.mark.parametrize("raw", [False, True])
def test_rows_have_their_types(spark: SparkSession, tmp_path: Path, raw: bool) -> None:
    """A job sees instants and days, a query of the table what the source wrote; of plain lines and others."""
    lines = [b'{"user":"a","at":7,"day":"2000-01-31"}', b'{"at":8,"user":"b","day":"967-01-31"}']
    write(tmp_path, {"a.json": lines[0], "b.json": lines[1] + b","})
    rows = Landing(spark, source_of(tmp_path, COLUMNS), raw=raw).rows
    types = {field.name: field.dataType.simpleString() for field in rows.schema}
    found: list[dict[str, Any]] = [row.asDict() for row in rows.orderBy("user").collect()]
    told = [{name: str(value) for name, value in row.items()} for row in found]
    if raw:
        assert types == {"user": "string", "at": "bigint", "day": "string"}
        assert told == [
            {"user": "a", "at": "7", "day": "2000-01-31"},
            {"user": "b", "at": "8", "day": "967-01-31"},
        ]
    else:
        assert types == {"user": "string", "at": "timestamp_ntz", "day": "date"}
        assert told == [
            {"user": "a", "at": "1970-01-01 00:00:00.007000", "day": "2000-01-31"},
            {"user": "b", "at": "1970-01-01 00:00:00.008000", "day": "0967-01-31"},
        ]


def test_lines_of_the_forgotten_are_neither_rows_nor_refused(spark: SparkSession, tmp_path: Path) -> None:
    """Plain ones, odd ones and bad ones; they are counted, and all others keep their numbers."""
    columns = {**COLUMNS, "user": Contract("text", identifies="person")}
    lines = [
        b'{"user":"ann@x.org","at":1}',
        b'{"user":"bob@x.org","at":2}',
        b'{"at":3,"USER":" Ann@X.org"}',
        b'{"user":"ann@x.org","at":-1}',
        b'{"user":"bob@x.org","at":-1}',
        b"ann@x.org;7",
    ]
    alone = {"c.json": lines[0], "d.json": lines[3], "e.json": b""}
    write(tmp_path, {"a.json": b"\n".join(lines), "b.json.gz": b"\n".join(lines), **alone})
    read = Landing(spark, source_of(tmp_path, columns), forgotten=listed(b"key", "ann@x.org"))
    assert [row.user for row in read.rows.collect()] == ["bob@x.org"] * 2
    account = read.account()
    assert (account.accepted, account.filtered) == (2, 10)
    assert account.reasons == {"OUT_OF_RANGE": 2, "EMPTY_FILE": 1}
    assert places(read, account) == [
        ("a.json", 5, None, "OUT_OF_RANGE"),
        ("b.json.gz", 5, None, "OUT_OF_RANGE"),
        ("e.json", None, None, "EMPTY_FILE"),
    ]


def test_elements_are_rows(spark: SparkSession, tmp_path: Path) -> None:
    """Each is counted and refused alone, of those who were forgotten too."""
    columns = {
        "user": Contract("text", identifies="person"),
        "nth": Contract("int", from_="#"),
        "sku": Contract("text", from_="items.sku"),
    }
    ann, bob = ({"user": f"{name}@x.org", "items": [{"sku": "a"}, {"sku": 1}]} for name in ("ann", "bob"))
    records = [ann, bob, {"user": "bob@x.org", "items": []}, {"user": "bob@x.org", "items": 7}]
    write(tmp_path, {"a.json": "\n".join(map(json.dumps, records)).encode()})
    source = source_of(tmp_path, columns, each="items")
    for forgotten, filtered in ((None, 0), (listed(b"key", "ann@x.org"), 2)):
        read = Landing(spark, source, forgotten=forgotten)
        rows = sorted((row.user, row.nth, row.sku) for row in read.rows.collect())
        account = read.account()
        assert rows == [("ann@x.org", 1, "a"), ("bob@x.org", 1, "a")][-len(rows) :]
        assert (account.accepted, account.filtered, account.quarantined) == (
            2 - filtered // 2,
            filtered,
            3 - filtered // 2,
        )
        refused = read.quarantine(account).where("line = 2").collect()
        assert [(row.reason, row.detail, row.raw) for row in refused] == [
            (
                "WRONG_TYPE",
                "element 2 of items: sku should be a string, found number",
                '{"user":"bob@x.org","items":[{"sku":1}]}',
            )
        ]
