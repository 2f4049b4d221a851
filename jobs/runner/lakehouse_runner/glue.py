"""Runs a job on AWS Glue: its arguments, its secret, its run's summary, and the metrics of its tables."""

import datetime
import functools
import json
import re
import secrets
import time
import traceback
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pyspark.sql import SparkSession

from . import __version__, files, run
from .errors import JobError, tell
from .forget import Job, Request, forget
from .manifest import Erasure, Manifest, ManifestError, read_erasure, read_manifest

CATALOG = "glue_catalog"
"""The Iceberg catalog that the job's `--conf` sets up."""

_REQUIRED = ("JOB_NAME", "manifest", "code")
_OPTIONAL = ("parameters", "pseudonym-secret", "full")
_FORGETTING = ("JOB_NAME", "erasure", "request", "pseudonym-secret")
_MAX_KEY_BYTES = 64
_SUMMARY_FORMAT = 1
_RECEIPT_ID = re.compile(r"[0-9A-Za-z-]+")
_SPARED_SECONDS = 24 * 60 * 60
"""Glue's own compaction may be writing what no snapshot names yet. It is over in less."""
_UNITS = {"Started": "Count", "RowsWritten": "Count", "Seconds": "Seconds", "QuarantinedShare": "None"}
"""CloudWatch's unit of each metric. components/alerts.ts and components/dashboard.ts name them too."""

PutMetrics = Callable[[str, Mapping[str, Mapping[str, float]]], None]
"""Reports to a namespace, of each table, its metrics by name."""


class RunFailed(SystemExit):
    """Ends the program, and so the job's run, with a message and no stack trace."""

    def __init__(self, message: str) -> None:
        """Make it of what was wrong and what to do."""
        super().__init__(message)


def argument_names(argv: Sequence[str]) -> list[str]:
    """Name the arguments to ask Glue for, which fails where one of them was not given.

    Those of a job that makes a table, or, where there is an erasure manifest, of the one that forgets people.
    """
    given = {argument.split("=", 1)[0] for argument in argv}
    if "--erasure" in given:
        return list(_FORGETTING)
    return [*_REQUIRED, *(name for name in _OPTIONAL if f"--{name}" in given)]


def run_job(
    spark: SparkSession,
    args: Mapping[str, str],
    fetch_secret: Callable[[str], str],
    put_metrics: PutMetrics,
) -> None:
    """Make the table of the job, and leave a summary of the run.

    Args:
        spark: A session whose catalog `glue_catalog` is Glue's.
        args: As Glue gives them: URIs of the manifest and the code, and what else the job has.
        fetch_secret: Gives the text of a secret by its ARN.
        put_metrics: Reports that the run started, and at its end what came of each table.

    Raises:
        RunFailed: The table was not published. The message names every reason.
    """
    try:
        manifest = read_manifest(files.read_text(args["manifest"]))
    except ManifestError as error:
        raise RunFailed(f"{args['manifest']}: {error}") from None
    _report(put_metrics, manifest, {manifest.output.table: {"Started": 1}})
    parameters = parameters_of(args.get("parameters", ""), manifest)
    options = run.Options(
        catalog=CATALOG,
        run_id=new_run_id(),
        code_version=__version__,
        pseudonym_key=functools.cache(lambda: _key(args, fetch_secret)),
        full="full" in args,
    )
    result = run.run(spark, manifest, files.read_text(args["code"]), parameters, options)
    for warning in result.warnings:
        print(warning)
    for found in result.findings:
        print(found.text(result.summary["tables"]))
    try:
        # Whoever follows the run knows it by Glue's name.
        summary = json.dumps(
            {
                "version": _SUMMARY_FORMAT,
                **result.summary,
                "findings": [found.as_json() for found in result.findings],
                "jobRunId": args.get("JOB_RUN_ID"),
            },
            indent=2,
        )
        print(summary)
        files.write_text(f"{manifest.runs}{options.run_id}.json", f"{summary}\n")
        measured = {
            table["table"]: _metrics_of(table, is_source=table["table"] in manifest.sources)
            for table in result.summary["tables"]
            # What failed was written, and not published.
            if table["table"] in manifest.sources or not result.failures
        }
        if measured:
            _report(put_metrics, manifest, measured)
    finally:
        # Whatever else goes wrong, this is what has to be told.
        if result.failures:
            raise RunFailed("\n".join([f"{manifest.job} was not published.", *result.failures]))


def forget_job(
    spark: SparkSession, args: Mapping[str, str], fetch_secret: Callable[[str], str], now: float | None = None
) -> None:
    """Forget a person, and leave a receipt.

    Args:
        spark: A session whose catalog `glue_catalog` is Glue's.
        args: As Glue gives them: URIs of the erasure manifest and of the request, `{"subject": e-mail,
            "dryRun": bool, "id": of the receipt}`, which is deleted whatever comes of it: arguments of a job
            are for all to see.
        fetch_secret: Gives the text of a secret by its ARN.
        now: Seconds since 1970. None: by the clock.

    Raises:
        RunFailed: The person may not be forgotten whole. The message names the reason; to call again goes on.
    """
    try:
        request = _taken(args["request"])
        try:
            erasure = read_erasure(files.read_text(args["erasure"]))
            jobs = [
                Job(read_manifest(files.read_text(job.manifest)), files.read_text(job.code), job.parameters)
                for job in erasure.jobs
            ]
        except ManifestError as error:
            raise JobError(f"{args['erasure']}: {error}") from None
        receipt = _forgotten(spark, erasure, jobs, request, _key(args, fetch_secret), now or time.time())
        text = json.dumps(receipt, indent=2)
        files.write_text(f"{erasure.receipts.rstrip('/')}/{receipt['id']}.json", f"{text}\n")
        print(text)
    except Exception as error:
        # Where it went wrong goes to the log; its text may quote data.
        traceback.print_tb(error.__traceback__)
        raise RunFailed(f"Not all of the person may be forgotten; call again.\n{tell(error)}") from None


def _taken(uri: str) -> Mapping[str, Any]:
    """Read a request, of which nothing stays."""
    try:
        found = files.read_tagged(uri)
    finally:
        files.delete_with_versions(uri)
    if found is None:
        raise JobError(f"there is no {uri}: each request is good for one run; call lake forget")
    try:
        request = json.loads(found.text)
        subject, dry_run, id_ = request["subject"], request["dryRun"], request["id"]
        if not (isinstance(subject, str) and isinstance(dry_run, bool) and _RECEIPT_ID.fullmatch(id_)):
            raise ValueError
    except (ValueError, KeyError, TypeError):
        raise JobError(f"{uri} is no request of this version; call lake forget again") from None
    return {"subject": subject, "dryRun": dry_run, "id": id_}


def _forgotten(
    spark: SparkSession,
    erasure: Erasure,
    jobs: Sequence[Job],
    request: Mapping[str, Any],
    key: bytes,
    now: float,
) -> dict[str, Any]:
    started = time.monotonic()
    done = forget(
        spark,
        jobs,
        erasure.people,
        Request(
            subject=request["subject"],
            key=key,
            dry_run=request["dryRun"],
            run_id=new_run_id(),
            catalog=CATALOG,
            engine="glue",
            suppressed=erasure.suppressed,
            spared_since=now - _SPARED_SECONDS,
        ),
    )
    parts = {name: value for name, value in done.items() if value is not None and name != "rows"}
    at = datetime.datetime.fromtimestamp(now, datetime.UTC).isoformat(timespec="milliseconds")
    return {
        "id": request["id"],
        "at": at.replace("+00:00", "Z"),
        "codeVersion": __version__,
        "dryRun": request["dryRun"],
        "seconds": round(time.monotonic() - started, 3),
        **parts,
    }


def _metrics_of(table: Mapping[str, Any], *, is_source: bool) -> dict[str, float]:
    """What CloudWatch gets of a table's part of the summary; a share is from 0 to 1."""
    whole = table["read"] if is_source else table["written"] + table["quarantined"]
    return {
        "RowsWritten": table["written"],
        "Seconds": table["seconds"],
        "QuarantinedShare": table["quarantined"] / max(whole, 1),
    }


def _report(put_metrics: PutMetrics, manifest: Manifest, measured: Mapping[str, Mapping[str, float]]) -> None:
    try:
        put_metrics(manifest.metrics_namespace, measured)
    except Exception as error:
        # What is published is published: a run that is told as failed would stop those after it.
        print(f"the metrics of {', '.join(measured)} were not reported: {tell(error)}")


def parameters_of(text: str, manifest: Manifest, now: datetime.datetime | None = None) -> dict[str, str]:
    """The value of each parameter of a job: that of `name=value,name=value`, or the default.

    What has no values to choose from is the run's own time: `now`, or by the clock.

    Raises:
        RunFailed: A name or a value that the job does not have. The message tells all of them.
    """
    began = (now or datetime.datetime.now(datetime.UTC)).isoformat(" ", "milliseconds").removesuffix("+00:00")
    defaults = {name: allowed[0] if allowed else began for name, allowed in manifest.parameters.items()}
    choices = [f"{name}={value}" for name, allowed in manifest.parameters.items() for value in allowed]
    pairs = [pair.strip() for pair in text.split(",")] if text else []
    there_are = f"there are {', '.join(choices) or 'none'}"
    faults = [f'"{pair}" is no choice of a parameter; {there_are}' for pair in pairs if pair not in choices]
    given = Counter(pair.partition("=")[0] for pair in pairs)
    faults += [f"{name} is given twice" for name, times in given.items() if times > 1]
    if faults:
        raise RunFailed("\n".join([f"--parameters of {manifest.job}:", *faults]))
    return {**defaults, **dict(pair.split("=", 1) for pair in pairs)}


def new_run_id(now: datetime.datetime | None = None) -> str:
    """A run's name, such as `20260101T000000000Z-0f3a`: names sort by time."""
    at = now or datetime.datetime.now(datetime.UTC)
    return f"{at:%Y%m%dT%H%M%S}{at.microsecond // 1000:03}Z-{secrets.token_hex(2)}"


def key_of(secret: str) -> bytes:
    """The key of pseudonyms that a secret is, as every engine reads it.

    64 hex digits, which `openssl rand -hex 32` gives, are 32 bytes; any other text is its UTF-8 bytes.

    Raises:
        JobError: It is longer than HMAC takes without hashing it first.
    """
    text = secret.strip()
    if re.fullmatch("[0-9a-f]{64}", text):
        return bytes.fromhex(text)
    key = text.encode()
    if len(key) > _MAX_KEY_BYTES:
        raise JobError(f"the secret of pseudonyms is longer than {_MAX_KEY_BYTES} bytes")
    return key


def fetch_secret(arn: str) -> str:
    """Ask Secrets Manager."""
    # Glue has it; nothing else here needs it.
    import boto3

    text: str = boto3.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
    return text


def put_metrics(namespace: str, measured: Mapping[str, Mapping[str, float]]) -> None:
    """Tell CloudWatch what alarms watch and the dashboard shows."""
    import boto3

    boto3.client("cloudwatch").put_metric_data(
        Namespace=namespace,
        MetricData=[
            {
                "MetricName": name,
                "Dimensions": [{"Name": "Table", "Value": table}],
                "Value": value,
                "Unit": _UNITS[name],
            }
            for table, metrics in measured.items()
            for name, value in metrics.items()
        ],
    )


def _key(args: Mapping[str, str], fetch: Callable[[str], str]) -> bytes:
    # Glue's parser gives a name its underscores.
    arn = args.get("pseudonym_secret")
    if arn is None:
        raise JobError(
            "the job needs the key of pseudonyms, and was given no --pseudonym-secret; deploy again"
        )
    try:
        secret = fetch(arn)
    except Exception as error:
        # The same for everybody who is asked for: nothing was looked for yet.
        raise JobError(
            f"the key of the lake is the secret {arn}, and the job may not read it ({tell(error)});"
            " ask who owns it"
        ) from None
    return key_of(secret)
