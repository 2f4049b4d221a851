"""Makes one table: reads the inputs, transforms, writes, audits, and publishes all of it or nothing."""

import hashlib
import hmac
import json
import re
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from . import files
from .copies import copies_among
from .errors import JobError, tell
from .expectations import Audit, Finding, audit, counted
from .iceberg import AUDIT, IcebergTable
from .job import told as told_of_python
from .job import transformed
from .landing import Landing
from .manifest import Manifest, Moves, Unmatched
from .provenance import Provenance, digest, digest_of_files
from .pseudonyms import Pseudonyms
from .quoting import quoted
from .suppression import Forgotten, read_forgotten

SPARK_SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
    "spark.sql.autoBroadcastJoinThreshold": str(64 << 20),
    # Joins of two large sides hash the smaller one's share of a task where it fits, rather than sort both.
    "spark.sql.adaptive.maxShuffledHashJoinLocalMapThreshold": str(128 << 20),
    # Else Spark 4.1 leaves it to the parser to put in a query's parameters, and Iceberg 1.11.0's drops them:
    # https://github.com/apache/iceberg/issues/16625
    "spark.sql.legacy.parameterSubstitution.constantsOnly": "true",
}
"""What a session has to be set to before a job runs in it."""


_LARGE_ROWS = 1_000_000
_MANY = 2
_SKIPPED_SHOWN = 3
_DRIVING = "_driving"
_DELIVERED_ONCE = "delivered_once"
"""As the model names it."""
_SAMPLES = 5

Accounts = dict[tuple[str, ...], Mapping[str, Any]]
"""By the name of a source, and the digests of the files that it was judged by."""


@dataclass(frozen=True)
class Options:
    """Where a job runs."""

    catalog: str
    """The name of the Iceberg catalog in Spark."""
    run_id: str
    code_version: str
    pseudonym_key: Callable[[], bytes]
    """At most 64 bytes."""
    keep_snapshots: int | None = None
    """Older ones are expired after publishing. None: something else does it."""
    table: str | None = None
    """The table to write, where it is not the output's."""
    full: bool = False
    """Whether the table is made again also where nothing has changed for it."""
    forgotten: Forgotten | None = None
    """Without whom the table is made again: what others' rows break only warns then. None: by the list."""
    accounts: Accounts = field(default_factory=dict)
    """What jobs of the same run say of the sources that they read; each adds to it."""


@dataclass
class Result:
    """What came of a run of a job."""

    summary: dict[str, Any]
    """As JSON takes it."""
    findings: list[Finding] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    """Why nothing was published; empty after a good run."""
    failed: frozenset[str] = frozenset()
    """The tables that the failures are about."""
    warnings: list[str] = field(default_factory=list)
    """What was left unread."""


def run(
    spark: SparkSession, manifest: Manifest, code: str, parameters: Mapping[str, str], options: Options
) -> Result:
    """Run a job. What is wrong with data or code is in the result's failures."""
    return _Run(spark, manifest, code, parameters, options).go()


class _Run:
    def __init__(
        self,
        spark: SparkSession,
        manifest: Manifest,
        code: str,
        parameters: Mapping[str, str],
        options: Options,
    ) -> None:
        self._spark = spark
        self._manifest = manifest
        self._code = code
        self._parameters = parameters
        self._options = options
        self._started = time.monotonic()
        self._tables: list[dict[str, Any]] = []
        self._findings: list[Finding] = []
        self._warnings: list[str] = []
        self._failures: list[str] = []
        self._failed: set[str] = set()
        self._hide: Pseudonyms | None = None
        self._read: dict[str, str | None] = {}
        """The digests of the sources' files."""

    def go(self) -> Result:
        for name, value in SPARK_SETTINGS.items():
            self._spark.conf.set(name, value)
        self._spark.sql(f"USE {quoted(self._options.catalog, self._manifest.database)}")
        opened: list[DataFrame] = []
        views: list[str] = []
        try:
            self._make(opened, views)
        except Exception as error:
            told = told_of_python(error, self._manifest.job) if self._manifest.language == "python" else None
            if told is None and not isinstance(error, JobError):
                # Where it went wrong goes to the log; its text may quote data.
                traceback.print_tb(error.__traceback__)
            self._fail(self._manifest.output.table, told or tell(error))
        finally:
            if self._hide:
                self._hide.close()
            for frame in opened:
                frame.unpersist()
            for view in views:
                self._spark.catalog.dropTempView(view)
        summary = {
            "runId": self._options.run_id,
            "job": self._manifest.job,
            "outcome": "failed" if self._failures else "published",
            "codeVersion": self._options.code_version,
            "parameters": dict(self._parameters),
            "seconds": self._since(self._started),
            "tables": self._tables,
        }
        return Result(summary, self._findings, self._failures, frozenset(self._failed), self._warnings)

    def _fail(self, table: str, *messages: str) -> None:
        self._failed.add(table)
        self._failures += [f"{table}: {message}" for message in messages]

    def _refuse(self, table: str, *messages: str) -> bool:
        """Fail for what rows break, unless that would keep somebody who was forgotten. Whether it fails."""
        if self._options.forgotten is None:
            self._fail(table, *messages)
            return True
        self._warnings += [f"{table}: {message}" for message in messages]
        return False

    def _make(self, opened: list[DataFrame], views: list[str]) -> None:
        manifest, output = self._manifest, self._manifest.output
        written_to = self._options.table or output.table
        table = self._of(written_to)
        began = time.time()
        skipped: dict[str, list[str]] = {name: [] for name in manifest.sources}
        listed = {
            name: files.list_files(source.location, skipped[name])
            for name, source in manifest.sources.items()
        }
        self._read = {name: digest_of_files(there, began) for name, there in listed.items()}
        basis = self._made_of()
        at = self._parameters[manifest.asks_time] if manifest.asks_time else None
        before = table.provenance()
        if before and before.holds(basis, at) and not (self._options.full or self._options.forgotten):
            self._tables += [{**one, "seconds": 0, "unchanged": True} for one in before.tables]
            return
        forgotten = self._options.forgotten or read_forgotten(
            manifest.suppressed, self._options.pseudonym_key
        )
        landings = {
            name: Landing(self._spark, source, forgotten=forgotten, only=listed[name])
            for name, source in manifest.sources.items()
        }
        for name, landing in landings.items():
            if skipped[name]:
                self._warnings.append(_told_skipped(name, landing.shown(skipped[name])))
        for name, source in manifest.sources.items():
            # Else a wrong folder, or a day on which nothing came, would empty the table.
            if not listed[name]:
                folder = source.location.removeprefix("file:")
                self._fail(name, f"no file in {folder}; put the JSON files of the source there")
        if self._failures:
            return
        for name, landing in landings.items():
            rows = landing.rows
            if self._uses(name) > 1:
                rows = rows.persist(StorageLevel.MEMORY_AND_DISK)
                opened.append(rows)
            rows.createOrReplaceTempView(name)
            views.append(name)
        rows = self._transformed()
        # What failed runs leave must not pile up either.
        table.expire(self._options.keep_snapshots)
        written = self._write(table, rows)

        accepted = {name: self._account(name, landing) for name, landing in landings.items()}
        if self._failures:
            return
        started = self._started
        table.audited().createOrReplaceTempView(output.table)
        views.append(output.table)
        read = accepted[manifest.driving] if manifest.driving in accepted else self._rows_of(manifest.driving)
        filtered = max(0, read - written)
        if manifest.unmatched:
            views.append(_DRIVING)
            filtered = self._count_unmatched(manifest.unmatched)
        done = audit(
            self._spark,
            output.table,
            output.audit,
            lambda reason, moves: self._move_out(table, reason, moves),
            has_rows=written > 0,
        )
        quarantined = sum(done.moved.values())
        self._tables.append(
            {
                "table": output.table,
                "job": manifest.job,
                "read": read,
                "quarantined": quarantined,
                "filtered": filtered,
                "written": written - quarantined,
                "reasons": done.moved,
                "expectations": done.results,
                "seconds": self._since(started),
            }
        )
        self._findings += done.findings
        if done.failures:
            of = "its branch" if written_to == output.table else f"{written_to}'s branch"
            kept = f"what was written is on {of} {AUDIT}, snapshot {table.written}"
            if self._refuse(output.table, *done.failures, f"{kept}; the published table is as it was"):
                return
        if output.quarantine is not None:
            files.delete_others(output.quarantine, self._options.run_id)
        same = before is not None and before.content == table.content
        made = Provenance(
            run=self._options.run_id,
            rows=before.rows if before and same else self._options.run_id,
            content=table.content,
            of=basis,
            since=at,
            until=at and self._next_due(at),
            tables=self._tables,
        )
        # What breaks a rule may only stand without somebody who was forgotten: the next run judges it.
        table.publish(None if self._options.forgotten else made)
        try:
            table.expire(self._options.keep_snapshots)
        except Exception as error:
            # The table is published: the run is good, and the next one tidies up.
            print(f"{output.table} is published; old snapshots of it were left: {tell(error)}")

    def _made_of(self) -> dict[str, str]:
        """Give what the table is made of."""
        manifest, options = self._manifest, self._options
        of = {"version": options.code_version, "contracts": manifest.digest, "code": digest(self._code)}
        if self._pseudonyms():
            of["key"] = hmac.digest(options.pseudonym_key(), b"provenance", "sha256").hex()
        if manifest.suppressed is not None:
            found = files.read_tagged(manifest.suppressed)
            of["forgotten"] = digest(found.text) if found else ""
        of |= {f"parameter {n}": self._parameters[n] for n, values in manifest.parameters.items() if values}
        of |= {f"table {name}": self._of(name).rows_id() for name in manifest.tables}
        # A run of its own is no other's.
        return of | {f"files {name}": found or options.run_id for name, found in self._read.items()}

    def _next_due(self, at: str) -> str | None:
        """Say when the same inputs may give other rows. None: never."""
        for due in self._manifest.due:
            if due.when.items() <= self._parameters.items():
                found: str | None = self._spark.sql(due.next, args=dict(self._parameters)).collect()[0].due
                return found
        return at

    def _transformed(self) -> DataFrame:
        """The rows of the output, its pseudonyms in the clear."""
        manifest = self._manifest
        if manifest.language == "python":
            inputs = [*manifest.sources, *manifest.tables]
            return transformed(
                self._spark, manifest.job, self._code, inputs, self._parameters, manifest.output.schema
            )
        rows = self._spark.sql(self._code, args=dict(self._parameters))
        return rows.select([F.col(quoted(name)) for name in manifest.output.columns])

    def _uses(self, name: str) -> int:
        """How often the job's queries name a source: one that is read once is not worth keeping."""
        if self._manifest.language == "python":
            # What it reads once, by a name of its own, it may use more often.
            return _MANY
        code = re.sub(r"--[^\n]*", "", self._code)
        judged = [s for name, s in self._manifest.sources.items() if not self._known(name)]
        own = [check.count for source in judged for check in source.audit]
        later = [check.count for check in self._manifest.output.audit if not check.only_empty]
        later += [due.next for due in self._manifest.due]
        return sum(len(re.findall(rf"\b{re.escape(name)}\b", text)) for text in [code, *own, *later])

    def _write(self, table: IcebergTable, rows: DataFrame) -> int:
        """Write the rows where no reader looks, with pseudonyms for what is to be hidden. Return how many."""
        run_id = self._options.run_id
        table.makes_with(json.dumps(dict(self._parameters)), code_hash(self._code))
        columns = self._pseudonyms()
        if not columns:
            return table.write_audit(rows, run_id)
        hidden = self._hide = Pseudonyms(self._spark, self._options.pseudonym_key(), self._likely())
        written = table.write_audit(hidden.looked_up(rows, columns), run_id)
        if hidden.is_whole(table.audited(), columns):
            return written
        # The job made values of its own.
        return table.write_audit(hidden.hashed(rows, columns), run_id)

    def _pseudonyms(self) -> list[str]:
        return [name for name, column in self._manifest.output.columns.items() if column.type == "pseudonym"]

    def _likely(self) -> list[DataFrame]:
        """The texts of the inputs that the job names: what it hides is nearly always one of them.

        Of large tables only what the driving rows are followed by: who is in them is in a smaller one too.
        """
        frames = []
        if self._manifest.unmatched and self._manifest.driving in self._manifest.tables:
            keys = self._spark.sql(self._manifest.unmatched.keys)
            frames = [keys.select(F.col(quoted(c))) for c in self._pseudonyms() if c in keys.columns]
        for name in self._manifest.tables:
            if self._rows_of(name) > _LARGE_ROWS:
                continue
            rows = self._spark.table(name)
            for column, type_ in rows.dtypes:
                if type_ == "string" and re.search(rf"\b{re.escape(column)}\b", self._code, re.IGNORECASE):
                    frames.append(rows.select(F.col(quoted(column))))
        return frames

    def _of(self, name: str) -> IcebergTable:
        return IcebergTable(self._spark, self._options.catalog, self._manifest.database, name)

    def _rows_of(self, name: str) -> int:
        return self._of(name).published_rows()

    def _judged_by(self, name: str) -> tuple[str, ...] | None:
        """Tell a source's files, and those of what its expectations read, which each of its jobs reads."""
        source, read = self._manifest.sources[name], self._read
        text = " ".join(check.count for check in source.audit)
        found = [read[other] for other in sorted(read) if other == name or other in text]
        return None if None in found else (name, *filter(None, found))

    def _known(self, name: str) -> Mapping[str, Any] | None:
        """What a job before said of a source, if it found the same files."""
        key = self._judged_by(name)
        return self._options.accounts.get(key) if key else None

    def _account(self, name: str, landing: Landing) -> int:
        """Judge what a source's lines came to, keep those that were refused, and check its expectations."""
        if known := self._known(name):
            self._tables.append(dict(known))
            return int(known["written"])
        source = self._manifest.sources[name]
        account = landing.account()
        if account.quarantined:
            folder = self._refused_in(source.quarantine)
            landing.quarantine(account).write.mode("overwrite").json(folder)
        # What runs before refused is history, also where this one refuses nothing.
        files.delete_others(source.quarantine, self._options.run_id)
        done = audit(self._spark, name, source.audit)
        self._find_copies(name, landing, done)
        told = {
            "table": name,
            "job": None,
            "read": account.accepted + account.quarantined + account.filtered,
            "quarantined": account.quarantined,
            "filtered": account.filtered,
            "written": account.accepted,
            "bytes": account.bytes,
            "quarantinedBytes": account.refused_bytes,
            "reasons": dict(account.reasons),
            "expectations": done.results,
            # It is read while the job's rows are made and written.
            "seconds": self._since(self._started),
        }
        self._tables.append(told)
        self._findings += done.findings
        if done.failures:
            self._refuse(name, *done.failures)
        if account.failure is not None:
            if any(refusal.is_fatal for refusal in account.whole.values()):
                self._fail(name, account.failure)
            else:
                self._refuse(name, account.failure)
        # What fails one job fails each that reads it.
        if name not in self._failed and (key := self._judged_by(name)):
            self._options.accounts[key] = told
        return account.accepted

    def _find_copies(self, name: str, landing: Landing, done: Audit) -> None:
        """Count the records of files that are the same as another one: they were delivered twice."""
        copies = copies_among(landing.files)
        records = 0
        if copies:
            source = self._manifest.sources[name]
            account = Landing(self._spark, source, only=[copy.file for copy in copies]).account()
            records = account.accepted + account.quarantined - len(account.whole)
        done.results.append({"name": _DELIVERED_ONCE, "severity": "warn", "failed": records})
        if records > 0:
            names = landing.shown(name for copy in copies for name in (copy.file.name, copy.same_as.name))
            pairs = sorted(zip(names[::2], names[1::2], strict=True))
            samples = [{"file": file, "same_as": same_as} for file, same_as in pairs[:_SAMPLES]]
            done.findings.append(Finding(name, _DELIVERED_ONCE, "warn", records, None, samples))

    def _refused_in(self, quarantine: str) -> str:
        """Where this run puts what it refuses."""
        return f"{quarantine.rstrip('/')}/{self._options.run_id}"

    def _count_unmatched(self, unmatched: Unmatched) -> int:
        """Count the driving rows that no row of the finished output comes from."""
        driving = self._spark.sql(unmatched.keys)
        hidden = [name for name in driving.columns if name in self._pseudonyms()]
        if hidden and self._hide:
            # Of a source nobody knows the values beforehand.
            is_source = self._manifest.driving in self._manifest.sources
            driving = (self._hide.hashed if is_source else self._hide.looked_up)(driving, hidden)
        driving.createOrReplaceTempView(_DRIVING)
        count: int = self._spark.sql(unmatched.count).collect()[0].unmatched
        return count

    def _move_out(self, table: IcebergTable, reason: str, moves: Moves) -> int:
        """Move rows from the branch to quarantine. Return how many."""
        folder = self._manifest.output.quarantine
        if folder is None:
            raise JobError("its bad rows have no folder to go to; deploy the stack again")
        before = self._spark.table(self._manifest.output.table).count()
        nothing = F.lit(None).cast("string")
        self._spark.sql(moves.gone).select(
            nothing.alias("file"),
            nothing.cast("bigint").alias("line"),
            nothing.cast("bigint").alias("record"),
            F.lit(reason).alias("reason"),
            nothing.alias("detail"),
            F.to_json(F.struct("*")).alias("raw"),
        ).write.mode("append").json(self._refused_in(folder))
        after = table.rewrite_audit(self._spark.sql(moves.kept), self._options.run_id)
        # A catalog that caches tables would show what was there before.
        table.audited().createOrReplaceTempView(self._manifest.output.table)
        return before - after

    @staticmethod
    def _since(started: float) -> float:
        return round(time.monotonic() - started, 3)


def code_hash(code: str) -> str:
    """Give what tells whether a table is still made as it was."""
    return hashlib.sha256(code.encode()).hexdigest()


def _told_skipped(name: str, skipped: Sequence[str]) -> str:
    more = ", …" if len(skipped) > _SKIPPED_SHOWN else ""
    shown = ", ".join(sorted(skipped)[:_SKIPPED_SHOWN])
    what = "hidden, no regular files, or links that leave the folder"
    entries = counted(len(skipped), "entry", "entries")
    return f"{name}: {entries} of its folder {what} were not read: {shown}{more}"
