"""Tests of what is done with S3, by the real client of AWS, against moto in this process."""

import gzip
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import boto3
import pytest
from botocore.exceptions import ClientError
from contract import Contract, source_of
from lakehouse_runner import files, rewrite, suppression
from lakehouse_runner.files import Changed
from lakehouse_runner.forget import _Forgetting
from lakehouse_runner.rewrite import rewritten
from lakehouse_runner.suppression import Entry, forgotten_of, hash_of
from moto import mock_aws
from pyspark.sql import SparkSession

KEY = b"key"
BUCKET = "stedi-landing"
FOLDER = f"s3://{BUCKET}/customer/landing/"
ANN = b'{"user":"ann@x.org"}\n'
BOB = b'{"user":"bob@x.org"}\n'
LISTED = forgotten_of([Entry("person", hash_of(KEY, "person", "ann@x.org"), "")], KEY)
COLUMNS = {"user": Contract("text", identifies="person")}
SOURCE = source_of(Path("/nowhere"), COLUMNS)


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Give a client of a bucket that keeps versions."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "stand-in")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    files.s3.cache_clear()
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket=BUCKET)
        client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        yield client
    files.s3.cache_clear()


def versions(s3: Any, prefix: str = "") -> tuple[int, int]:
    """Count the versions and the marks of deleted objects."""
    found = s3.list_object_versions(Bucket=BUCKET, Prefix=prefix)
    return len(found.get("Versions", [])), len(found.get("DeleteMarkers", []))


def put(s3: Any, name: str, *contents: bytes) -> None:
    """Write an object, once for each content."""
    for content in contents:
        s3.put_object(Bucket=BUCKET, Key=f"customer/landing/{name}", Body=content)


def get(s3: Any, name: str) -> bytes:
    """Read an object."""
    body: bytes = s3.get_object(Bucket=BUCKET, Key=f"customer/landing/{name}")["Body"].read()
    return body


@pytest.mark.parametrize("packed", [False, True])
def test_a_person_leaves_an_object_and_its_versions(s3: Any, packed: bool) -> None:
    """The others' lines stay, byte by byte, and an object without a line goes."""
    name = "a.json.gz" if packed else "a.json"
    whole = gzip.compress(ANN + BOB) if packed else ANN + BOB
    put(s3, name, whole, whole)
    put(s3, "ann.json", ANN)
    assert all(rewritten(file, SOURCE, LISTED) for file in files.list_files(FOLDER))
    left = get(s3, name)
    assert (gzip.decompress(left) if packed else left) == BOB
    assert [file.name for file in files.list_files(FOLDER)] == [name]
    # Two of the first object, the other one, and the mark that it is deleted.
    assert files.old_versions(FOLDER, delete=False) == 4
    assert files.old_versions(FOLDER, delete=True) == 4
    assert versions(s3) == (1, 0)
    assert files.old_versions(FOLDER, delete=True) == 0


def test_old_versions_go_beyond_a_page(s3: Any) -> None:
    """S3 lists and deletes a thousand at once."""
    put(s3, "a.json", *[b"%d" % i for i in range(1102)])
    s3.put_object(Bucket=BUCKET, Key="customers/landing/other.json", Body=b"1")
    s3.put_object(Bucket=BUCKET, Key="customers/landing/other.json", Body=b"2")
    assert files.old_versions(FOLDER, delete=True) == 1101
    assert get(s3, "a.json") == b"1101"
    assert versions(s3, "customer/") == (1, 0)
    assert versions(s3, "customers/") == (2, 0)


def test_nothing_of_a_request_stays(s3: Any) -> None:
    """But what only begins with its name does."""
    put(s3, "r.json", ANN, ANN)
    put(s3, "r.json.other", BOB, BOB)
    files.delete_with_versions(f"{FOLDER}r.json")
    assert versions(s3) == (2, 0)
    assert get(s3, "r.json.other") == BOB


def test_a_file_that_others_changed_is_not_replaced(s3: Any) -> None:
    """Neither one that was read, nor one that was not there."""
    put(s3, "a.json", ANN)
    (file,) = files.list_files(FOLDER)
    put(s3, "a.json", BOB)
    with pytest.raises(Changed, match="was changed meanwhile"):
        files.replace(file.uri, b"", file.etag)
    with pytest.raises(Changed):
        files.replace(file.uri, b"", None)
    assert get(s3, "a.json") == BOB


def test_the_list_grows_on_s3(s3: Any) -> None:
    """Nobody is in it twice."""
    uri = f"s3://{BUCKET}/suppressed/list.json"
    assert suppression.read_list(uri) == []
    suppression.add_to_list(uri, [("person", "a" * 64)])
    suppression.add_to_list(uri, [("person", "a" * 64), ("device", "b" * 64)])
    assert [(entry.kind, entry.hash[0]) for entry in suppression.read_list(uri)] == [
        ("person", "a"),
        ("device", "b"),
    ]


def test_a_file_that_others_changed_is_not_deleted(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though none of the lines that were read would have stayed."""
    put(s3, "a.json", ANN)
    (file,) = files.list_files(FOLDER)
    copied = rewrite._copy

    def changed_after(*args: Any) -> tuple[int, int]:
        found = copied(*args)
        put(s3, "a.json", BOB)
        return found

    with monkeypatch.context() as patched:
        patched.setattr(rewrite, "_copy", changed_after)
        with pytest.raises(Changed, match="was changed meanwhile; call again"):
            rewritten(file, SOURCE, LISTED)
    assert get(s3, "a.json") == BOB
    files.delete(file.uri)
    with pytest.raises(Changed):
        files.delete(file.uri, file.etag)


def test_a_file_is_deleted_on_its_condition(s3: Any) -> None:
    """Whatever happens between the question and the deletion is S3's to see."""
    put(s3, "a.json", ANN)
    (file,) = files.list_files(FOLDER)
    seen = []

    def see(request: Any, operation_name: str, **_: Any) -> None:
        seen.append((operation_name, request.headers.get("If-Match")))

    files.s3().meta.events.register("before-sign.s3.*", see)
    assert rewritten(file, SOURCE, LISTED)
    assert seen[-2:] == [("HeadObject", file.etag), ("DeleteObject", file.etag)]
    assert files.list_files(FOLDER) == []


def refuse(code: str, status: int) -> Any:
    """Answer a request with an error, without asking S3."""

    def answer(**_: Any) -> tuple[Any, dict[str, Any]]:
        said = {"Code": code, "Message": "no"}
        return SimpleNamespace(status_code=status), {"Error": said, "ResponseMetadata": {}}

    return answer


def test_s3_refuses_to_delete_what_was_changed(s3: Any) -> None:
    """In the moment after it was asked for."""
    put(s3, "a.json", ANN)
    (file,) = files.list_files(FOLDER)
    files.s3().meta.events.register_last("before-call.s3.DeleteObject", refuse("PreconditionFailed", 412))
    with pytest.raises(Changed):
        files.delete(file.uri, file.etag)
    assert get(s3, "a.json") == ANN


def test_a_missing_file_is_missing_where_s3_forbids_to_say_so(s3: Any) -> None:
    """As it does to a role that may list a folder only. What is listed and forbidden is told."""
    put(s3, "list.json.other", ANN)
    uri = f"{FOLDER}list.json"
    forbid = refuse("AccessDenied", 403)
    files.s3().meta.events.register("before-call.s3.GetObject", forbid)
    assert files.read_tagged(uri) is None
    put(s3, "list.json", ANN)
    with pytest.raises(ClientError, match="AccessDenied"):
        files.read_tagged(uri)
    files.s3().meta.events.unregister("before-call.s3.GetObject", forbid)
    found = files.read_tagged(uri)
    assert found is not None
    assert found.text == ANN.decode()


def test_unfinished_uploads_are_aborted(s3: Any) -> None:
    """Their parts hold lines, and only in the folder that is asked for."""
    ids = {}
    for key in ("customer/landing/a.json", "customer/landing/b/c.json", "customers/landing/a.json"):
        place = {"Bucket": BUCKET, "Key": key}
        ids[key] = s3.create_multipart_upload(**place)["UploadId"]
        s3.upload_part(**place, UploadId=ids[key], PartNumber=1, Body=ANN)
    assert files.uploads(FOLDER, abort=False) == 2
    assert len(s3.list_multipart_uploads(Bucket=BUCKET)["Uploads"]) == 3
    assert files.uploads(FOLDER, abort=True) == 2
    (left,) = s3.list_multipart_uploads(Bucket=BUCKET)["Uploads"]
    assert left["Key"] == "customers/landing/a.json"
    assert files.uploads(FOLDER, abort=True) == 0


def test_an_upload_that_is_finished_meanwhile_is_no_error(s3: Any) -> None:
    """It is an object then, and listed."""
    s3.create_multipart_upload(Bucket=BUCKET, Key="customer/landing/a.json")
    files.s3().meta.events.register("before-call.s3.AbortMultipartUpload", refuse("NoSuchUpload", 404))
    assert files.uploads(FOLDER, abort=True) == 1


def test_a_person_who_is_forgotten_leaves_no_unfinished_upload(s3: Any, spark: SparkSession) -> None:
    """They are counted with the old versions, and are gone before the files are listed."""
    place = {"Bucket": BUCKET, "Key": "customer/landing/a.json"}
    upload = s3.create_multipart_upload(**place)["UploadId"]
    s3.upload_part(**place, UploadId=upload, PartNumber=1, Body=ANN)
    forgetting = cast(Any, object.__new__(_Forgetting))
    forgetting._spark, forgetting._old, forgetting._unread = spark, 0, []
    forgetting._sources = {"customer": replace(SOURCE, location=FOLDER)}
    forgetting._rewrite_landing(LISTED)
    assert forgetting._old == 1
    assert s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []) == []
