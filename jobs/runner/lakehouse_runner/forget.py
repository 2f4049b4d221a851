"""Forgets a person: enters them in the list, and has the jobs make their tables again without whom it names.

The list comes first: whoever was killed is called again, and goes on. No value of the person is in a plan, a
log or an answer; workers find them by their hashes, and what is theirs the manifest's SQL says.
"""

import datetime
import json
import re
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial, reduce
from typing import Any, Literal

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from . import __version__, files
from .database import Database
from .errors import JobError, tell
from .iceberg import IcebergTable
from .landing import Landing
from .manifest import LANGUAGES, Manifest, PeopleSql, Reading
from .quoting import quoted
from .rewrite import rewritten
from .run import SPARK_SETTINGS, Accounts, Options, code_hash, run
from .suppression import Entry, Forgotten, add_to_list, read_list

_FOUND = "kind string, value string, person string"
_FILES_A_TASK = 100


@dataclass(frozen=True)
class Job:
    """What makes a table."""

    manifest: Manifest
    code: str
    parameters: Mapping[str, str]
    """Values for tables that do not say with which they were made."""


@dataclass(frozen=True)
class Request:
    """Who is to be forgotten, and how."""

    subject: str | None
    """The e-mail address. None: whoever is on the list, as a forget was cut off."""
    key: bytes
    """Of pseudonyms."""
    dry_run: bool
    """Find and count only."""
    run_id: str
    catalog: str
    """The name of the Iceberg catalog in Spark."""
    engine: Literal["spark", "glue"]
    """On Glue the landing files and the runs' summaries are the lake's own, and lose the person too."""
    suppressed: str
    """URI of the list."""
    spared_since: float | None = None
    """Files that no snapshot names may be somebody's who is writing, where they are younger than this time in
    seconds since 1970. None: nobody is writing."""


def forget(spark: SparkSession, jobs: Sequence[Job], people: PeopleSql, request: Request) -> dict[str, Any]:
    """Forget a person, and give the parts of the receipt, as JSON takes them.

    Args:
        spark: A session, whose settings are changed.
        jobs: In the order in which tables are made.
        people: The SQL that says what points to a person.
        request: Who and how.

    Raises:
        JobError: The list is damaged, a table cannot be made, or something was changed meanwhile. To call
            again goes on.
    """
    for name, value in SPARK_SETTINGS.items():
        spark.conf.set(name, value)
    try:
        return _Forgetting(spark, jobs, people, request).go()
    except Exception as error:
        if isinstance(error, JobError):
            raise
        # Where it went wrong goes to the log; its text may quote data.
        traceback.print_tb(error.__traceback__)
        told = tell(error)
        if request.subject:
            told = re.sub(re.escape(request.subject.strip()), "…", told, flags=re.IGNORECASE)
        raise JobError(told) from None


class _Forgetting:
    def __init__(self, spark: SparkSession, jobs: Sequence[Job], people: PeopleSql, request: Request) -> None:
        self._spark = spark
        self._people = people
        self._request = request
        self._said: dict[str, Any] = {"places": [], "remade": [], "unread": [], "warnings": [], "rows": {}}
        self._accounts: Accounts = {}
        self._old = 0
        self._tables = [job.manifest for job in jobs if self._there(job.manifest)]
        # Runs that failed leave rows and refused lines of tables that were never published. They are cleaned:
        # the next run makes them, and knows the list.
        self._jobs = [
            job for job in jobs if job.manifest in self._tables and self._of(job.manifest).is_published()
        ]
        self._sources = {name: source for job in jobs for name, source in job.manifest.sources.items()}

    def _there(self, manifest: Manifest) -> bool:
        name = quoted(self._request.catalog, manifest.database, manifest.output.table)
        return self._spark.catalog.tableExists(name)

    def _of(self, manifest: Manifest) -> IcebergTable:
        return IcebergTable(self._spark, self._request.catalog, manifest.database, manifest.output.table)

    def go(self) -> dict[str, Any]:
        request = self._request
        entries = read_list(request.suppressed)
        person, since, shared = None, None, 0
        if request.subject is not None:
            (person, *others), shared = self._find(entries)
            since = next((entry.since for entry in entries if entry.hash == person.hash), None)
            added = [person, *others]
            entries = [*entries, *added] if request.dry_run else add_to_list(request.suppressed, added)
        forgotten = Forgotten(request.key, tuple(entries), request.subject)
        for job in self._jobs:
            before = self._of(job.manifest).made_with().get("sql")
            if before is not None and before != code_hash(job.code):
                its = f"{job.manifest.job}: its {LANGUAGES[job.manifest.language]}"
                told = f"{its} is not that of its last run; it is made again by what it is now"
                self._said["warnings"].append(told)
                print(told)
        if request.dry_run:
            for name, source in self._sources.items():
                account = Landing(self._spark, source, forgotten=forgotten).account()
                self._tell(name, "files", account.filtered)
            for job in self._jobs:
                self._told_remade(job.manifest)
        else:
            for job in self._jobs:
                self._make_again(job, forgotten)
            if request.engine == "glue":
                self._rewrite_landing(forgotten)
            self._remove_old()
        found = {"sharedDevices": shared, "subject": person and person.hash, "listedSince": since}
        return {**self._said, **found, "oldVersions": self._old}

    def _find(self, entries: Sequence[Entry]) -> tuple[list[Entry], int]:
        """Give the person and what points to nobody else, and how many of their devices others have too."""
        request = self._request
        with closing(_Asked(Forgotten(request.key, subject=request.subject), self._people)) as asked:
            person, _ = asked.entries([])
            if not person:
                raise JobError("the subject is empty")
            find = partial(_found, Forgotten(request.key, (*entries, *person)))
            parts = [
                Landing(self._spark, source, raw=True).rows.mapInArrow(partial(find, source.reading), _FOUND)
                for source in self._sources.values()
                if source.reading.forgotten.found is not None
            ]
            if not parts:
                return person, 0
            found = reduce(DataFrame.unionAll, parts).distinct().persist()
            try:
                theirs = found.where("person IS NOT NULL").select("kind", "value").distinct()
                # Of others only what somebody on the list has too.
                return asked.entries(found.join(theirs, ["kind", "value"], "left_semi").collect())
            finally:
                found.unpersist()

    def _make_again(self, job: Job, forgotten: Forgotten) -> None:
        request, manifest = self._request, job.manifest
        table = self._of(manifest)
        before = table.published_rows()
        made_with = json.loads(table.made_with().get("parameters", "{}"))
        # What has no value to choose from is the run's own time.
        now = datetime.datetime.now(datetime.UTC).isoformat(" ", "milliseconds").removesuffix("+00:00")
        parameters = {
            name: made_with.get(name, job.parameters.get(name, now)) for name in manifest.parameters
        }
        options = Options(
            catalog=request.catalog,
            run_id=request.run_id,
            code_version=__version__,
            pseudonym_key=lambda: request.key,
            forgotten=forgotten,
            accounts=self._accounts,
        )
        result = run(self._spark, manifest, job.code, parameters, options)
        if result.failures:
            failures = "\n".join(result.failures)
            raise JobError(
                "the person is on the list and is not gone yet, as not all tables can be made again:\n"
                f"{failures}\nPut that right and call again"
            )
        self._said["warnings"] += result.warnings
        told = {place["table"] for place in self._said["places"]}
        for one in result.summary["tables"]:
            if one["table"] in manifest.sources and one["table"] not in told:
                self._said["rows"][one["table"]] = one["written"]
                self._tell(one["table"], "files", one["filtered"])
        self._tell(manifest.output.table, "rows", before - self._told_remade(manifest))

    def _told_remade(self, manifest: Manifest) -> int:
        rows = self._of(manifest).published_rows()
        remade = {"table": manifest.output.table, "engine": self._request.engine, "rows": rows}
        self._said["remade"].append(remade)
        return rows

    def _rewrite_landing(self, forgotten: Forgotten) -> None:
        context = self._spark.sparkContext
        for source in self._sources.values():
            # First: one that is finished later would be in no listing.
            self._old += files.uploads(source.location, abort=True)
            listed = files.list_files(source.location)
            tasks = max(context.defaultParallelism, len(listed) // _FILES_A_TASK)
            spread = context.parallelize(listed, min(tasks, len(listed)) or 1)
            done = spread.map(partial(rewritten, source=source, forgotten=forgotten)).collect()
            self._leave(file.uri for file, is_done in zip(listed, done, strict=True) if not is_done)

    def _remove_old(self) -> None:
        since = self._request.spared_since
        quarantines = [source.quarantine for source in self._sources.values()]
        quarantines += [m.output.quarantine for m in self._tables if m.output.quarantine is not None]
        for folder in quarantines:
            files.delete_others(folder, self._request.run_id)
        folders = quarantines
        if self._request.engine == "glue":
            folders = [*folders, *(source.location for source in self._sources.values())]
            for manifest in self._tables:
                self._remove_samples(manifest.runs)
        for manifest in self._tables:
            table = self._of(manifest)
            self._old += table.forget_others()
            self._old += table.delete_orphans(None if since is None else int(since * 1000))
            folders.append(table.location())
            young = files.list_written_since(table.location(), since) if since is not None else []
            named = table.named_files() if young else set()
            self._leave(file.uri for file in young if file.uri not in named)
        for folder in folders:
            for file in files.list_unfinished(folder):
                files.delete(file.uri)
            self._old += files.old_versions(folder, delete=True)

    def _remove_samples(self, runs: str) -> None:
        """Take the bad rows that were shown out of the summaries of a job's runs."""
        for file in files.list_files(runs):
            summary = json.loads(files.read_text(file.uri))
            found = summary.get("findings", [])
            if any(one["samples"] for one in found):
                summary["findings"] = [{**one, "samples": []} for one in found]
                files.write_text(file.uri, json.dumps(summary, indent=2) + "\n")
        self._old += files.old_versions(runs, delete=True)

    def _leave(self, unread: Iterable[str]) -> None:
        self._said["unread"] += [uri.removeprefix("file:") for uri in unread]

    def _tell(self, table: str, kind: str, removed: int) -> None:
        if removed > 0:
            place = {"table": table, "kind": kind, "engine": self._request.engine, "removed": removed}
            self._said["places"].append(place)


class _Asked(Database):
    """Asks the SQL that says what is of people."""

    def __init__(self, listed: Forgotten, sql: Any) -> None:
        super().__init__()
        self._sql = sql
        self._ready(listed, sql)

    def found(self, rows: pa.RecordBatch) -> pa.Table:
        self._take("_landed", pa.Table.from_batches([rows]))
        return self._base.execute(self._sql.found).to_arrow_table()

    def entries(self, found: Sequence[Sequence[str]]) -> tuple[list[Entry], int]:
        """Give the subject, if there is one, and what is only theirs; and how many devices are shared."""
        names = ("kind", "value", "person")
        columns = {name: pa.array([row[i] for row in found], pa.string()) for i, name in enumerate(names)}
        self._take("_found", pa.table(columns))
        entries = [Entry(*row) for row in self._rows(self._sql.entries)]
        return entries, len(self._rows(self._sql.shared_devices))


def _found(
    listed: Forgotten, reading: Reading, batches: Iterable[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    """Look into Arrow's batches in a worker."""
    with closing(_Asked(listed, reading.forgotten)) as asked:
        for batch in batches:
            yield from asked.found(batch).to_batches()
