"""Tests of what Spark is told of a person who is forgotten."""

from lakehouse_runner.forget import _Records, _Search, _without
from lakehouse_runner.manifest import Column
from lakehouse_runner.suppression import Entry, Forgotten, forgotten_of, hash_of
from pyspark.sql import SparkSession

KEY = b"key"
COLUMNS = {
    "user": Column("text", pii="direct", identifies="person"),
    "device": Column("text", pii="quasi", identifies="device"),
    "name": Column("text", pii="direct"),
}


def test_no_plan_holds_a_value(spark: SparkSession) -> None:
    """Spark logs plans."""
    values = spark.createDataFrame([("ann@x.org",)], "_theirs string")
    rows = spark.createDataFrame([("ann@x.org",), ("bob@x.org",), (None,)], "user string")
    kept = _without(rows, {"user": values})
    assert sorted(str(row.user) for row in kept.collect()) == ["None", "bob@x.org"]
    assert "ann" not in kept._jdf.queryExecution().toString()
    only = Forgotten(KEY, {"person": frozenset([hash_of(KEY, "person", "ann@x.org")])})
    found = rows.mapInArrow(
        _Search(_Records(only, only), {"user": COLUMNS["user"]}), "what string, value string"
    )
    assert [tuple(row) for row in found.collect()] == [("person", "ann@x.org")]
    assert "ann" not in found._jdf.queryExecution().toString()


def test_a_device_tells_only_of_rows_that_name_no_person(spark: SparkSession) -> None:
    """Whoever has it by now stays."""
    rows = spark.createDataFrame(
        [
            (1, "bob@x.org", "d1"),
            (2, None, "d1"),
            (3, " \t\x0b", "d1"),
            (4, None, None),
            (5, "ann@x.org", "d1"),
        ],
        "n int, user string, device string",
    )
    theirs = {
        kind: spark.createDataFrame([(value,)], "_theirs string")
        for kind, value in {"user": "ann@x.org", "device": "d1"}.items()
    }
    kept = _without(rows, theirs, {"n": None, "user": "person", "device": "device"})
    assert [row.n for row in kept.orderBy("n").collect()] == [1, 4]
    kept = _without(rows.drop("user"), {"device": theirs["device"]}, {"device": "device"})
    assert [row.n for row in kept.collect()] == [4]


def test_records_tell_what_points_to_the_person(spark: SparkSession) -> None:
    """Of others on the list it is only how they are spelled; what is empty points to nobody."""
    rows = spark.createDataFrame(
        [
            ("Ann@x.org", "d1", "Ann"),
            ("ann@x.org", None, " "),
            ("cleo@x.org", "d2", "Cleo"),
            ("bob@x.org", "d3", "Bob"),
            (None, "d4", "Dan"),
        ],
        "user string, device string, name string",
    )
    ann, cleo = (hash_of(KEY, "person", who) for who in ("ann@x.org", "cleo@x.org"))
    listed = forgotten_of([Entry("person", ann, ""), Entry("person", cleo, "")], KEY)
    judge = _Records(listed, Forgotten(KEY, {"person": frozenset([ann])}))
    found = rows.mapInArrow(_Search(judge, COLUMNS), "what string, value string").collect()
    assert {tuple(row) for row in found} == {
        ("person", "Ann@x.org"),
        ("person", "ann@x.org"),
        ("person", "cleo@x.org"),
        ("device", "d1"),
        ("hint", "Ann"),
    }
