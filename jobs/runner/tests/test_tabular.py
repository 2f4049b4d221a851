"""Tests of how CSV and Parquet are read on Spark's workers; engines/landing holds more of the same SQL."""

import csv
import gzip
import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from contract import Contract, source_of
from lakehouse_runner import landing
from lakehouse_runner.landing import Account, Landing
from listed import listed
from pyspark.sql import SparkSession

COLUMNS = {
    "user": Contract("text", identifies="person"),
    "amount": Contract("decimal", precision=9, scale=2),
    "at": Contract("isoInstant", nullable=True),
}
CSV = {"kind": "csv", "header": True, "delimiter": ";", "quote": '"'}
NAMES = ["", "a", "a;b", 'a"b', "a\nb", "a\r\nb", " a "]


def written(rows: list[list[str]], end: str = "\n") -> bytes:
    """Write rows as Python does."""
    text = io.StringIO()
    csv.writer(text, delimiter=";", lineterminator=end).writerows(rows)
    return text.getvalue().encode()


def read(spark: SparkSession, folder: Path, written_as: object = CSV) -> tuple[Landing, Account]:
    """Read a folder."""
    found = Landing(spark, source_of(folder, COLUMNS, written_as=written_as))
    return found, found.account()


def places(found: Landing, account: Account) -> list[tuple[str, int | None, int | None, str]]:
    """Give what was refused: where and why."""
    rows = found.quarantine(account).collect()
    return sorted(
        ((row.file, row.line, row.record, row.reason) for row in rows),
        key=lambda p: (p[0], p[1] or p[2] or 0),
    )


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_every_record_of_csv_is_counted(spark: SparkSession, tmp_path: Path, end: str) -> None:
    """Python's own writer is the witness: what is not good is refused at its line."""
    expected = []
    refused = []
    for file, header in (("a.csv", ["user", "amount", "at"]), ("b.csv.gz", ["x", "AT", "Amount", "user"])):
        rows = [header]
        line = 2
        for i in range(300):
            name = NAMES[i % len(NAMES)]
            values = {"user": name, "amount": f"{i}.5" if i % 50 else "?", "at": "", "x": "x"}
            row = [values[key.lower()] for key in header]
            if i % 70 == 5:
                row.append("more")
                refused.append((file, line, None, "FIELD_COUNT"))
            elif name == "":
                refused.append((file, line, None, "MISSING_REQUIRED"))
            elif i % 50 == 0:
                refused.append((file, line, None, "WRONG_TYPE"))
            else:
                expected.append((name, f"{i}.50"))
            rows.append(row)
            line += 1 + name.count("\n")
        content = written(rows, end)
        (tmp_path / file).write_bytes(gzip.compress(content) if file.endswith(".gz") else content)
    found, account = read(spark, tmp_path)
    rows_found = sorted((row.user, str(row.amount)) for row in found.rows.collect())
    assert rows_found == sorted(expected)
    assert account.accepted == len(expected)
    assert account.quarantined == len(refused)
    assert places(found, account) == sorted(refused)


def test_good_csv_is_read_at_once(spark: SparkSession, tmp_path: Path) -> None:
    """Also without an end of the last line."""
    (tmp_path / "a.csv").write_bytes(b'user;amount;at\r\n"a";1;\r\nb;2.25;2026-05-01T10:00:00Z')
    found, account = read(spark, tmp_path)
    assert sorted((row.user, str(row.amount), str(row["at"])) for row in found.rows.collect()) == [
        ("a", "1.00", "None"),
        ("b", "2.25", "2026-05-01 10:00:00"),
    ]
    assert (account.accepted, account.quarantined, account.failure) == (2, 0, None)


def test_csv_is_not_cut(spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A block would have no header, and may begin within quotes."""
    monkeypatch.setattr(landing, "BLOCK_BYTES", 50)
    (tmp_path / "a.csv").write_bytes(written([["user", "amount"], *([["a\nb", "1"]] * 99), ["c"]]))
    found, account = read(spark, tmp_path)
    assert account.accepted == 99
    assert places(found, account) == [("a.csv", 200, None, "FIELD_COUNT")]


def test_another_format_fails(spark: SparkSession, tmp_path: Path) -> None:
    """And is named."""
    (tmp_path / "a.csv").write_bytes(b'{"user":"a","amount":1}\n')
    _, account = read(spark, tmp_path)
    assert account.failure is not None
    assert "a.csv: UNREADABLE_FILE, it is JSON; landing takes CSV" in account.failure


def test_the_forgotten_are_passed_over(spark: SparkSession, tmp_path: Path) -> None:
    """Good records of theirs, and refused ones by the names of columns."""
    (tmp_path / "a.csv").write_bytes(b"user;amount\nBad;1\nBad;x\nGood;x\nGood;2\n")
    key = b"k" * 32
    forgotten = listed(key, "bad")
    found = Landing(spark, source_of(tmp_path, COLUMNS, written_as=CSV), forgotten=forgotten)
    assert [row.user for row in found.rows.collect()] == ["Good"]
    account = found.account()
    assert (account.accepted, account.filtered, account.quarantined) == (1, 2, 1)
    assert [row.raw for row in found.quarantine(account).collect()] == ['{"user":"Good","amount":"x"}']


def test_parquet(spark: SparkSession, tmp_path: Path) -> None:
    """Good rows, refused ones by their number, and a file that is none."""
    instant = pa.array([0, 1_000_000, None], pa.timestamp("us", tz="UTC"))
    table = pa.table(
        {"USER": ["a", None, "c"], "amount": [1.5, 2.5, 3.125], "at": instant, "more": [1, 2, 3]}
    )
    pq.write_table(table, tmp_path / "a.parquet")
    pq.write_table(table.slice(0, 1), tmp_path / "b.parquet")
    found, account = read(spark, tmp_path, "parquet")
    assert [(row.user, str(row.amount), str(row["at"])) for row in found.rows.collect()] == [
        ("a", "1.50", "1970-01-01 00:00:00")
    ] * 2
    assert (account.accepted, account.quarantined, account.failure) == (2, 2, None)
    assert places(found, account) == [
        ("a.parquet", None, 2, "MISSING_REQUIRED"),
        ("a.parquet", None, 3, "WRONG_TYPE"),
    ]
    whole = (tmp_path / "b.parquet").read_bytes()
    (tmp_path / "b.parquet").write_bytes(whole[:4] + b"\xff" * 60 + whole[64:])
    (tmp_path / "c.parquet").write_bytes(b"user;amount\n")
    _, account = read(spark, tmp_path, "parquet")
    assert {name: refusal.detail for name, refusal in account.whole.items()} == {
        "b.parquet": "its pages are damaged; upload it again",
        "c.parquet": "it is no Parquet; landing takes Parquet here",
    }
    assert account.failure is not None
