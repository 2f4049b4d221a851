"""Tests of the Glue job that forgets people, without Glue and without Spark."""

import json
from typing import Any, cast

import pytest
from bucket import Bucket
from contract import MANIFEST
from lakehouse_runner import forget, glue
from lakehouse_runner.errors import JobError
from lakehouse_runner.manifest import PeopleSql
from pyspark.sql import SparkSession

SUBJECT = "Ann@x.org"
ERASURE = {
    "version": 4,
    "jobs": [{"manifest": "s3://lake/m.json", "code": "s3://lake/q.sql", "parameters": {"p": "v"}}],
    "suppressed": "s3://lake/suppressed/list.json",
    "people": {"macro": "a", "entries": "e", "sharedDevices": "s"},
    "receipts": "s3://lake/receipts/",
}
REQUEST = {"subject": SUBJECT, "dryRun": True, "id": "20260101T000000000Z-0f3a"}
ARGS = {"erasure": "s3://lake/e.json", "request": "s3://lake/requests/r.json", "pseudonym_secret": "arn:x"}
SPARK = cast(SparkSession, object())
DONE = {
    "places": [{"table": "t", "kind": "rows", "engine": "glue", "removed": 1}],
    "remade": [],
    "sharedDevices": 0,
    "oldVersions": 0,
    "unread": [],
    "warnings": [],
    "rows": {},
    "subject": "0" * 64,
    "listedSince": None,
}


class World:
    """What a run reads and leaves."""

    def __init__(self, bucket: Bucket) -> None:
        """Make one with the files of the job."""
        self.bucket = bucket
        self.asked: list[forget.Request] = []
        bucket.put("e.json", json.dumps(ERASURE).encode())
        bucket.put("m.json", json.dumps(MANIFEST).encode())
        bucket.put("q.sql", b"SELECT 1")
        self.put(json.dumps(REQUEST))

    def put(self, request: str) -> None:
        """Put a request, of which there is an old version."""
        self.bucket.put("requests/r.json", b"old", request.encode())

    def forget(
        self, spark: SparkSession, jobs: list[forget.Job], people: PeopleSql, request: forget.Request
    ) -> dict[str, Any]:
        """Stand in for what is done."""
        assert spark is SPARK
        assert [(job.manifest.job, job.code, job.parameters) for job in jobs] == [
            (MANIFEST["job"], "SELECT 1", {"p": "v"})
        ]
        assert people == PeopleSql("a", "e", "s")
        self.asked.append(request)
        return DONE

    def start(self) -> None:
        """Run the job."""
        glue.forget_job(SPARK, ARGS, lambda arn: f"secret of {arn}", now=86400 * 20000)

    def fail(self) -> str:
        """Run the job to its failure, after which nothing of the request is left. Give what is said."""
        with pytest.raises(glue.RunFailed) as error:
            self.start()
        assert self.bucket.versions("requests/") == (0, 0)
        return str(error.value.code)


@pytest.fixture
def world(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> World:
    """A world in place of Spark's."""
    made = World(bucket)
    monkeypatch.setattr(glue, "forget", made.forget)
    return made


def test_a_receipt_is_left_and_no_request(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither it nor the log says who it was."""
    world.start()
    (asked,) = world.asked
    assert (asked.subject, asked.key, asked.dry_run) == (SUBJECT, b"secret of arn:x", True)
    assert (asked.engine, asked.spared_since) == ("glue", 86400 * 19999)
    receipt = json.loads(world.bucket.objects[f"receipts/{REQUEST['id']}.json"])
    assert receipt == {
        "id": REQUEST["id"],
        "at": "2024-10-04T00:00:00.000Z",
        "codeVersion": receipt["codeVersion"],
        "subject": "0" * 64,
        "dryRun": True,
        "seconds": receipt["seconds"],
        **{name: DONE[name] for name in ("places", "remade", "sharedDevices", "oldVersions")},
        "unread": [],
        "warnings": [],
    }
    assert sorted(world.bucket.objects) == ["e.json", "m.json", "q.sql", f"receipts/{REQUEST['id']}.json"]
    assert world.bucket.versions("requests/") == (0, 0)
    printed = capsys.readouterr()
    assert json.loads(printed.out) == receipt
    assert SUBJECT not in printed.err


@pytest.mark.parametrize(
    "request_",
    [
        "",
        "{",
        "[]",
        '{"subject":"a@b"}',
        '{"subject":"a@b","dryRun":1,"id":"x"}',
        '{"subject":"a@b","dryRun":true,"id":"../x"}',
    ],
)
def test_a_request_that_is_none_is_told(world: World, request_: str) -> None:
    """Its receipt could be written anywhere else."""
    world.put(request_)
    assert "s3://lake/requests/r.json is no request" in world.fail()
    assert world.asked == []


def test_whoever_could_land_can_be_forgotten(world: World) -> None:
    """It need not be an address."""
    for subject in ("victim", '"a@b"@c.example', "a\u00a0b@c.example"):
        world.put(json.dumps({**REQUEST, "subject": subject}))
        world.start()
        assert world.asked[-1].subject == subject


def test_a_request_serves_once(world: World) -> None:
    """As nothing of it stays."""
    world.start()
    assert "there is no s3://lake/requests/r.json: each request is good for one run" in world.fail()


def test_what_fails_is_told_without_whom(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever an engine quotes."""

    class Broken:
        def __init__(self, *_: object) -> None:
            raise OSError(f"no room for {SUBJECT.lower()} here")

    class Settings:
        class conf:
            @staticmethod
            def set(name: str, value: str) -> None:
                """Take a setting."""

    monkeypatch.setattr(forget, "_Forgetting", Broken)
    monkeypatch.setattr(glue, "forget", lambda _, *args: forget.forget(cast(Any, Settings), *args))
    said = world.fail()
    assert said == "Not all of the person may be forgotten; call again.\nOSError: no room for … here"
    assert SUBJECT.lower() not in capsys.readouterr().err.lower()


def test_a_key_that_may_not_be_read_is_told_in_one_text(world: World) -> None:
    """Whoever is asked for: nothing is looked for, counted or left."""

    def denied(arn: str) -> str:
        raise PermissionError(f"{arn}: access denied")

    said = set()
    for subject in (SUBJECT, "nobody@x.org"):
        world.put(json.dumps({**REQUEST, "subject": subject}))
        with pytest.raises(glue.RunFailed) as error:
            glue.forget_job(SPARK, ARGS, denied)
        said.add(str(error.value.code))
    (text,) = said
    assert "the key of the lake is the secret arn:x, and the job may not read it" in text
    assert world.asked == []
    assert sorted(world.bucket.objects) == ["e.json", "m.json", "q.sql"]


def test_a_list_that_changes_is_told_as_it_is(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is meant for people stays whole."""

    def damaged(*_: object) -> None:
        raise JobError("the list 'x' is damaged")

    monkeypatch.setattr(glue, "forget", damaged)
    assert world.fail().endswith("\nthe list 'x' is damaged")


def test_arguments_are_those_of_the_job_that_forgets() -> None:
    """By its manifest it is known."""
    assert glue.argument_names(["main.py", "--erasure", "s3://x", "--request=y"]) == [
        "JOB_NAME",
        "erasure",
        "request",
        "pseudonym-secret",
    ]
