"""Checks what must hold of a table before it is published."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from pyspark.sql import Row, SparkSession

from .errors import tell
from .manifest import Check, Moves


@dataclass(frozen=True)
class Finding:
    """Bad rows as they are: to be masked before anybody sees them."""

    table: str
    expectation: str
    failed: int
    columns: list[tuple[str, str]]
    """Names and types."""
    rows: Sequence[tuple[object, ...]]


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
    shows: bool,
    move_out: Callable[[str, Moves], int] | None = None,
    *,
    has_rows: bool = True,
) -> Audit:
    """Check a table, and give bad rows where it `shows` them.

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
            if found.failed and shows:
                bad = spark.sql(check.samples)
                done.findings.append(Finding(table, check.name, found.failed, bad.dtypes, bad.collect()))
            if found.failed and check.moves and move_out:
                done.moved[check.name] = move_out(check.name, check.moves)
            if found.failure is not None:
                done.failures.append(found.failure)
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


def counted(n: int, one: str) -> str:
    """Say how many: `1 file`, `2 files`."""
    return f"{n} {one}{'' if n == 1 else 's'}"
