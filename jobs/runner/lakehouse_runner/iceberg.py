"""Write, audit, publish: rows go to a branch that no reader looks at, which then becomes the table."""

from typing import Any

from pyspark.errors import AnalysisException
from pyspark.sql import Column, DataFrame, Observation, SparkSession
from pyspark.sql import functions as F

from .errors import JobError
from .provenance import PROVENANCE, Provenance, digest, read_provenance
from .quoting import quoted

AUDIT = "audit"
_MAIN = "main"
RUN_ID = "run-id"
"""The property of a snapshot that tells the run that wrote it."""
_MADE_WITH = (RUN_ID, "parameters", "sql")
"""Those that tell how it was made, so that it can be made again. `sql` is the hash of the job's code."""
_REMOVED = ("deleted-data-files", "removed-delete-files")
"""The properties that a snapshot has if it took files out of the table."""


class IcebergTable:
    """A table of the catalog that exists."""

    def __init__(self, spark: SparkSession, catalog: str, database: str, name: str) -> None:
        """Raise a JobError where the table does not exist."""
        self._spark = spark
        self._name = quoted(catalog, database, name)
        self._made_with: dict[str, str] = {}
        self.content = ""
        """Tells whether what was written on the audit branch is what another run wrote, in any order."""
        self.written = 0
        """The id of the snapshot that was written on the audit branch."""
        jvm: Any = spark.sparkContext._jvm
        try:
            self._table = jvm.org.apache.iceberg.spark.Spark3Util.loadIcebergTable(
                spark._jsparkSession, self._name
            )
        except AnalysisException as error:
            raise JobError(f"the table {self._name} is not in the catalog; deploy the stack first") from error

    def write_audit(self, frame: DataFrame, run_id: str) -> int:
        """Write the rows on the audit branch, in place of what a run before left there. Return how many."""
        self._begin()
        return self.rewrite_audit(frame, run_id)

    def rewrite_audit(self, rows: DataFrame, run_id: str) -> int:
        """Put rows in place of those on the audit branch, of which they may be made. Return how many."""
        observation = Observation()
        observed = rows.observe(observation, *_sums(rows))
        writer = observed.writeTo(f"{self._name}.branch_{AUDIT}")
        for key, value in {RUN_ID: run_id, **self._made_with}.items():
            writer.option(f"snapshot-property.{key}", value)
        # A task has the rows of few days, so it may write to all of them at once rather than sort.
        writer.option("fanout-enabled", "true").overwrite(F.lit(True))
        self.content = digest(f"{rows.schema.simpleString()} {sorted(observation.get.items())}")
        self._table.refresh()
        snapshot = self._table.snapshot(AUDIT)
        self.written = snapshot.snapshotId()
        return self._rows(snapshot)

    def makes_with(self, parameters: str, code: str) -> None:
        """Note how what is written next is made: the values of parameters, in JSON, and the code's hash."""
        self._made_with = {"parameters": parameters, "sql": code}

    def made_with(self) -> dict[str, str]:
        """Tell how the published rows were made. Compaction, which writes them anew, says nothing of it."""
        self._table.refresh()
        snapshot = self._table.currentSnapshot()
        while snapshot is not None:
            found = {key: snapshot.summary().get(key) for key in _MADE_WITH}
            if found[RUN_ID] is not None:
                return {key: value for key, value in found.items() if value is not None}
            parent = snapshot.parentId()
            snapshot = None if parent is None else self._table.snapshot(parent)
        return {}

    def provenance(self) -> Provenance | None:
        """Tell what the published rows were made of. None where that is not known, or others changed them."""
        found = read_provenance(self._table.properties().get(PROVENANCE))
        made = self._made()
        known = found is not None and made is not None and made.summary().get(RUN_ID) == found.run
        return found if known else None

    def rows_id(self) -> str:
        """Give what is another one where the published rows are others."""
        found, made = self.provenance(), self._made()
        return found.rows if found else str(made.snapshotId()) if made is not None else ""

    def _made(self) -> Any:
        """Give the snapshot that brought the published rows. Compaction changes none of them."""
        self._table.refresh()
        snapshot = self._table.currentSnapshot()
        while snapshot is not None and snapshot.operation() == "replace" and snapshot.parentId() is not None:
            parent = self._table.snapshot(snapshot.parentId())
            if parent is None:
                break
            snapshot = parent
        return snapshot

    def is_published(self) -> bool:
        """Whether a run has published the table."""
        self._table.refresh()
        return self._table.currentSnapshot() is not None

    def _begin(self) -> None:
        """Make the audit branch what the table is now."""
        self._table.refresh()
        manage = self._table.manageSnapshots()
        if self._table.snapshot(AUDIT) is not None:
            manage.removeBranch(AUDIT).commit()
            manage = self._table.manageSnapshots()
        current = self._table.currentSnapshot()
        if current is None:
            manage.createBranch(AUDIT).commit()
        else:
            manage.createBranch(AUDIT, current.snapshotId()).commit()
        self._table.refresh()

    def audited(self) -> DataFrame:
        """Read the audit branch."""
        return self._spark.read.table(f"{self._name}.branch_{AUDIT}")

    def publish(self, provenance: Provenance | None = None) -> None:
        """Make the audit branch the table in one step, with what it is made of.

        Raises:
            JobError: Another run wrote on the branch meanwhile.
        """
        self._table.refresh()
        audited = self._table.snapshot(AUDIT)
        if audited is None or audited.snapshotId() != self.written:
            raise JobError("another run wrote the table meanwhile; nothing was published. Run it again")
        change = self._table.newTransaction()
        properties = change.updateProperties()
        if provenance is None:
            properties.remove(PROVENANCE).commit()
        else:
            properties.set(PROVENANCE, provenance.text()).commit()
        manage = change.manageSnapshots().removeBranch(AUDIT)
        if self._table.currentSnapshot() is None:
            manage.createBranch(_MAIN, self.written).commit()
        else:
            # Compaction may have written the old rows anew meanwhile. They are replaced whole either way.
            manage.setCurrentSnapshot(self.written).commit()
        change.commitTransaction()

    def expire(self, keep: int | None) -> None:
        """Keep what the last runs published, so many, and what branches and tags name; delete all else.

        None: something else does it.
        """
        if keep is None:
            return
        self._table.refresh()
        kept = {ref.snapshotId() for ref in self._table.refs().values()}
        runs: set[str | None] = set()
        snapshot = self._table.currentSnapshot()
        while snapshot is not None:
            run = snapshot.summary().get(RUN_ID)
            # A run may have written several, of which it published the last.
            if run not in runs:
                if len(runs) == keep:
                    break
                runs.add(run)
                kept.add(snapshot.snapshotId())
            parent = snapshot.parentId()
            snapshot = None if parent is None else self._table.snapshot(parent)
        self._expire({s.snapshotId() for s in self._table.snapshots()} - kept)

    def _expire(self, others: set[int]) -> None:
        if others:
            # Each is named: Iceberg, told how many to keep, leaves the files of the last one that goes.
            # And none goes for its age.
            expire = self._table.expireSnapshots().expireOlderThan(0)
            for other in others:
                expire.expireSnapshotId(other)
            expire.commit()

    def forget_others(self) -> int:
        """Remove every branch and tag but the published one, and all other snapshots. Return how many."""
        self._table.refresh()
        refs = self._table.refs()
        others = [name for name in refs if name != _MAIN]
        if others:
            manage = self._table.manageSnapshots()
            for name in others:
                manage = manage.removeBranch(name) if refs.get(name).isBranch() else manage.removeTag(name)
            manage.commit()
            self._table.refresh()
        self._drop_removed_files()
        current = self._table.currentSnapshot()
        old = {s.snapshotId() for s in self._table.snapshots()}
        if current is not None:
            old.discard(current.snapshotId())
        self._expire(old)
        return len(old)

    def _drop_removed_files(self) -> None:
        """Have a snapshot that says nothing of the files that the one before took out of the table.

        Iceberg lists those with their bounds, which are values of rows, and leaves them out in the next one.
        """
        current = self._table.currentSnapshot()
        if current is None or not any(current.summary().get(name) for name in _REMOVED):
            return
        append = self._table.newAppend()
        for key, value in self.made_with().items():
            append = append.set(key, value)
        append.commit()
        self._table.refresh()

    def location(self) -> str:
        """Give the URI of the folder of the table's files."""
        uri: str = self._table.location()
        return uri

    def named_files(self) -> set[str]:
        """Give the URIs of all files that the table or one of its snapshots names."""
        columns = {
            "all_files": "file_path",
            "all_manifests": "path",
            "snapshots": "manifest_list",
            "metadata_log_entries": "file",
        }
        return {
            row[0]
            for table, column in columns.items()
            for row in self._spark.read.table(f"{self._name}.{table}").select(column).distinct().collect()
        }

    def delete_orphans(self, before: int | None = None) -> int:
        """Delete the files that no snapshot names, and return how many. Nobody may be writing the table.

        `before`: only those that are older, in milliseconds since 1970. None: all of them.
        """
        jvm: Any = self._spark.sparkContext._jvm
        actions = jvm.org.apache.iceberg.spark.actions.SparkActions.get(self._spark._jsparkSession)
        limit = jvm.java.lang.System.currentTimeMillis() if before is None else before
        action = actions.deleteOrphanFiles(self._table).olderThan(limit)
        # Hadoop has rights of its own, or none, where Iceberg's client of S3 writes.
        found = action.usePrefixListing(self.location().startswith("s3:")).execute()
        return int(found.orphanFileLocations().spliterator().getExactSizeIfKnown())

    def published_rows(self) -> int:
        """Tell how many rows the table has; 0 before anything was published."""
        self._table.refresh()
        current = self._table.currentSnapshot()
        return 0 if current is None else self._rows(current)

    @staticmethod
    def _rows(snapshot: Any) -> int:
        return int(snapshot.summary().get("total-records"))


def _sums(rows: DataFrame) -> list[Column]:
    """Count the rows, and add up two hashes of each, in halves that do not overflow."""
    columns = [F.col(quoted(name)) for name in rows.columns]
    hashes = [F.xxhash64(F.lit(seed), *columns) for seed in (1, 2)]
    halves = [half for h in hashes for half in (F.shiftrightunsigned(h, 32), h.bitwiseAND(0xFFFFFFFF))]
    return [F.count("*").alias("rows"), *(F.sum(half).alias(f"sum{i}") for i, half in enumerate(halves))]
