"""Runs jobs and queries on a laptop. The engine in `engines/spark` speaks to it, in lines of JSON.

The first line on stdin tells how to start Spark, each further one is a request. Each is answered by lines on
stdout, the last of them of kind `end`. Iceberg's catalog is a folder.
"""

import json
import os
import queue
import re
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from pyspark import SparkContext
from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from . import files
from .cases import run_cases
from .errors import JobError, plain_text, tell
from .forget import Job, Request, forget
from .iceberg import IcebergTable
from .job import leaves_of
from .landing import QUARANTINE, Landing
from .manifest import Output, read_manifest, read_people, read_source
from .plain import plain_rows
from .provenance import PROVENANCE
from .quoting import quoted
from .run import SPARK_SETTINGS, Options, run
from .scratch import Scratch, remove_left
from .suppression import read_forgotten

_CATALOG = "lake"
_KEEP_SNAPSHOTS = 2
"""The published one and the one before: whoever reads that one while a run publishes reads on."""

_CHUNK_ROWS = 1000
_NEXT = "__next"
"""What is added to the name of a table that is made in place of one with other columns."""
_PROPERTIES = {
    "format-version": 2,
    # Few tasks write few files a day as it is, and each file is read by a task of its own. Iceberg's
    # defaults are for a cluster: a day's rows come together first, and one core has most of the work.
    "write.distribution-mode": "none",
    "read.split.open-file-cost": 16 << 20,
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": 10,
}

# For a minute on a few cores: G1's own threads take the time that they save, and so does code that is
# compiled for hours of use.
_JAVA_OPTIONS = (
    "-XX:+UseParallelGC -XX:Tier4InvocationThreshold=100000 -XX:Tier4MinInvocationThreshold=20000"
    " -XX:Tier4CompileThreshold=300000 -XX:Tier4BackEdgeThreshold=200000"
)

# That an archive of classes does not fit this Java, or not all classes can be in it, is nobody's concern.
_QUIET = " -Xlog:cds=off -Xlog:cds+dynamic=off -Xlog:class+path=off"

Tell = Callable[[dict[str, Any]], None]
Handle = Callable[[SparkSession, dict[str, Any], Tell], None]


def session(
    warehouse: str, memory: str, more: Mapping[str, str], java_options: str = _JAVA_OPTIONS
) -> SparkSession:
    """Start Spark in this process, with Iceberg tables in a folder."""
    catalog = f"spark.sql.catalog.{_CATALOG}"
    settings = {
        "spark.driver.memory": memory,
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        catalog: "org.apache.iceberg.spark.SparkCatalog",
        f"{catalog}.type": "hadoop",
        f"{catalog}.warehouse": warehouse,
        f"{catalog}.cache-enabled": "false",
        "spark.driver.extraJavaOptions": java_options,
        "spark.sql.shuffle.partitions": str(4 * (os.cpu_count() or 1)),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        # A query reads tables, and no file by its path.
        "spark.sql.runSQLOnFiles": "false",
        "spark.sql.catalogImplementation": "in-memory",
        **SPARK_SETTINGS,
        **more,
    }
    builder = SparkSession.builder.master("local[*]").appName("lake")
    for name, value in settings.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    return spark


def ready_table(spark: SparkSession, database: str, output: Output) -> str:
    """Make the table of a contract where it is missing. Return the name of the table to write.

    That is another one where the columns or partitions are no longer those of the contract: what is published
    stays until there is something to take its place.
    """
    _make_namespace(spark, database)
    name = quoted(_CATALOG, database, output.table)
    if not spark.catalog.tableExists(name):
        _create(spark, name, output)
        return output.table
    wanted = spark.createDataFrame([], output.schema).dtypes
    if output.partition_by:
        parts = [(f"Part {i}", f"days({column})") for i, column in enumerate(output.partition_by)]
        wanted += [("", ""), ("# Partitioning", ""), *parts]
    next_name = quoted(_CATALOG, database, output.table + _NEXT)
    if [tuple(row)[:2] for row in spark.sql(f"DESCRIBE TABLE {name}").collect()] == wanted:
        spark.sql(f"DROP TABLE IF EXISTS {next_name} PURGE")
        return output.table
    _create(spark, next_name, output)
    return output.table + _NEXT


def _make_namespace(spark: SparkSession, database: str) -> None:
    spark.sql(f"CREATE NAMESPACE IF NOT EXISTS {quoted(_CATALOG, database)}")


def _create(spark: SparkSession, name: str, output: Output) -> None:
    days = ", ".join(f"days({quoted(column)})" for column in output.partition_by)
    properties = ", ".join(f"'{key}' = '{value}'" for key, value in _PROPERTIES.items())
    spark.sql(
        f"CREATE OR REPLACE TABLE {name} ({output.schema}) USING iceberg"
        + (f" PARTITIONED BY ({days})" if days else "")
        + f" TBLPROPERTIES ({properties})"
    )


def put_in_place(spark: SparkSession, database: str, output: Output) -> None:
    """Make of the table that was written in place of one of another shape that one, in one step."""
    next_name = quoted(_CATALOG, database, output.table + _NEXT)
    writer = spark.table(next_name).writeTo(quoted(_CATALOG, database, output.table)).using("iceberg")
    for key, value in _PROPERTIES.items():
        writer.tableProperty(key, str(value))
    if output.partition_by:
        writer.partitionedBy(*[F.days(quoted(column)) for column in output.partition_by])
    made = IcebergTable(spark, _CATALOG, database, output.table + _NEXT)
    for key, value in made.made_with().items():
        writer.option(f"snapshot-property.{key}", value)
    provenance = made.provenance()
    if provenance:
        writer.tableProperty(PROVENANCE, provenance.text())
    writer.createOrReplace()
    spark.sql(f"DROP TABLE {next_name} PURGE")


def run_jobs(spark: SparkSession, request: dict[str, Any], say: Tell) -> None:
    """Run jobs one after the other. A job of which an input failed is skipped."""
    key = bytes.fromhex(request["pseudonymKey"])
    options = Options(
        catalog=_CATALOG,
        run_id=request["runId"],
        code_version=request["codeVersion"],
        pseudonym_key=lambda: key,
        keep_snapshots=_KEEP_SNAPSHOTS,
        full=request["full"],
    )
    failed: set[str] = set()
    for job in request["jobs"]:
        manifest = read_manifest(job["manifest"])
        output = manifest.output.table
        if failed & {*manifest.sources, *manifest.tables}:
            failed.add(output)
            say({"kind": "skipped", "table": output})
            continue
        for table in [*manifest.sources, output]:
            say({"kind": "start", "table": table})
        written_to = ready_table(spark, manifest.database, manifest.output)
        result = run(spark, manifest, job["code"], job["parameters"], replace(options, table=written_to))
        if written_to != output and not result.failures:
            put_in_place(spark, manifest.database, manifest.output)
        failed |= result.failed
        for table in sorted(result.failed):
            say({"kind": "failed", "table": table})
        for summary in result.summary["tables"]:
            say({"kind": "done", "summary": summary})
        if result.failures and output not in result.failed:
            failed.add(output)
            say({"kind": "skipped", "table": output})
        say(
            {"kind": "ended", "findings": [f.as_json() for f in result.findings], "failures": result.failures}
        )


def sweep(spark: SparkSession, database: str) -> None:
    """Delete the files that a killed run left and no snapshot names. No other run may go on."""
    _make_namespace(spark, database)
    for row in _tables(spark, database):
        IcebergTable(spark, _CATALOG, database, row.tableName).delete_orphans()


def query(spark: SparkSession, request: dict[str, Any], say: Tell) -> None:
    """Answer one SELECT over the published tables, the sources as they come, and what was refused."""
    _make_namespace(spark, request["database"])
    spark.sql(f"USE {quoted(_CATALOG, request['database'])}")
    key = bytes.fromhex(request["pseudonymKey"])
    forgotten = read_forgotten(request["suppressed"], lambda: key)
    # A table that the text does not name is not read, and to ready one takes longer than most queries.
    text = request["sql"].lower()
    for name, given in request["sources"].items():
        if name.lower() in text:
            source = read_source(given)
            Landing(spark, source, raw=True, forgotten=forgotten).rows.createOrReplaceTempView(name)
    for name, folder in request["quarantines"].items():
        view = f"{name}_quarantine"
        if view.lower() in text:
            _refused(spark, folder).createOrReplaceTempView(view)
    answer = _select(spark, request["sql"], request["thereAre"])
    say({"kind": "columns", "columns": answer.dtypes})
    rows = answer.toLocalIterator()
    while chunk := list(islice(rows, _CHUNK_ROWS)):
        say({"kind": "rows", "rows": plain_rows(chunk)})


_CHANGES = ("Command", "ParsedStatement")
_PLACE = re.compile(r"\(line (\d+), pos \d+\)|; line (\d+) pos \d+")


class WrongCall(JobError):
    """The call itself was wrong, whatever is in the lake."""


def _select(spark: SparkSession, sql: str, there_are: str) -> DataFrame:
    """Have Spark understand a query. `there_are` tells of the tables, where it names another one."""
    try:
        # Spark runs commands as soon as it is given them.
        plan = spark._jsparkSession.sessionState().sqlParser().parsePlan(sql)
        logical = "org.apache.spark.sql.catalyst.plans.logical"
        jvm: Any = spark.sparkContext._jvm
        if any(jvm.java.lang.Class.forName(f"{logical}.{kind}").isInstance(plan) for kind in _CHANGES):
            raise WrongCall("a query reads and changes nothing; give one SELECT")
        answer = spark.sql(sql)
    except AnalysisException as error:
        raise JobError(_tell_mistake(error, there_are)) from error
    for table in _never_published(answer):
        raise JobError(f"table {table} was never published; {there_are}")
    return answer


def _tell_mistake(error: AnalysisException, there_are: str) -> str:
    """Say what is wrong with a query. To parse and bind it Spark saw its text and the columns, and no row."""
    text = plain_text(error).strip()
    place = _PLACE.search(text)
    line = f" (line {place[1] or place[2]})" if place else ""
    kind, given = error.getErrorClass() or "", error.getMessageParameters() or {}
    if kind == "TABLE_OR_VIEW_NOT_FOUND":
        return f"table {given['relationName'].replace('`', '')} does not exist; {there_are}{line}"
    if kind == "PARSE_SYNTAX_ERROR":
        word = re.sub(r"^'(.*)'$", r'or near "\1"', given["error"], flags=re.DOTALL)
        return f"syntax error at {word}{line}"
    if kind.startswith("UNRESOLVED_COLUMN"):
        others = f"; it could be {given['proposal']}" if "proposal" in given else ""
        return f"column {given['objectName']} not found{others}{line}".replace("`", '"')
    what = text[: place.start()] if place else text
    what = re.sub(r"^\[[\w.]+\]\s*", "", what).split("\n")[0]
    return what.split(" Please, refer to")[0].strip().removesuffix(".").replace("`", '"') + line


def _never_published(answer: DataFrame) -> Iterator[str]:
    """Name the tables that a query reads as they are published, and that are not."""
    for leaf in leaves_of(answer):
        if leaf.getClass().getSimpleName() != "DataSourceV2Relation":
            continue
        read = leaf.table()
        table = read.table()
        # Others are lists that Iceberg keeps, or a branch or snapshot that the query asks for.
        is_plain = table.getClass().getSimpleName() == "BaseTable"
        if is_plain and not read.branch() and not read.snapshotId() and not table.currentSnapshot():
            yield read.name().split(".")[-1]


def _refused(spark: SparkSession, folder: str) -> DataFrame:
    reader = spark.read.schema(QUARANTINE).option("recursiveFileLookup", True)
    if not files.list_files(folder):
        return spark.createDataFrame([], QUARANTINE)
    return reader.json(files.as_pattern(folder))


def forget_person(spark: SparkSession, request: dict[str, Any], say: Tell) -> None:
    """Forget a person, or end what was begun, in all that is in the catalog. No run may go on."""
    database, dry_run = request["database"], request["dryRun"]
    _make_namespace(spark, database)
    there = [row.tableName for row in _tables(spark, database)]
    jobs = [Job(read_manifest(job["manifest"]), job["code"], job["parameters"]) for job in request["jobs"]]
    known = {job.manifest.output.table for job in jobs}
    # Never published, made in place of one with other columns, or defined no longer: nobody makes them again.
    for name in there if not dry_run else ():
        if name not in known:
            spark.sql(f"DROP TABLE {quoted(_CATALOG, database, name)} PURGE")
    done = forget(
        spark,
        jobs,
        read_people(request["people"]),
        Request(
            subject=request["subject"],
            key=bytes.fromhex(request["pseudonymKey"]),
            dry_run=dry_run,
            run_id=request["runId"],
            catalog=_CATALOG,
            engine="spark",
            suppressed=request["suppressed"],
        ),
    )
    say({"kind": "forgotten", "rows": done.pop("rows"), "part": done})


def _tables(spark: SparkSession, database: str) -> list[Any]:
    return spark.sql(f"SHOW TABLES IN {quoted(_CATALOG, database)}").collect()


def handle(spark: SparkSession, request: dict[str, Any], say: Tell) -> None:
    """Answer a request."""
    if request["kind"] == "query":
        query(spark, request, say)
        return
    if request["kind"] == "cases":
        for made in run_cases(spark, request):
            say({"kind": "case", "made": made})
        return
    # The lake is held, so nobody but who asks it something works on it. A dry run changes nothing.
    if not request.get("dryRun"):
        remove_left(request["scratch"])
    if request["kind"] == "forget":
        forget_person(spark, request, say)
        return
    if request["sweep"]:
        sweep(spark, request["database"])
    run_jobs(spark, request, say)


def serve(handle: Handle) -> None:
    """Start Spark as the first line says, then answer each line that follows, until stdin ends."""
    # Whatever else writes to stdout must not get between the answers.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def say(answer: dict[str, Any]) -> None:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    scratches: list[Scratch] = []
    lines = _heard(scratches)
    start = json.loads(next(lines))
    scratch = Scratch(start["scratch"])
    scratches.append(scratch)
    try:
        archive = _Archive(start.get("archive"))
        java_options = archive.java_options + scratch.java_options
        spark = session(start["warehouse"], start["memory"], start["settings"], java_options)
        for line in lines:
            try:
                handle(spark, json.loads(line), say)
            except Exception as error:
                say({"kind": "error", "message": tell(error), "isWrongCall": isinstance(error, WrongCall)})
            say({"kind": "end"})
        archive.stop(spark)
    except BaseException:
        # It would go on to write.
        _kill_java()
        raise
    finally:
        scratch.remove()


def _kill_java() -> bool:
    """Kill Java, and say whether it had started."""
    gateway: Any = SparkContext._gateway
    if gateway:
        gateway.proc.kill()
        gateway.proc.wait()
    return gateway is not None


def _heard(scratches: Sequence[Scratch]) -> Iterator[str]:
    """Give the lines of stdin. Where it ends while one is answered, nobody waits for that: all stops."""
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    ended = threading.Event()
    idle = threading.Event()

    def listen() -> None:
        for line in sys.stdin:
            lines.put(line)
        ended.set()
        if not idle.is_set():
            # Java goes on otherwise, and writes to the lake while the next run cleans up. While it starts it
            # ends by itself, as its stdin ended, but waits for ever where its folder is gone: the next
            # command removes that.
            if _kill_java():
                for scratch in scratches:
                    scratch.remove()
            os._exit(1)
        lines.put(None)

    threading.Thread(target=listen, daemon=True).start()
    while True:
        idle.set()
        line = lines.get()
        idle.clear()
        if line is None or ended.is_set():
            return
        yield line


class _Archive:
    """A file of Java's classes as they are in memory: to load it takes seconds less than to load them.

    The first process that may makes it, as it ends.
    """

    def __init__(self, path: str | None) -> None:
        self._path = Path(path) if path else None
        self._unfinished: Path | None = None
        self.java_options = _JAVA_OPTIONS
        if self._path and self._path.exists():
            self.java_options += f' "-XX:SharedArchiveFile={path}"{_QUIET}'
        elif self._path:
            self._unfinished = self._path.with_suffix(f".{os.getpid()}")
            self.java_options += f' "-XX:ArchiveClassesAtExit={self._unfinished}"{_QUIET}'

    def stop(self, spark: SparkSession) -> None:
        """End Java, and keep its classes if they are not kept yet."""
        gateway: Any = spark.sparkContext._gateway
        spark.stop()
        if self._path and self._unfinished:
            gateway.shutdown()
            gateway.proc.stdin.close()
            gateway.proc.wait()
            # It appears whole: another process may look for it.
            if self._unfinished.exists():
                self._unfinished.replace(self._path)


if __name__ == "__main__":
    serve(handle)
