"""Forgets a person: enters them in the list, and takes what is theirs out of everything that is stored.

The list comes first and the files that values are found in come last: so whoever was killed is called again,
and goes on. No value of the person is in a plan, a log or an answer; workers find them by their hashes.
"""

import re
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from . import files
from .errors import JobError, tell
from .files import File
from .iceberg import IcebergTable
from .landing import Landing
from .manifest import Column, Erasure
from .quoting import quoted
from .rewrite import LandingSieve, QuarantineSieve, Sieve, Sifted, sift
from .run import SPARK_SETTINGS
from .suppression import (
    Entry,
    Forgotten,
    Kind,
    add_to_list,
    forgotten_of,
    hash_of,
    is_named,
    normalised,
    pseudonym_of,
    read_list,
)

_FOUND = "what string, value string"
_FOUND_ARROW = pa.schema([("what", pa.string()), ("value", pa.string())])
_FILES_A_TASK = 100
_NOT_BLANK = r"[^ \t\n\x0B\f\r]"


@dataclass(frozen=True)
class Request:
    """Who is to be forgotten, and how."""

    subject: str
    """The e-mail address."""
    key: bytes
    """Of pseudonyms."""
    dry_run: bool
    """Find and count only."""
    catalog: str
    """The name of the Iceberg catalog in Spark."""
    engine: Literal["spark", "glue"]
    rewrite_landing: bool
    """Whether the landing files are the lake's own."""
    spared_since: float | None = None
    """Files that no snapshot names may be somebody's who is writing, where they are younger than this time in
    seconds since 1970. None: nobody is writing."""
    other_tables: tuple[str, ...] = ()
    """Tables of the catalog that the definition no longer has: by whatever text of theirs is in a row."""
    dropped: tuple[str, ...] = ()
    """Tables that were never published and are dropped whole."""
    other_quarantines: Mapping[str, str] = field(default_factory=dict)
    """URIs of the folders of what the definition no longer has, by table."""


def forget(spark: SparkSession, erasure: Erasure, request: Request) -> dict[str, Any]:
    """Forget a person, and give the parts of the receipt, as JSON takes them.

    Raises:
        JobError: The list is damaged, or something was changed meanwhile. To call again goes on.
    """
    for name, value in SPARK_SETTINGS.items():
        spark.conf.set(name, value)
    try:
        return _Forgetting(spark, erasure, request).go()
    except Exception as error:
        if isinstance(error, JobError):
            raise
        # Where it went wrong goes to the log; its text may quote data.
        traceback.print_tb(error.__traceback__)
        told = re.sub(re.escape(request.subject.strip()), "…", tell(error), flags=re.IGNORECASE)
        raise JobError(told) from None


@dataclass
class _Values:
    """The values of a person as they are spelled in the data, and of everybody else on the list."""

    persons: set[str] = field(default_factory=set)
    devices: set[str] = field(default_factory=set)
    shared: set[str] = field(default_factory=set)
    """Spellings of the devices that are not only the person's."""


Columns = Mapping[str, Column]
Judge = Callable[[pa.RecordBatch, Columns], Iterable[tuple[str, str]]]


class _Forgetting:
    def __init__(self, spark: SparkSession, erasure: Erasure, request: Request) -> None:
        self._spark = spark
        self._erasure = erasure
        self._request = request
        self._places: list[dict[str, Any]] = []
        self._old = 0
        self._unread: dict[str, None] = {}
        self._found = False
        self._landings = {name: Landing(spark, source) for name, source in erasure.sources.items()}
        self._tables = {
            name: IcebergTable(spark, request.catalog, erasure.database, name)
            for name in [*(t.table for t in erasure.tables), *request.other_tables, *request.dropped]
            if spark.catalog.tableExists(quoted(request.catalog, erasure.database, name))
        }

    def go(self) -> dict[str, Any]:
        request = self._request
        entries = read_list(self._erasure.suppressed)
        subject = hash_of(request.key, "person", request.subject)
        since = next((e.since for e in entries if (e.kind, e.hash) == ("person", subject)), None)
        forgotten, values, devices = self._find(entries, subject)
        self._clean_tables(values, forgotten)
        self._clean_quarantines(forgotten)
        if request.rewrite_landing:
            self._clean_landing(forgotten)
        self._forget_old_objects()
        return {
            "places": self._places,
            "sharedDevices": {"devices": devices, "rows": self._shared_rows(values)},
            "oldVersions": self._old,
            "unread": [uri.removeprefix("file:") for uri in self._unread],
            "found": self._found,
            "subject": subject,
            "listedSince": since,
        }

    # --- Whose values are they? ---

    def _find(self, entries: list[Entry], subject: str) -> tuple[Forgotten, _Values, int]:
        """Enter the person. Give who is forgotten then, their values, and how many devices others share."""
        request = self._request
        key = request.key
        listed = forgotten_of([*entries, Entry("person", subject, "")], key)
        only = Forgotten(key, {"person": frozenset([subject])})
        seen = self._search(_Records(listed, only), {"person"})
        kinds: tuple[Kind, ...] = ("device", "hint")
        own = {kind: {hash_of(key, kind, v) for what, v in seen if what == kind} for kind in kinds}
        others: set[tuple[str, str]] = set()
        if any(own.values()):
            candidates = Forgotten(key, {kind: frozenset(own[kind]) for kind in kinds})
            others = self._search(_Others(listed, candidates), {"person"})
        # What others have too points to nobody.
        shared_by = {kind: {hash_of(key, kind, v) for what, v in others if what == kind} for kind in kinds}
        shared = shared_by["device"]
        added: list[tuple[Kind, str]] = [("person", subject)]
        added += [(kind, hash_) for kind in kinds for hash_ in sorted(own[kind] - shared_by[kind])]
        if request.dry_run:
            entries = [*entries, *(Entry(kind, hash_, "") for kind, hash_ in added)]
        else:
            entries = add_to_list(self._erasure.suppressed, added)
        forgotten = forgotten_of(entries, key)
        shared -= forgotten.hashes["device"]
        values = _Values(persons={request.subject, normalised(request.subject)})
        values.persons |= {v for what, v in seen if what == "person"}
        spelled = self._search(_Devices(forgotten, Forgotten(key, {"device": frozenset(shared)})), {"device"})
        values.devices = {value for what, value in spelled if what == "device"}
        values.shared = {value for what, value in spelled if what == "shared"}
        pseudonyms = {pseudonym_of(key, value) for value in values.persons | values.devices}
        return (
            replace(forgotten, pseudonyms=frozenset(pseudonyms), email=request.subject),
            values,
            len(shared),
        )

    def _search(self, judge: Judge, kinds: set[str]) -> set[tuple[str, str]]:
        """Have workers look into all sources and tables that have columns of all these kinds."""
        frames = [
            (self._landings[name].rows, source.columns) for name, source in self._erasure.sources.items()
        ]
        frames += [
            (self._tables[t.table].published(), t.columns)
            for t in self._erasure.tables
            if t.table in self._tables
        ]
        parts = []
        for rows, columns in frames:
            if not kinds <= {c.identifies for c in columns.values()}:
                continue
            # A table may still have the columns of an earlier definition.
            told = {
                name: column
                for name, column in columns.items()
                if (column.identifies or _is_hint(column)) and name in rows.columns
            }
            some = rows.select([F.col(quoted(name)) for name in told])
            parts.append(some.mapInArrow(_Search(judge, told), _FOUND))
        if not parts:
            return set()
        found = reduce(DataFrame.unionAll, parts).distinct().collect()
        for name, landing in self._landings.items():
            if kinds <= {c.identifies for c in self._erasure.sources[name].columns.values()}:
                self._tell_damaged(landing)
        return {(row.what, row.value) for row in found}

    def _tell_damaged(self, landing: Landing) -> None:
        uris = {file.name: file.uri for file in landing.files}
        for name, refusal in landing.account().whole.items():
            if refusal.is_fatal:
                self._unread[uris[name]] = None

    # --- Tables ---

    def _clean_tables(self, values: _Values, forgotten: Forgotten) -> None:
        contracts = {t.table: t.columns for t in self._erasure.tables}
        by_kind = {"person": values.persons, "device": values.devices}
        views = {kind: self._frame(some) for kind, some in by_kind.items() if some}
        views["pseudonym"] = self._frame(forgotten.pseudonyms)
        everything = self._frame(values.persons | values.devices | forgotten.pseudonyms)
        for name in self._request.dropped:
            if name in self._tables:
                self._drop(name, everything)
        for name, table in self._tables.items():
            if name in self._request.dropped:
                continue
            texts = table.texts()
            if name in contracts:
                kinds = {column: _kind(contract) for column, contract in contracts[name].items()}
                theirs = {c: views[kind] for c, kind in kinds.items() if kind in views and c in texts}
            else:
                kinds, theirs = {}, dict.fromkeys(texts, everything)
            self._clean_table(name, table, theirs, {c: kind for c, kind in kinds.items() if c in texts})

    def _clean_table(
        self, name: str, table: IcebergTable, theirs: Mapping[str, DataFrame], kinds: Mapping[str, str | None]
    ) -> None:
        self._found |= any(
            rows.count() > _without(rows, theirs, kinds).count() for rows in table.unpublished()
        )
        before = table.published_rows()
        kept = _without(table.published(), theirs, kinds)
        removed = before - kept.count() if before > 0 else 0
        self._tell(name, "rows", removed)
        if self._request.dry_run:
            self._old += table.old_snapshots() + (1 if removed > 0 else 0)
            return
        if removed > 0:
            # The whole table, as each run does: so that nothing of theirs is left in a file whose rows were
            # only marked as deleted.
            table.replace_rows(kept)
        self._old += table.forget_others()
        since = self._request.spared_since
        self._old += table.delete_orphans(None if since is None else int(since * 1000))
        if since is not None:
            young = files.list_written_since(table.location(), since)
            named = table.named_files() if young else set()
            self._unread |= {file.uri: None for file in young if file.uri not in named}

    def _drop(self, name: str, everything: DataFrame) -> None:
        table = self._tables[name]
        theirs = dict.fromkeys(table.texts(), everything)
        every = [table.published(), *table.unpublished()]
        self._found |= any(rows.count() > _without(rows, theirs).count() for rows in every)
        self._old += 1
        if not self._request.dry_run:
            whole = quoted(self._request.catalog, self._erasure.database, name)
            self._spark.sql(f"DROP TABLE {whole} PURGE")

    def _frame(self, values: Iterable[str]) -> DataFrame:
        """Give values as rows that no plan shows."""
        return self._spark.createDataFrame([(value,) for value in sorted(values)], "_theirs string")

    def _shared_rows(self, values: _Values) -> int:
        """Count the rows that say nothing but whose device it was, where that is not only theirs."""
        if not values.shared:
            return 0
        shared = self._frame(values.shared)
        count = 0
        for contract in self._erasure.tables:
            kinds = {c.identifies: name for name, c in contract.columns.items() if c.identifies}
            if contract.table in self._tables and kinds.keys() == {"device"}:
                rows = self._tables[contract.table].published()
                same = F.col(quoted(kinds["device"])) == F.col("_theirs")
                count += rows.join(F.broadcast(shared), same, "left_semi").count()
        return count

    # --- Files ---

    def _clean_quarantines(self, forgotten: Forgotten) -> None:
        folders = {name: source.quarantine for name, source in self._erasure.sources.items()}
        folders |= {t.table: t.quarantine for t in self._erasure.tables if t.quarantine is not None}
        for name, folder in {**folders, **self._request.other_quarantines}.items():
            unfinished = files.list_unfinished(folder)
            self._old += len(unfinished)
            if not self._request.dry_run:
                for file in unfinished:
                    files.delete(file.uri)
            source = self._erasure.sources.get(name)
            sql = source.reading.forgotten if source else self._erasure.forgotten
            self._sift(name, "quarantine", files.list_files(folder), QuarantineSieve(forgotten, sql))

    def _clean_landing(self, forgotten: Forgotten) -> None:
        for name, source in self._erasure.sources.items():
            # First: one that is finished later would be in no listing.
            self._old += files.uploads(source.location, abort=not self._request.dry_run)
            sieve = LandingSieve(forgotten, source.columns, source.reading)
            self._sift(name, "files", files.list_files(source.location), sieve)

    def _sift(self, name: str, kind: str, listed: Sequence[File], sieve: Sieve) -> None:
        # Counted first: of a file that is rewritten by a task that is then tried again, nobody would know.
        counted = self._sifted(listed, sieve, rewrite=False)
        for file, found in zip(listed, counted, strict=True):
            if found.unread:
                self._unread[file.uri] = None
        theirs = [file for file, found in zip(listed, counted, strict=True) if found.removed > 0]
        self._tell(name, kind, sum(found.removed for found in counted))
        if theirs and not self._request.dry_run:
            for file, found in zip(theirs, self._sifted(theirs, sieve, rewrite=True), strict=True):
                if found.unread:
                    self._unread[file.uri] = None

    def _sifted(self, listed: Sequence[File], sieve: Sieve, rewrite: bool) -> list[Sifted]:
        if not listed:
            return []
        context = self._spark.sparkContext
        tasks = max(context.defaultParallelism, len(listed) // _FILES_A_TASK)
        numbered = context.parallelize(list(enumerate(listed)), min(tasks, len(listed)))
        done = numbered.map(_Sift(sieve, rewrite)).collect()
        return [found for _, found in sorted(done)]

    def _forget_old_objects(self) -> None:
        folders = [source.quarantine for source in self._erasure.sources.values()]
        folders += [t.quarantine for t in self._erasure.tables if t.quarantine is not None]
        folders += [table.location() for name, table in self._tables.items()]
        if self._request.rewrite_landing:
            folders += [source.location for source in self._erasure.sources.values()]
        for folder in folders:
            self._old += files.old_versions(folder, delete=not self._request.dry_run)

    def _tell(self, name: str, kind: str, removed: int) -> None:
        if removed > 0:
            self._found = True
            self._places.append(
                {"table": name, "kind": kind, "engine": self._request.engine, "removed": removed}
            )


class _Sift:
    """Sifts numbered files in a worker."""

    def __init__(self, sieve: Sieve, rewrite: bool) -> None:
        self._sieve = sieve
        self._rewrite = rewrite

    def __call__(self, numbered: tuple[int, File]) -> tuple[int, Sifted]:
        number, file = numbered
        return number, sift(file, self._sieve, self._rewrite)


class _Search:
    """Has a judge look into Arrow's batches in a worker."""

    def __init__(self, judge: Judge, columns: Columns) -> None:
        self._judge = judge
        self._columns = columns

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            found = {(what, value) for what, value in self._judge(batch, self._columns) if normalised(value)}
            if found:
                arrays = [pa.array(column, pa.string()) for column in zip(*sorted(found), strict=True)]
                yield pa.RecordBatch.from_arrays(arrays, schema=_FOUND_ARROW)


def _kind(column: Column) -> str | None:
    return "pseudonym" if column.type == "pseudonym" else column.identifies


def _without(
    rows: DataFrame, theirs: Mapping[str, DataFrame], kinds: Mapping[str, str | None] | None = None
) -> DataFrame:
    """Give the rows of which no column has one of its values. NULL is nobody's, and stays.

    `kinds` tells of columns what they hold: a device only counts where no person is named.
    """
    kinds = kinds or {}
    persons = [F.col(quoted(name)) for name, kind in kinds.items() if kind == "person"]
    for name, values in theirs.items():
        same = F.col(quoted(name)) == F.col("_theirs")
        if kinds.get(name) == "device":
            for person in persons:
                same &= ~F.coalesce(person.rlike(_NOT_BLANK), F.lit(False))
        rows = rows.join(F.broadcast(values), same, "left_anti")
    return rows


def _is_hint(column: Column) -> bool:
    return column.pii == "direct" and column.type == "text" and column.identifies is None


def _of(columns: Columns, kind: Kind) -> Columns:
    return {name: column for name, column in columns.items() if column.identifies == kind}


def _values(rows: pa.RecordBatch, names: Iterable[str]) -> Iterator[str]:
    for name in names:
        for value in rows.column(name).unique().to_pylist():
            if value is not None:
                yield value


@dataclass(frozen=True)
class _Records:
    """Finds how those on the list are spelled, and what the records of the person say."""

    listed: Forgotten
    only: Forgotten

    def __call__(self, rows: pa.RecordBatch, columns: Columns) -> Iterator[tuple[str, str]]:
        persons = _of(columns, "person")
        for value in _values(rows, persons):
            if self.listed.has("person", value):
                yield "person", value
        theirs = self.only.persons(rows, persons)
        if theirs.any():
            records = rows.filter(pa.array(theirs))
            yield from (("device", value) for value in _values(records, _of(columns, "device")))
            hints = [name for name, column in columns.items() if _is_hint(column)]
            yield from (("hint", value) for value in _values(records, hints))


@dataclass(frozen=True)
class _Others:
    """Finds which of some devices and hints are on records of people who were not forgotten."""

    listed: Forgotten
    candidates: Forgotten

    def __call__(self, rows: pa.RecordBatch, columns: Columns) -> Iterator[tuple[str, str]]:
        persons = _of(columns, "person")
        theirs = self.listed.persons(rows, persons)
        named = np.any([is_named(rows.column(name)) for name in persons], axis=0)
        others = rows.filter(pa.array(named & ~theirs))
        asked: dict[Kind, Iterable[str]] = {
            "device": _of(columns, "device"),
            "hint": [name for name, column in columns.items() if _is_hint(column)],
        }
        for kind, names in asked.items():
            for value in _values(others, names):
                if self.candidates.has(kind, value):
                    yield kind, value


@dataclass(frozen=True)
class _Devices:
    """Finds how devices are spelled: those on the list, and those that are not only the person's."""

    listed: Forgotten
    shared: Forgotten

    def __call__(self, rows: pa.RecordBatch, columns: Columns) -> Iterator[tuple[str, str]]:
        for value in _values(rows, _of(columns, "device")):
            if self.listed.has("device", value):
                yield "device", value
            elif self.shared.has("device", value):
                yield "shared", value


def no_address(subject: str) -> JobError | None:
    """Say what is wrong with what should be an e-mail address, without it."""
    text = subject.strip()
    if "@" in text.strip("@") and not any(character.isspace() for character in text):
        return None
    return JobError("the subject is no e-mail address")
