"""Checks what must hold of a table before it is published."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from pyspark.sql import Row, SparkSession

from .errors import tell
from .manifest import Check, Moves, Shown
from .plain import plain

_MASK = "•••"
_SEVERITIES = {"fail": "FAILED", "quarantine": "quarantined", "warn": "warning"}


@dataclass(frozen=True)
class Finding:
    """What a check found, personal values masked."""

    table: str
    expectation: str
    severity: str
    failed: int
    affected: int | None
    """How many rows of the table that is. None where what is bad are no rows of it."""
    samples: Sequence[Mapping[str, Any]]
    """The first bad rows, their values as JSON takes them."""

    def as_json(self) -> dict[str, Any]:
        """Give it as people's tools read it: `Found` in engines/findings.ts."""
        return asdict(self)

    def failure(self) -> str | None:
        """Say why it keeps the table from being published, as `failureOf` in engines/findings.ts does."""
        if self.severity != "fail":
            return None
        return f"expectation {self.expectation} failed with {counted(self.failed, 'bad row')}"

    def text(self, tables: Sequence[Mapping[str, Any]]) -> str:
        """Say it in a line, as `findingText` in engines/findings.ts does."""
        made = next((each for each in tables if each["table"] == self.table), None)
        moved = made["quarantined"] if made and self.severity == "quarantine" else 0
        total = made["written"] + moved if made else 0

        def of(n: int) -> str:
            share = math.floor(1000 * n / total + 0.5) / 10
            return f"{n:,} of {counted(total, 'row')} ({share:g} %)"

        if self.affected is None or total == 0:
            what = counted(self.failed, "bad row")
        elif self.affected == self.failed:
            what = of(self.failed)
        else:
            values = counted(self.failed, "value is", "values are")
            what = f"{values} repeated, in {of(self.affected)}"
        return f"{_SEVERITIES[self.severity]} {self.table}.{self.expectation}: {what}"


@dataclass
class Audit:
    """What came of the checks of a table."""

    results: list[dict[str, str | int]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    moved: dict[str, int] = field(default_factory=dict)
    """Rows that were moved out, by expectation."""


def audit(
    spark: SparkSession,
    table: str,
    checks: Sequence[Check],
    move_out: Callable[[str, Moves], int] | None = None,
    *,
    has_rows: bool = True,
) -> Audit:
    """Check a table.

    `move_out` moves rows out for a reason, and tells how many. That comes first: the others see what is left.
    """
    done = Audit()

    def judge(check: Check, counts: Mapping[str, Row]) -> None:
        try:
            if check.only_empty and has_rows:
                done.results.append({"name": check.name, "severity": check.severity, "failed": 0})
                return
            found = counts.get(check.name) or spark.sql(check.count).collect()[0]
            done.results.append({"name": check.name, "severity": check.severity, "failed": found.failed})
            if not found.failed:
                return
            rows = [row.asDict() for row in spark.sql(check.samples).collect()]
            samples = [_masked(check.shown, row) for row in rows]
            finding = Finding(table, check.name, check.severity, found.failed, found.affected, samples)
            done.findings.append(finding)
            if check.moves and move_out:
                done.moved[check.name] = move_out(check.name, check.moves)
            if failure := finding.failure():
                done.failures.append(failure)
        except Exception as error:
            done.failures.append(f"expectation {check.name} could not be checked: {tell(error)}")

    for check in checks:
        if check.moves:
            judge(check, {})
    others = [check for check in checks if not check.moves]
    counts = _counts(spark, [check for check in others if not (check.only_empty and has_rows)])
    for check in others:
        judge(check, counts)
    return done


def _counts(spark: SparkSession, checks: Sequence[Check]) -> dict[str, Row]:
    """Count the bad rows of all checks at once, so that no core waits; of none where one fails."""
    try:
        rows = spark.sql(" UNION ALL ".join(check.count for check in checks)).collect()
    except Exception:
        # Each is asked on its own then, and that one is told.
        return {}
    return {row.name: row for row in rows}


def _masked(shown: Shown, row: Mapping[str, Any]) -> dict[str, Any]:
    """Give what people may see of a row, as `masker` in engines/findings.ts does."""

    def is_shown(name: str, value: object) -> bool:
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        return value is None or name in shown.columns or (name in shown.counts and is_whole)

    return {name: plain(value) if is_shown(name, value) else _MASK for name, value in row.items()}


def counted(n: int, one: str, many: str | None = None) -> str:
    """Say how many: `1 file`, `1,117 files`."""
    return f"{n:,} {one if n == 1 else many or f'{one}s'}"
