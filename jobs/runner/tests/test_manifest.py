"""Tests of how a manifest is read."""

import copy
import json
from typing import Any, get_args

import pytest
from contract import READING
from lakehouse_runner.manifest import (
    Check,
    Column,
    ForgottenSql,
    Manifest,
    ManifestError,
    Moves,
    Output,
    PlainReading,
    Reading,
    Severity,
    Shown,
    Source,
    Unmatched,
    manifest_schema,
    read_manifest,
    read_source,
)
from lakehouse_runner.schema import faults_of

CHECK = {
    "name": "known",
    "severity": "quarantine",
    "shown": {"columns": ["at"], "counts": ["n"]},
    "count": "SELECT 1",
    "samples": "SELECT 2",
    "moves": {"gone": "SELECT 3", "kept": "SELECT 4"},
}
WHOLE: dict[str, Any] = {
    "version": 2,
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


def faults(text: str) -> list[str]:
    """What is said of a text that is no manifest."""
    with pytest.raises(ManifestError) as error:
        read_manifest(text)
    return str(error.value).split("\n")


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
    assert read_manifest(json.dumps(WHOLE)) == Manifest(
        job="reading",
        database="d",
        driving="reading_raw",
        sources={
            "reading_raw": Source(
                location="s3://in/",
                quarantine="s3://out/",
                columns={"at": Column(type="epochMillis", pii="quasi")},
                reading=Reading(
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
                    matched="m",
                    unmatched="u",
                    judge="j",
                    verdict="v",
                    first_count=3,
                    first_order="f",
                    shown_file="s",
                    refined="r",
                    landed_schema="a bigint",
                    refined_schema="a date",
                    forgotten=ForgottenSql("a", "r", "t"),
                ),
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
    )


def test_what_may_be_absent() -> None:
    """What a job has not is empty."""
    assert read_manifest(changed("unmatched")).unmatched is None
    assert read_manifest(changed("output", "audit", 0, "moves")).output.audit[0].moves is None
    assert read_manifest(changed("output", "quarantine")).output.quarantine is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            changed("sources", "reading_raw", "columns", "at", "type", to="strin"),
            'sources.reading_raw.columns.at.type: "strin" is none of text, int, double, epochMillis, isoDate,'
            " timestamp, date, pseudonym",
        ),
        (changed("sources", "reading_raw", "more", to=1), "sources.reading_raw.more: is none of location,"),
        (changed("output", "audit", 0, "count"), "output.audit[0].count: is missing"),
        (changed("version", to=1), "version: 1 is not 2"),
        (changed("version", to=3), "version: 3 is not 2"),
        (changed("version"), "version: is missing"),
        (changed("version", to="1"), 'version: "1" is no number'),
        (changed("version", to=True), "version: true is no number"),
        (changed("job", to=""), "job: is empty"),
        (changed("tables", 0, to=7), "tables[0]: 7 is no string"),
        (changed("tables", to={"a": 1}), "tables: an object is no array"),
        (changed("sources", to=[1]), "sources: an array is no object"),
        (
            changed("sources", "reading_raw", "maxQuarantinedShare", to=1.5),
            "maxQuarantinedShare: 1.5 is above 1",
        ),
        (
            changed("sources", "reading_raw", "maxQuarantinedShare", to=-1),
            "maxQuarantinedShare: -1 is below 0",
        ),
        (changed("sources", "reading_raw", "reading", "headBytes", to="1"), "is no number"),
        (
            changed("sources", "reading_raw", "reading", "headBytes", to=10**400),
            "sources.reading_raw.reading.headBytes: 1000",
        ),
        ("[]", "the manifest: an array is no object"),
        ("{", "the manifest is no JSON: "),
        ('{"a": NaN}', "the manifest is no JSON: NaN is no number of JSON"),
    ],
)
def test_a_fault_is_told_with_its_path(text: str, said: str) -> None:
    """One fault, one line."""
    told = faults(text)
    assert len(told) == 1
    assert said in told[0]


def test_a_number_that_only_python_has() -> None:
    """JavaScript reads it as infinite, and refuses it."""
    text = changed("sources", "reading_raw", "reading", "headBytes", to=0)
    assert text.count('"headBytes": 0,') == 1
    text = text.replace('"headBytes": 0,', '"headBytes": 1e400,')
    assert faults(text) == ["sources.reading_raw.reading.headBytes: Infinity is no number"]


def test_all_faults_are_told_at_once() -> None:
    """As every fault that is left would be one more deployment."""
    value = copy.deepcopy(WHOLE)
    value["version"] = 1
    del value["runs"]
    value["output"]["partitionBy"][0]["transform"] = "hour"
    assert faults(json.dumps(value)) == [
        "runs: is missing",
        "version: 1 is not 2",
        'output.partitionBy[0].transform: "hour" is not "day"',
    ]


def test_a_source_is_read_alone() -> None:
    """As a query needs no job."""
    source = WHOLE["sources"]["reading_raw"]
    assert read_source(source) == read_manifest(json.dumps(WHOLE)).sources["reading_raw"]
    with pytest.raises(ManifestError, match=r"^location: is missing$"):
        read_source({name: each for name, each in source.items() if name != "location"})


def test_the_types_are_those_of_the_schema() -> None:
    """They stand in Python once more."""
    output = manifest_schema()["properties"]["output"]["properties"]
    assert list(get_args(Severity)) == output["audit"]["items"]["properties"]["severity"]["enum"]


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "string", "pattern": "a", "anyOf": []}, "the schema of the whole has anyOf, pattern"),
        ({"type": "integer"}, "the schema has the type integer"),
    ],
)
def test_a_schema_that_is_not_understood_is_refused(schema: dict[str, object], said: str) -> None:
    """A keyword that is passed over would be a check that nobody makes."""
    with pytest.raises(NotImplementedError, match=said):
        faults_of("a", schema)


def test_the_whole_schema_is_understood() -> None:
    """Also the parts of it that no manifest here reaches."""
    seen: list[dict[str, Any]] = [manifest_schema()]
    while seen:
        schema = seen.pop()
        faults_of(None, schema)
        seen += schema.get("properties", {}).values()
        seen += [
            schema[key] for key in ("items", "additionalProperties") if isinstance(schema.get(key), dict)
        ]
