"""Tests of how a manifest is read."""

import copy
import json
from typing import Any

import pytest
from contract import READING
from lakehouse_runner.manifest import (
    Check,
    Column,
    Due,
    ForgottenSql,
    Manifest,
    ManifestError,
    Moves,
    Output,
    PlainReading,
    Reading,
    Shown,
    Source,
    Unmatched,
    read_manifest,
)
from lakehouse_runner.provenance import digest

CHECK = {
    "name": "known",
    "severity": "quarantine",
    "shown": {"columns": ["at"], "counts": ["n"]},
    "count": "SELECT 1",
    "samples": "SELECT 2",
    "moves": {"gone": "SELECT 3", "kept": "SELECT 4"},
}
WHOLE: dict[str, Any] = {
    "version": 4,
    "job": "reading",
    "database": "d",
    "driving": "reading_raw",
    "unmatched": {"keys": "SELECT 5", "count": "SELECT 6"},
    "sources": {
        "reading_raw": {
            "location": "s3://in/",
            "quarantine": "s3://out/",
            "maxQuarantinedShare": 0.1,
            "columns": {"at": {"type": "epochMillis", "pii": "quasi"}},
            "reading": dict(READING),
            "audit": [dict(CHECK)],
        }
    },
    "tables": ["people"],
    "output": {
        "table": "reading",
        "schema": "subject string",
        "columns": {"subject": {"type": "pseudonym"}},
        "partitionBy": [{"transform": "day", "column": "at"}],
        "audit": [dict(CHECK)],
        "quarantine": "s3://moved/",
    },
    "parameters": {"mode": ["plain", "strict"]},
    "due": [{"when": {"mode": "plain"}, "next": "SELECT 7"}],
    "runs": "s3://runs/",
    "metricsNamespace": "N",
}


def changed(*path: str | int, to: object = None) -> str:
    """The manifest with another value at a path; none: without it."""
    value = copy.deepcopy(WHOLE)
    at: Any = value
    for key in path[:-1]:
        at = at[key]
    if to is None:
        del at[path[-1]]
    else:
        at[path[-1]] = to
    return json.dumps(value)


def test_a_manifest_is_read_whole() -> None:
    """Everything that it says is there."""
    check = Check(
        name="known",
        severity="quarantine",
        shown=Shown(("at",), ("n",)),
        count="SELECT 1",
        samples="SELECT 2",
        moves=Moves("SELECT 3", "SELECT 4"),
    )
    reading = Reading(
        format="json",
        head_bytes=1,
        piece_bytes=2,
        heads="h",
        plain=PlainReading("p", "c"),
        further=PlainReading("q", "d"),
        counted_mark="m",
        other_marks=("x",),
        objects="o",
        numbered="n",
        lines="l",
        careful="ca",
        judge="j",
        verdict="v",
        first_count=3,
        first_order="f",
        shown_file="s",
        refined="r",
        landed_schema="a bigint",
        refined_schema="a date",
        forgotten=ForgottenSql("a", "r", "t"),
    )
    assert read_manifest(json.dumps(WHOLE)) == Manifest(
        job="reading",
        database="d",
        driving="reading_raw",
        sources={
            "reading_raw": Source(
                location="s3://in/",
                quarantine="s3://out/",
                columns={"at": Column(type="epochMillis", pii="quasi")},
                reading=reading,
                records=reading,
                audit=(check,),
            )
        },
        tables=("people",),
        output=Output(
            table="reading",
            schema="subject string",
            columns={"subject": Column(type="pseudonym")},
            partition_by=("at",),
            audit=(check,),
            quarantine="s3://moved/",
        ),
        parameters={"mode": ("plain", "strict")},
        runs="s3://runs/",
        metrics_namespace="N",
        unmatched=Unmatched("SELECT 5", "SELECT 6"),
        due=(Due({"mode": "plain"}, "SELECT 7"),),
        digest=digest(json.dumps(WHOLE)),
    )


def test_what_may_be_absent() -> None:
    """What a job has not is empty."""
    assert read_manifest(changed("unmatched")).unmatched is None
    assert read_manifest(changed("due")).due == ()
    assert read_manifest(changed("output", "audit", 0, "moves")).output.audit[0].moves is None
    assert read_manifest(changed("output", "quarantine")).output.quarantine is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (changed("version", to=1), "the manifest is of format 1, and this runner reads 4; "),
        (changed("version", to=5), "the manifest is of format 5, and this runner reads 4; "),
        (changed("version"), "the manifest is of format None, "),
        ("[]", "the manifest is of format None, "),
        ("{", "the manifest is no JSON: "),
        (changed("runs"), "the manifest is not whole: 'runs'; "),
        (changed("output", "audit", 0, "moves", "kept"), "the manifest is not whole: "),
    ],
)
def test_another_manifest_is_refused_with_the_way_out(text: str, said: str) -> None:
    """One line, and what to do."""
    with pytest.raises(ManifestError) as error:
        read_manifest(text)
    assert str(error.value).startswith(said)
    assert str(error.value).endswith("; deploy the stack again")
