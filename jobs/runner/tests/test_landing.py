"""Tests of how the files of a source are read on Spark: rows, counts, and the places of what is refused."""

import gzip
import json
import random
from pathlib import Path
from typing import Any

import pytest
from lakehouse_runner import blocks, landing
from lakehouse_runner.landing import Landing
from lakehouse_runner.lines import LineJudge, Refusal
from lakehouse_runner.manifest import Column, Source
from lakehouse_runner.suppression import Entry, forgotten_of, hash_of
from pyspark.sql import SparkSession

COLUMNS = {
    "user": Column("text", False),
    "at": Column("epochMillis", False, (), 0, 4102444800000),
    "day": Column("isoDate", True),
}


def source(folder: Path) -> Source:
    """Make a source of the files in a folder."""
    return Source(folder.as_uri(), folder.as_uri(), 1, COLUMNS, ())


def write(folder: Path, files: dict[str, bytes]) -> None:
    """Write files."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)


Quarantined = tuple[str, int, str]


def judged(files: dict[str, bytes]) -> tuple[list[str], list[Quarantined]]:
    """Give the users of the good records and the refused lines, line by line."""
    judge = LineJudge(COLUMNS)
    users: list[str] = []
    refused: list[Quarantined] = []
    for name, content in files.items():
        verdicts = [judge.judge(line.rstrip(b"\r\n")) for line in content.splitlines(keepends=True)]
        if all(verdict is None for verdict in verdicts):
            refused.append((name, 0, "EMPTY_FILE"))
        for number, verdict in enumerate(verdicts, 1):
            if isinstance(verdict, Refusal):
                refused.append((name, number, verdict.reason))
            elif verdict is not None:
                users.append(str(verdict[0]))
    return sorted(users), sorted(refused)


def some_file(rng: random.Random, name: str) -> bytes:
    """Write lines of all kinds."""
    lines = []
    for i in range(rng.choice([0, 1, 50, 200])):
        good = json.dumps({"user": f"{name} {i}", "at": i, "day": "2000-01-31"})
        plain = good.replace(" ", "") if rng.random() < 0.5 else good.replace('"user"', '"USER"')
        lines.append(rng.choice([plain, plain, plain, plain, "", "{bad", good[:20], '{"user":"a","at":-1}']))
    end = rng.choice(["\n", "\r\n", "\r"])
    return (end.join(lines) + rng.choice(["", end])).encode()


def test_many_blocks_are_one_file(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However a file is cut, its lines are counted from its beginning."""
    rng = random.Random(5)
    for size in (7, 100, 1000, 1 << 20):
        monkeypatch.setattr(blocks, "BLOCK_BYTES", size)
        # Else there is one task; and with it one of Spark's batches a block.
        monkeypatch.setattr(landing, "_LEAST_BYTES", 300)
        names = ["a.json", "b.json", "c d.json", "e/f.json", "g.json.gz", "h.json"]
        folder = tmp_path / str(size)
        files = {name: some_file(rng, name) for name in names}
        write(folder, files)
        users, refused = judged(files)
        read = Landing(spark, source(folder))
        assert sorted(row.user for row in read.rows.collect()) == users
        account = read.account()
        assert (account.accepted, account.quarantined) == (len(users), len(refused))
        rows = read.quarantine(account).collect()
        assert sorted((row.file, row.line, row.reason) for row in rows) == refused


def test_what_no_query_asked_for_is_read_for_the_account(spark: SparkSession, tmp_path: Path) -> None:
    """Spark reads no rows of which it needs none, and some of them where a few are enough."""
    files = {f"{i}.json": b'{"user":"a","at":1}\n{bad\n' for i in range(4)}
    write(tmp_path, files)
    read = Landing(spark, source(tmp_path))
    assert len(read.rows.limit(1).collect()) == 1
    account = read.account()
    assert (account.accepted, account.reasons) == (4, {"TRUNCATED": 4})
    assert sorted((row.file, row.line) for row in read.quarantine(account).collect()) == [
        (name, 2) for name in files
    ]


def test_what_is_read_twice_counts_once(spark: SparkSession, tmp_path: Path) -> None:
    """A job's SQL may name a source twice."""
    write(tmp_path, {"a.json": b'{"user":"a","at":1}\n{bad\n'})
    read = Landing(spark, source(tmp_path))
    assert read.rows.unionAll(read.rows).count() == 2
    assert read.rows.count() == 1
    account = read.account()
    assert (account.accepted, account.reasons) == (1, {"TRUNCATED": 1})


def test_no_file_is_no_row(spark: SparkSession, tmp_path: Path) -> None:
    """A folder may be empty, or not there yet, as those of S3 are."""
    for folder in (tmp_path, tmp_path / "none"):
        read = Landing(spark, source(folder))
        assert read.rows.collect() == []
        account = read.account()
        assert (account.accepted, account.quarantined) == (0, 0)
        assert read.quarantine(account).collect() == []


def test_files_without_a_line_are_told(spark: SparkSession, tmp_path: Path) -> None:
    """Nobody means to land nothing. Hidden files are none."""
    files = {"a.json": b"", "b.gz": b"", "c d.json": b"\n \n", "e/f.json": b"\xef\xbb\xbf"}
    write(
        tmp_path,
        files | {"_a.json": b"{bad", ".b.json": b"{bad", "_c/d.json": b"{bad", "_e=1/f.json": b"{bad"},
    )
    (tmp_path / "b.gz").write_bytes(b"")
    read = Landing(spark, source(tmp_path))
    assert read.rows.collect() == []
    account = read.account()
    assert account.reasons == {"EMPTY_FILE": len(files)}
    rows = read.quarantine(account).collect()
    assert sorted((row.file, row.line) for row in rows) == [(name, 0) for name in sorted(files)]


@pytest.mark.parametrize("raw", [False, True])
def test_rows_have_their_types(spark: SparkSession, tmp_path: Path, raw: bool) -> None:
    """A job sees instants and days, a query of the table what the source wrote; of plain lines and others."""
    # The second is no plain line.
    lines = [b'{"user":"a","at":7,"day":"2000-01-31"}', b'{"at":8,"user":"b","day":"967-01-31"}']
    write(tmp_path, {"a.json": b"\n".join(lines)})
    rows = Landing(spark, source(tmp_path), raw=raw).rows
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
    columns = {**COLUMNS, "user": Column("text", False, identifies="person")}
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
    given = Source(tmp_path.as_uri(), tmp_path.as_uri(), 1, columns, ())
    entry = Entry("person", hash_of(b"key", "person", "ann@x.org"), "2026-01-01T00:00:00Z")
    read = Landing(spark, given, forgotten=forgotten_of([entry], b"key"))
    assert [row.user for row in read.rows.collect()] == ["bob@x.org"] * 2
    account = read.account()
    assert (account.accepted, account.filtered) == (2, 10)
    assert account.reasons == {"OUT_OF_RANGE": 2, "EMPTY_FILE": 1}
    assert sorted((row.file, row.line) for row in read.quarantine(account).collect()) == [
        ("a.json", 5),
        ("b.json.gz", 5),
        ("e.json", 0),
    ]
