"""Checks what must hold of a table before it is published."""

import datetime
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from .errors import tell
from .manifest import Expectation, Severity

_SAMPLES = 5
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
    expectations: Iterable[Expectation],
    move_out: Callable[[Expectation, DataFrame], int] | None = None,
) -> Audit:
    """Check expectations of a table, those first that move rows out: the others see what would be published.

    `move_out` moves the rows that share the values of `columns` with one of the bad rows, and tells how many.
    """
    done = Audit([], [], [], {})
    for expectation in sorted(expectations, key=lambda e: e.severity != "quarantine"):
        try:
            bad = spark.sql(expectation.sql)
            failed = bad.count()
            done.results.append(
                {"name": expectation.name, "severity": expectation.severity, "failed": failed}
            )
            if failed == 0:
                continue
            samples = [_shown(row.asDict(), expectation) for row in bad.limit(_SAMPLES).collect()]
            done.findings.append(Finding(table, expectation.name, expectation.severity, failed, samples))
            if expectation.severity == "quarantine" and move_out:
                done.moved[expectation.name] = move_out(expectation, bad)
            if expectation.severity == "fail":
                done.failures.append(f"expectation {expectation.name} failed with {failed} bad row(s)")
        except Exception as error:
            done.failures.append(f"expectation {expectation.name} could not be checked: {tell(error)}")
    return done


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
