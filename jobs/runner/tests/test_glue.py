"""Tests of how a job is run on Glue, without Glue and without Spark."""

import datetime
import json
import re
import runpy
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest
from contract import READING
from lakehouse_runner import __version__, files, glue, run
from lakehouse_runner.errors import JobError
from lakehouse_runner.expectations import Finding
from lakehouse_runner.manifest import Manifest
from pyspark.sql import SparkSession

STANDIN = str(Path(__file__).parent / "standin")
sys.path.insert(0, STANDIN)
from awsglue.utils import GlueArgumentError, getResolvedOptions  # noqa: E402

SOURCE = {
    "location": "s3://in/",
    "quarantine": "s3://out/",
    "maxQuarantinedShare": 0.1,
    "columns": {},
    "reading": READING,
    "audit": [],
}
MANIFEST: dict[str, Any] = {
    "version": 4,
    "job": "reading",
    "database": "d",
    "driving": "reading_raw",
    "sources": {"reading_raw": SOURCE, "other_raw": SOURCE},
    "tables": ["people"],
    "output": {"table": "reading", "columns": {}, "schema": "at date", "partitionBy": [], "audit": []},
    "parameters": {"mode": ["plain", "strict"], "unit": ["g", "kg"]},
    "runs": "s3://runs/reading/",
    "metricsNamespace": "Lakehouse/test",
}
ARGS = {"JOB_NAME": "test-reading", "manifest": "s3://a/m.json", "code": "s3://a/q.sql"}
SPARK = cast(SparkSession, object())
HEX = "0f" * 32


class World:
    """What a run reads and leaves."""

    def __init__(self) -> None:
        """Make one with the files of a job."""
        self.files = {"s3://a/m.json": json.dumps(MANIFEST), "s3://a/q.sql": "SELECT 1"}
        self.metrics: list[tuple[str, Mapping[str, Mapping[str, float]]]] = []
        self.asked: list[str] = []
        self.secret = HEX
        self.runs: list[tuple[Manifest, str, Mapping[str, str], run.Options]] = []
        self.failures: list[str] = []
        self.findings: list[Finding] = []
        self.tables = [
            self.table("reading_raw", 10, 2),
            self.table("other_raw", 0, 0),
            self.table("reading", 8, 3),
        ]
        self.uses_key = False

    def table(self, name: str, read: int, quarantined: int) -> dict[str, Any]:
        """A table's part of a summary, as far as it is looked at."""
        counts = {"read": read, "quarantined": quarantined, "written": read - quarantined}
        return {"table": name, **counts, "expectations": [], "seconds": 1.5}

    def run(
        self,
        spark: SparkSession,
        manifest: Manifest,
        code: str,
        parameters: Mapping[str, str],
        options: run.Options,
    ) -> run.Result:
        """Stand in for the run itself."""
        assert spark is SPARK
        self.runs.append((manifest, code, parameters, options))
        if self.uses_key:
            assert options.pseudonym_key() == options.pseudonym_key()
        return run.Result({"runId": options.run_id, "tables": self.tables}, self.findings, self.failures)

    def fetch(self, arn: str) -> str:
        """Stand in for Secrets Manager."""
        self.asked.append(arn)
        return self.secret

    def put(self, namespace: str, measured: Mapping[str, Mapping[str, float]]) -> None:
        """Stand in for CloudWatch."""
        self.metrics.append((namespace, measured))

    def start(self, **args: str) -> None:
        """Run the job with more arguments."""
        glue.run_job(SPARK, {**ARGS, **args}, self.fetch, self.put)

    def fail(self, **args: str) -> str:
        """Run the job to its failure. Give what is said."""
        with pytest.raises(glue.RunFailed) as error:
            self.start(**args)
        assert isinstance(error.value, SystemExit)
        return str(error.value.code)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """A world in place of Spark's."""
    made = World()
    monkeypatch.setattr(run, "run", made.run)
    monkeypatch.setattr(files, "read_text", lambda uri: made.files[uri])
    monkeypatch.setattr(files, "write_text", lambda uri, text: made.files.update({uri: text}))
    return made


def test_a_run_is_that_of_the_manifest_and_the_sql(world: World) -> None:
    """And of the session that Glue made."""
    world.start()
    [(manifest, code, parameters, options)] = world.runs
    assert manifest.job == "reading"
    assert code == "SELECT 1"
    assert parameters == {"mode": "plain", "unit": "g"}
    assert (options.catalog, options.code_version) == ("glue_catalog", __version__)
    assert re.fullmatch(r"\d{8}T\d{9}Z-[0-9a-f]{4}", options.run_id)
    assert world.asked == []
    assert not options.full
    world.start(full="true")
    assert world.runs[1][3].full


def test_a_run_leaves_its_summary(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Where the manifest says, and in the log."""
    world.start(JOB_RUN_ID="jr_1")
    run_id = world.runs[0][3].run_id
    summary = {"version": 1, "runId": run_id, "tables": world.tables, "findings": [], "jobRunId": "jr_1"}
    assert json.loads(world.files[f"s3://runs/reading/{run_id}.json"]) == summary
    assert json.loads(capsys.readouterr().out) == summary


def test_a_run_leaves_what_was_found(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """A line each in the log, and all of it in the summary, for those who follow the run."""
    samples = [{"user": "•••", "x": 0.5}]
    world.findings = [Finding("reading_raw", "known", "warn", 2, 2, samples)]
    world.start()
    assert capsys.readouterr().out.startswith("warning reading_raw.known: 2 of 8 rows (25 %)\n{")
    [summary] = [text for uri, text in world.files.items() if uri.startswith("s3://runs/")]
    found = {"severity": "warn", "failed": 2, "affected": 2, "samples": samples}
    assert json.loads(summary)["findings"] == [{"table": "reading_raw", "expectation": "known", **found}]


STARTED = ("Lakehouse/test", {"reading": {"Started": 1}})


def measured(rows: int, share: float) -> dict[str, float]:
    """What is reported of a table."""
    return {"RowsWritten": rows, "Seconds": 1.5, "QuarantinedShare": share}


def test_a_run_reports_its_start_and_then_each_table(world: World) -> None:
    """In one call each. A job may make more rows than it reads: its share is of those that it made."""
    world.tables[2]["written"] = 17
    world.start()
    sources = {"reading_raw": measured(8, 0.2), "other_raw": measured(0, 0.0)}
    assert world.metrics == [
        STARTED,
        ("Lakehouse/test", {**sources, "reading": measured(17, 0.15)}),
    ]


def test_a_run_has_started_whatever_becomes_of_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or an alarm would say that the schedule is broken."""

    def refuse(*_: object) -> None:
        raise OSError("no space")

    monkeypatch.setattr(run, "run", refuse)
    with pytest.raises(OSError, match="no space"):
        world.start()
    assert world.metrics == [STARTED]


def test_a_metric_that_cannot_be_reported_fails_no_run(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is published is published: jobs after it go on."""

    def refuse(*_: object) -> None:
        raise OSError("unreachable")

    monkeypatch.setattr(world, "put", refuse)
    world.start()
    told = capsys.readouterr().out
    assert "the metrics of reading were not reported: OSError: unreachable" in told
    assert "the metrics of reading_raw, other_raw, reading were not reported" in told


def test_a_run_that_failed_says_why(world: World) -> None:
    """After it left its summary and told the alarm; what was not published counts as nothing."""
    world.failures = ["reading: expectation known failed with 3 bad rows", "reading_raw: 2 of 10 lines"]
    assert world.fail().split("\n") == ["reading was not published.", *world.failures]
    assert [list(measured) for _, measured in world.metrics] == [["reading"], ["reading_raw", "other_raw"]]
    assert f"s3://runs/reading/{world.runs[0][3].run_id}.json" in world.files


def test_a_run_that_failed_says_so_whatever_else_fails(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A summary that cannot be written hides nothing."""
    world.failures = ["reading: expectation known failed"]

    def refuse(*_: object) -> None:
        raise OSError("no space")

    monkeypatch.setattr(files, "write_text", refuse)
    assert "expectation known failed" in world.fail()
    world.failures = []
    with pytest.raises(OSError, match="no space"):
        world.start()


def test_parameters_are_read(world: World) -> None:
    """Each by its name, in any order; what is not told has its default."""
    world.start(parameters="unit=kg, mode=strict")
    world.start(parameters="unit=kg")
    assert [parameters for _, _, parameters, _ in world.runs] == [
        {"mode": "strict", "unit": "kg"},
        {"mode": "plain", "unit": "kg"},
    ]


def test_parameters_that_there_are_not_are_told_at_once(world: World) -> None:
    """Before anything is read or written."""
    told = world.fail(parameters="mod=plain,unit=lb,unit=kg,strict,mode=strict")
    there_are = "there are mode=plain, mode=strict, unit=g, unit=kg"
    assert told.split("\n") == [
        "--parameters of reading:",
        f'"mod=plain" is no choice of a parameter; {there_are}',
        f'"unit=lb" is no choice of a parameter; {there_are}',
        f'"strict" is no choice of a parameter; {there_are}',
        "unit is given twice",
    ]
    assert world.runs == []


def test_the_time_of_a_run_is_its_own(world: World) -> None:
    """No caller chooses it, and two runs have two."""
    world.files["s3://a/m.json"] = json.dumps({**MANIFEST, "parameters": {"mode": ["plain"], "run_time": []}})
    world.start()
    [(manifest, _, parameters, _)] = world.runs
    now = datetime.datetime.now(datetime.UTC).isoformat(" ", "milliseconds")
    assert parameters["mode"] == "plain"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}", parameters["run_time"])
    assert "2026" < parameters["run_time"] <= now
    at = datetime.datetime(2023, 5, 1, 10, tzinfo=datetime.UTC)
    assert glue.parameters_of("", manifest, at)["run_time"] == "2023-05-01 10:00:00.000"
    assert '"run_time=2023" is no choice of a parameter; there are mode=plain' in world.fail(
        parameters="run_time=2023"
    )


def test_a_job_without_parameters(world: World) -> None:
    """It takes none."""
    world.files["s3://a/m.json"] = json.dumps({**MANIFEST, "parameters": {}})
    world.start()
    assert world.runs[0][2] == {}
    assert '"mode=plain" is no choice of a parameter; there are none' in world.fail(parameters="mode=plain")


def test_a_manifest_that_is_none_is_told(world: World) -> None:
    """By what is wrong with it."""
    world.files["s3://a/m.json"] = json.dumps({**MANIFEST, "version": 1})
    assert world.fail() == (
        "s3://a/m.json: the manifest is of format 1, and this runner reads 4; deploy the stack again"
    )


def test_the_secret_is_asked_for_once_and_told_nobody(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the run needs it."""
    world.uses_key = True
    world.failures = ["reading: nothing"]
    told = world.fail(pseudonym_secret="arn:secret")
    assert world.asked == ["arn:secret"]
    assert world.runs[0][3].pseudonym_key() == bytes.fromhex(HEX)
    captured = capsys.readouterr()
    assert HEX not in told + captured.out + captured.err + json.dumps(world.files)
    assert HEX not in repr(world.runs[0][3])


def test_a_job_of_pseudonyms_needs_the_secret(world: World) -> None:
    """It says so in plain words."""
    world.uses_key = True
    with pytest.raises(JobError, match="was given no --pseudonym-secret"):
        world.start()


def test_a_key_is_read_as_every_engine_does() -> None:
    """64 hex digits are bytes, and anything else is text."""
    assert glue.key_of(HEX) == bytes([15] * 32)
    assert glue.key_of(f"{HEX}\n") == bytes([15] * 32)
    assert glue.key_of("k" * 64) == b"k" * 64
    assert glue.key_of(HEX.upper()) == HEX.upper().encode()
    assert glue.key_of("é" * 32) == "é".encode() * 32
    with pytest.raises(JobError, match="longer than 64 bytes"):
        glue.key_of("é" * 33)


def test_run_ids_sort_by_time() -> None:
    """To the millisecond, as those of the other engines."""
    at = datetime.datetime(2026, 1, 2, 3, 4, 5, 6_999, tzinfo=datetime.UTC)
    assert glue.new_run_id(at).startswith("20260102T030405006Z-")
    assert glue.new_run_id(at) < glue.new_run_id(at + datetime.timedelta(milliseconds=1))


def test_the_version_is_the_packages() -> None:
    """As it is in the summaries of the other engines."""
    package = json.loads((Path(__file__).parents[3] / "package.json").read_text("utf-8"))
    assert package["version"] == __version__


def argv(*more: str) -> list[str]:
    """What Glue starts a script with."""
    own = ["--JOB_NAME", "test-reading", "--manifest", "s3://a/m.json", "--code", "s3://a/q.sql"]
    return [
        "main.py",
        "--enable-metrics",
        "true",
        "--job-bookmark-option",
        "job-bookmark-disable",
        *own,
        *more,
    ]


def test_arguments_are_asked_for_where_they_are_given() -> None:
    """To ask for one that is not there fails."""
    names = glue.argument_names(argv())
    assert names == ["JOB_NAME", "manifest", "code"]
    assert getResolvedOptions(argv(), names)["code"] == "s3://a/q.sql"
    given = argv("--parameters", "mode=strict", "--pseudonym-secret=arn:x")
    assert glue.argument_names(given) == [*names, "parameters", "pseudonym-secret"]
    resolved = getResolvedOptions(given, glue.argument_names(given))
    assert (resolved["parameters"], resolved["pseudonym_secret"]) == ("mode=strict", "arn:x")


def test_glue_gives_the_name_of_its_run_unasked() -> None:
    """The summary carries it."""
    given = argv("--JOB_RUN_ID", "jr_1", "--lake-request", "token")
    assert getResolvedOptions(given, glue.argument_names(given))["JOB_RUN_ID"] == "jr_1"


@pytest.mark.parametrize(
    "name",
    [
        "JOB_ID",
        "JOB_RUN_ID",
        "SECURITY_CONFIGURATION",
        "job-bookmark-option",
        "continuation-option",
        "encryption-type",
        "job-bookmark-from",
    ],
)
def test_the_standin_refuses_names_of_glues_own(name: str) -> None:
    """As AWS's does."""
    with pytest.raises(RuntimeError, match="Using reserved arguments"):
        getResolvedOptions(argv(), ["JOB_NAME", name])


def test_the_standin_reads_as_argparse_does() -> None:
    """A missing option is an error, a shortened one is none, and what is unknown is passed over."""
    with pytest.raises(GlueArgumentError, match="required: --more"):
        getResolvedOptions(argv(), ["more"])
    with pytest.raises(GlueArgumentError, match="invalid choice"):
        getResolvedOptions(["main.py", "--job-bookmark-option", "x"], [])
    assert getResolvedOptions(["main.py", "--manifest", "m", "--other", "x"], ["manifest"])["manifest"] == "m"
    with pytest.raises(GlueArgumentError, match="required: --manifest"):
        getResolvedOptions(["main.py", "--mani", "m"], ["manifest"])
    assert getResolvedOptions(["main.py", "--TempDir", "t"], ["TempDir"])["RedshiftTempDir"] == "t"
    assert getResolvedOptions(["main.py"], [])["job_bookmark_option"] == "job-bookmark-disable"
    old = ["main.py", "--continuation-option", "continuation-readonly"]
    assert getResolvedOptions(old, [])["job_bookmark_option"] == "job-bookmark-pause"
    with pytest.raises(RuntimeError, match="Missing option or value for --job-bookmark-to"):
        getResolvedOptions([*old, "--job-bookmark-from", "1"], [])


def test_the_script_runs_the_job(monkeypatch: pytest.MonkeyPatch) -> None:
    """It begins it, runs it and ends it, and ends nothing that failed."""
    from awsglue import context
    from awsglue.job import Job
    from pyspark import SparkContext

    seen: list[Mapping[str, str]] = []

    def run_job(spark: SparkSession, args: Mapping[str, str], *ports: object) -> None:
        assert spark is SPARK
        assert ports == (glue.fetch_secret, glue.put_metrics)
        seen.append(args)
        if len(seen) > 1:
            raise glue.RunFailed("reading was not published.")

    class Context:
        def __init__(self, spark_context: object) -> None:
            self.spark_session = SPARK

    monkeypatch.setattr(SparkContext, "getOrCreate", lambda: object())
    monkeypatch.setattr(context, "GlueContext", Context)
    monkeypatch.setattr(glue, "run_job", run_job)
    told: list[str] = []
    monkeypatch.setattr(Job, "told", told)
    monkeypatch.setattr(sys, "argv", argv("--parameters", "mode=strict"))
    main = str(Path(__file__).parent.parent / "main.py")
    runpy.run_path(main, run_name="__main__")
    assert told == ["init test-reading", "commit"]
    assert {**seen[0], **ARGS, "parameters": "mode=strict"} == seen[0]
    with pytest.raises(SystemExit, match="reading was not published"):
        runpy.run_path(main, run_name="__main__")
    assert told == ["init test-reading", "commit", "init test-reading"]


class Client:
    """A client of boto3 that writes down what it is called with."""

    def __init__(self, service: str) -> None:
        """Make it for a service."""
        self.service = service
        self.calls: list[dict[str, Any]] = []

    def get_secret_value(self, **request: Any) -> dict[str, str]:
        """Give a secret."""
        self.calls.append(request)
        return {"SecretString": "s"}

    def put_metric_data(self, **request: Any) -> None:
        """Take a metric."""
        self.calls.append(request)


def test_aws_is_asked_for_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the names that components/alerts.ts, dashboard.ts and lakehouse.ts give it."""
    clients: list[Client] = []

    class Boto3:
        @staticmethod
        def client(service: str) -> Client:
            clients.append(Client(service))
            return clients[-1]

    monkeypatch.setitem(sys.modules, "boto3", Boto3)
    assert glue.fetch_secret("arn:x") == "s"
    glue.put_metrics("Lakehouse/test", {"reading": {"Started": 1}, "reading_raw": measured(8, 0.25)})

    def metric(table: str, name: str, value: float, unit: str) -> dict[str, Any]:
        return {
            "MetricName": name,
            "Dimensions": [{"Name": "Table", "Value": table}],
            "Value": value,
            "Unit": unit,
        }

    metrics = [
        metric("reading", "Started", 1, "Count"),
        metric("reading_raw", "RowsWritten", 8, "Count"),
        metric("reading_raw", "Seconds", 1.5, "Seconds"),
        metric("reading_raw", "QuarantinedShare", 0.25, "None"),
    ]
    assert [(client.service, client.calls) for client in clients] == [
        ("secretsmanager", [{"SecretId": "arn:x"}]),
        ("cloudwatch", [{"Namespace": "Lakehouse/test", "MetricData": metrics}]),
    ]
