"""Checks what must hold of a table before it is published."""

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame, Row, SparkSession

from .errors import tell
from .manifest import Expectation, Severity

SAMPLES = 5
_MASK = "•••"


@dataclass(frozen=True)
class Finding:
    """Bad rows of an expectation, personal values masked."""

    table: str
    expectation: str
    severity: Severity
    failed: int
    samples: list[dict[str, str]]


@dataclass
class Audit:
    """What came of the expectations of a table."""

    results: list[dict[str, str | int]]
    findings: list[Finding]
    failures: list[str]
    moved: dict[str, int]
    """Rows that were moved out, by expectation."""


def audit(
    spark: SparkSession,
    table: str,
    expectations: Sequence[Expectation],
    move_out: Callable[[Expectation, DataFrame], int] | None = None,
    *,
    has_rows: bool = True,
) -> Audit:
    """Check expectations of a table, those first that move rows out: the others see what would be published.

    `move_out` moves the rows that share the values of `columns` with one of the bad rows, and tells how many.
    """
    done = Audit([], [], [], {})
    moving = [e for e in expectations if e.severity == "quarantine"]
    for expectation in moving:
        _judge(spark, table, expectation, done, _counts(spark, [expectation]), move_out)
    others = [e for e in expectations if e.severity != "quarantine"]
    passed = [e for e in others if e.only_empty and has_rows]
    counts = _counts(spark, [e for e in others if e not in passed]) | {e.name: 0 for e in passed}
    for expectation in others:
        _judge(spark, table, expectation, done, counts, None)
    return done


def _counts(spark: SparkSession, expectations: Sequence[Expectation]) -> dict[str, int]:
    """Count the bad rows of all expectations at once, so that no core waits; of none where one fails."""
    if not expectations:
        return {}
    parts = [f"SELECT {i} AS i, COUNT(*) AS n FROM ({e.sql})" for i, e in enumerate(expectations)]
    try:
        rows = spark.sql(" UNION ALL ".join(parts)).collect()
    except Exception:
        # Each is asked on its own then, and that one is told.
        return {}
    return {expectations[row.i].name: row.n for row in rows}


def _judge(
    spark: SparkSession,
    table: str,
    expectation: Expectation,
    done: Audit,
    counts: Mapping[str, int],
    move_out: Callable[[Expectation, DataFrame], int] | None,
) -> None:
    try:
        failed = counts.get(expectation.name)
        if failed is None:
            failed = spark.sql(expectation.sql).count()
        done.results.append({"name": expectation.name, "severity": expectation.severity, "failed": failed})
        if failed == 0:
            return
        bad = spark.sql(expectation.sql)
        samples = [_shown(row.asDict(), expectation) for row in _first(spark, expectation, bad.columns)]
        done.findings.append(Finding(table, expectation.name, expectation.severity, failed, samples))
        if expectation.severity == "quarantine" and move_out:
            done.moved[expectation.name] = move_out(expectation, bad)
        if expectation.severity == "fail":
            done.failures.append(f"expectation {expectation.name} failed with {counted(failed, 'bad row')}")
    except Exception as error:
        done.failures.append(f"expectation {expectation.name} could not be checked: {tell(error)}")


def counted(n: int, one: str) -> str:
    """Say how many: `1 file`, `2 files`."""
    return f"{n} {one}{'' if n == 1 else 's'}"


def _first(spark: SparkSession, expectation: Expectation, columns: Sequence[str]) -> list[Row]:
    """Take the first bad rows in an order of their own, so that each engine and each run shows the same."""
    order = ", ".join(f"{i + 1} NULLS LAST" for i in range(len(columns)))
    return spark.sql(f"SELECT * FROM ({expectation.sql}) ORDER BY {order} LIMIT {SAMPLES}").collect()


def _shown(row: dict[str, Any], expectation: Expectation) -> dict[str, str]:
    return {name: _text(name, value, expectation) for name, value in row.items()}


def _text(name: str, value: Any, expectation: Expectation) -> str:
    if value is None:
        return "NULL"
    is_count = name in expectation.counts and isinstance(value, int)
    if name not in expectation.shown and not is_count:
        return _MASK
    if isinstance(value, datetime.datetime):
        return value.isoformat(timespec="milliseconds") + "Z"
    if isinstance(value, datetime.date):
        return f"{value.isoformat()}T00:00:00.000Z"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
