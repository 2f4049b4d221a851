"""Tests of how a manifest is read."""

import copy
import json
from typing import Any

import pytest
from contract import READING
from lakehouse_runner.manifest import Due, ManifestError, read_manifest
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


def test_what_may_be_absent() -> None:
    """What a job has not is empty; what it has is there."""
    whole = read_manifest(json.dumps(WHOLE))
    assert (whole.output.partition_by, whole.output.quarantine) == (("at",), "s3://moved/")
    assert (whole.due, whole.digest) == ((Due({"mode": "plain"}, "SELECT 7"),), digest(json.dumps(WHOLE)))
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
