"""Tests of what Spark is told of a person who is forgotten."""

from functools import partial
from pathlib import Path
from typing import Any

from contract import Contract, people, source_of
from lakehouse_runner.forget import _Asked, _found
from lakehouse_runner.suppression import Forgotten, Kind
from listed import entry, listed
from pyspark.sql import SparkSession

KEY = b"key"
COLUMNS = {
    "user": Contract("text", pii="direct", identifies="person"),
    "device": Contract("int", pii="quasi", identifies="device", nullable=True),
    "name": Contract("text", pii="direct", nullable=True),
    "at": Contract("epochMillis", identifies="moment"),
}
READING = source_of(Path("/nowhere"), COLUMNS).reading
LISTED = listed(KEY, "ann@x.org", "cy@x.org")
ROWS = [
    ("Ann@x.org", 1, "Ann", 5),
    (" ann@x.org", 2, " ", 6),
    ("cy@x.org", None, "Cy", 7),
    ("bob@x.org", 2, "Bob", 8),
    (" ", 4, "Dan", 9),
]
FOUND = {
    ("device", "1", "ann@x.org"),
    ("device", "2", "ann@x.org"),
    ("hint", "ann", "ann@x.org"),
    ("instant", "5", "ann@x.org"),
    ("instant", "6", "ann@x.org"),
    ("hint", "cy", "cy@x.org"),
    ("instant", "7", "cy@x.org"),
    ("device", "2", None),
    ("hint", "bob", None),
}


def test_workers_find_what_points_to_the_person_and_no_plan_holds_a_value(spark: SparkSession) -> None:
    """Spark logs plans. Who is not on the list is not named."""
    rows = spark.createDataFrame(ROWS, "user string, device bigint, name string, at bigint")
    found = rows.mapInArrow(partial(_found, LISTED, READING), "kind string, value string, person string")
    assert {tuple(row) for row in found.collect()} == FOUND
    assert "ann" not in found._jdf.queryExecution().toString()


def test_what_others_have_too_is_entered_by_its_moments() -> None:
    """What is only the person's is entered as it is."""
    asked: Any = _Asked(LISTED, people())
    entries, shared = asked.entries(sorted(FOUND, key=str))
    asked.close()
    hashes: list[tuple[Kind, str]] = [
        ("device", "1"),
        ("hint", "ann"),
        ("hint", "cy"),
        ("moment", "2"),
        ("moment", "2 5"),
        ("moment", "2 6"),
    ]
    assert set(entries) == {entry(KEY, kind, value) for kind, value in hashes}
    assert shared == 1


def test_the_subject_comes_first_where_there_is_one() -> None:
    """Whatever could land can be forgotten, but nobody."""
    found = sorted(FOUND, key=str)
    for subject, person in (
        (" ANN@x.org\t", [entry(KEY, "person", "ann@x.org")]),
        ("\u00a0 ", []),
        (None, []),
    ):
        asked: Any = _Asked(Forgotten(KEY, subject=subject), people())
        assert asked.entries([]) == (person, 0)
        entries, _ = asked.entries(found)
        assert [e for e in entries if e.kind == "person"] == entries[: len(person)] == person
        asked.close()
