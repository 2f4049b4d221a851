"""Tests of what is done with S3, by the real client of AWS, against moto in this process."""

import gzip
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError
from bucket import Bucket
from contract import Contract, source_of
from lakehouse_runner import files, rewrite
from lakehouse_runner.errors import JobError
from lakehouse_runner.files import Changed
from lakehouse_runner.forget import _Forgetting
from lakehouse_runner.rewrite import rewritten
from listed import listed
from pyspark.sql import SparkSession

KEY = b"key"
FOLDER = "s3://lake/customer/landing/"
ANN = b'{"user":"ann@x.org"}\n'
BOB = b'{"user":"bob@x.org"}\n'
LISTED = listed(KEY, "ann@x.org")
COLUMNS = {"user": Contract("text", identifies="person")}
SOURCE = source_of(Path("/nowhere"), COLUMNS)


def put(bucket: Bucket, name: str, *contents: bytes) -> None:
    """Write a landing file, once for each content."""
    bucket.put(f"customer/landing/{name}", *contents)


def get(bucket: Bucket, name: str) -> bytes:
    """Read a landing file."""
    return bucket.get(f"customer/landing/{name}")


@pytest.mark.parametrize("packed", [False, True])
def test_a_person_leaves_an_object_and_its_versions(bucket: Bucket, packed: bool) -> None:
    """The others' lines stay, byte by byte, and an object without a line goes."""
    name = "a.json.gz" if packed else "a.json"
    whole = gzip.compress(ANN + BOB) if packed else ANN + BOB
    put(bucket, name, whole, whole)
    put(bucket, "ann.json", ANN)
    assert all(rewritten(file, SOURCE, LISTED) for file in files.list_files(FOLDER))
    left = get(bucket, name)
    assert (gzip.decompress(left) if packed else left) == BOB
    assert [file.name for file in files.list_files(FOLDER)] == [name]
    # Two of the first object, the other one, and the mark that it is deleted.
    assert files.old_versions(FOLDER, delete=False) == 4
    assert files.old_versions(FOLDER, delete=True) == 4
    assert bucket.versions() == (1, 0)
    assert files.old_versions(FOLDER, delete=True) == 0


def test_old_versions_go_page_by_page_before_what_marks_them_deleted(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else what was deleted would be back. Objects stay, and so do the versions of other folders."""
    assert files._MOST_DELETED <= 1000
    monkeypatch.setattr(files, "_MOST_DELETED", 2)
    put(bucket, "a.json", ANN, BOB, ANN, BOB)
    put(bucket, "b.json", ANN, BOB, ANN)
    bucket.put("customers/landing/other.json", ANN, BOB)
    files.delete(f"{FOLDER}b.json")
    deleted = bucket.deletions()
    assert files.old_versions(FOLDER, delete=False) == 7
    end = bucket.answer("DeleteObjects", "AccessDenied", 403)
    with pytest.raises(ClientError, match="AccessDenied"):
        files.old_versions(FOLDER, delete=True)
    end()
    deleted.clear()
    # A page that begins where a version was deleted is moto's to lose.
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "1000")
    assert files.old_versions(FOLDER.rstrip("/"), delete=True) == 7
    assert [len(some) for some in deleted] == [2, 2, 2, 1]
    assert deleted[-1][0]["Key"].endswith("b.json")
    assert bucket.objects == {"customer/landing/a.json": BOB, "customers/landing/other.json": BOB}
    assert [bucket.versions(prefix) for prefix in ("customer/", "customers/")] == [(1, 0), (2, 0)]
    assert files.old_versions(FOLDER, delete=True) == 0


def test_what_cannot_be_deleted_is_named(bucket: Bucket) -> None:
    """S3 tells it in an answer that is no error."""
    put(bucket, "a.json", ANN)

    def locked(**_: Any) -> tuple[Any, dict[str, Any]]:
        return SimpleNamespace(status_code=200), {"Errors": [{"Key": "q/a.json", "Code": "AccessDenied"}]}

    bucket.client.meta.events.register("before-call.s3.DeleteObjects", locked)
    with pytest.raises(JobError, match=r"s3://lake/q/a\.json cannot be deleted: AccessDenied"):
        files.delete_others(FOLDER, "run3")


def test_nothing_of_a_request_stays(bucket: Bucket) -> None:
    """But what only begins with its name does."""
    put(bucket, "r.json", ANN, ANN)
    put(bucket, "r.json.other", BOB, BOB)
    files.delete_with_versions(f"{FOLDER}r.json")
    files.delete_with_versions(f"{FOLDER}none")
    assert bucket.versions() == (2, 0)
    assert get(bucket, "r.json.other") == BOB


def test_a_file_that_others_changed_is_not_replaced(bucket: Bucket) -> None:
    """Neither one that was read, nor one that was not there."""
    put(bucket, "a.json", ANN)
    (file,) = files.list_files(FOLDER)
    put(bucket, "a.json", BOB)
    with pytest.raises(Changed, match="was changed meanwhile"):
        files.replace(file.uri, b"", file.etag)
    with pytest.raises(Changed):
        files.replace(file.uri, b"", None)
    assert get(bucket, "a.json") == BOB


def test_a_file_that_others_changed_is_not_deleted(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though none of the lines that were read would have stayed."""
    put(bucket, "a.json", ANN)
    (file,) = files.list_files(FOLDER)
    copied = rewrite._copied

    def changed_after(*args: Any) -> tuple[int, int] | None:
        found = copied(*args)
        put(bucket, "a.json", BOB)
        return found

    with monkeypatch.context() as patched:
        patched.setattr(rewrite, "_copied", changed_after)
        with pytest.raises(Changed, match="was changed meanwhile; call again"):
            rewritten(file, SOURCE, LISTED)
    assert get(bucket, "a.json") == BOB
    files.delete(file.uri)
    with pytest.raises(Changed):
        files.delete(file.uri, file.etag)


def test_a_file_is_deleted_on_its_condition(bucket: Bucket) -> None:
    """Whatever happens between the question and the deletion is S3's to see."""
    put(bucket, "a.json", ANN)
    (file,) = files.list_files(FOLDER)
    seen = []

    def see(request: Any, operation_name: str, **_: Any) -> None:
        seen.append((operation_name, request.headers.get("If-Match")))

    files.s3().meta.events.register("before-sign.s3.*", see)
    assert rewritten(file, SOURCE, LISTED)
    assert seen[-2:] == [("HeadObject", file.etag), ("DeleteObject", file.etag)]
    assert files.list_files(FOLDER) == []


def test_s3_refuses_to_delete_what_was_changed(bucket: Bucket) -> None:
    """In the moment after it was asked for."""
    put(bucket, "a.json", ANN)
    (file,) = files.list_files(FOLDER)
    bucket.answer("DeleteObject", "PreconditionFailed", 412)
    with pytest.raises(Changed):
        files.delete(file.uri, file.etag)
    assert get(bucket, "a.json") == ANN


def test_a_missing_file_is_missing_where_s3_forbids_to_say_so(bucket: Bucket) -> None:
    """As it does to a role that may list a folder only. What is listed and forbidden is told."""
    put(bucket, "list.json.other", ANN)
    uri = f"{FOLDER}list.json"
    end = bucket.answer("GetObject", "AccessDenied", 403)
    assert files.read_tagged(uri) is None
    put(bucket, "list.json", ANN)
    with pytest.raises(ClientError, match="AccessDenied"):
        files.read_tagged(uri)
    end()
    found = files.read_tagged(uri)
    assert found is not None
    assert found.text == ANN.decode()


def test_unfinished_uploads_are_aborted(bucket: Bucket) -> None:
    """Their parts hold lines, and only in the folder that is asked for."""
    ids = {}
    for key in ("customer/landing/a.json", "customer/landing/b/c.json", "customers/landing/a.json"):
        place = {"Bucket": "lake", "Key": key}
        ids[key] = bucket.client.create_multipart_upload(**place)["UploadId"]
        bucket.client.upload_part(**place, UploadId=ids[key], PartNumber=1, Body=ANN)
    assert files.uploads(FOLDER, abort=False) == 2
    assert len(bucket.client.list_multipart_uploads(Bucket="lake")["Uploads"]) == 3
    assert files.uploads(FOLDER, abort=True) == 2
    (left,) = bucket.client.list_multipart_uploads(Bucket="lake")["Uploads"]
    assert left["Key"] == "customers/landing/a.json"
    assert files.uploads(FOLDER, abort=True) == 0


def test_an_upload_that_is_finished_meanwhile_is_no_error(bucket: Bucket) -> None:
    """It is an object then, and listed."""
    bucket.client.create_multipart_upload(Bucket="lake", Key="customer/landing/a.json")
    bucket.answer("AbortMultipartUpload", "NoSuchUpload", 404)
    assert files.uploads(FOLDER, abort=True) == 1


def test_a_person_who_is_forgotten_leaves_no_unfinished_upload(bucket: Bucket, spark: SparkSession) -> None:
    """They are counted with the old versions, and are gone before the files are listed."""
    place = {"Bucket": "lake", "Key": "customer/landing/a.json"}
    upload = bucket.client.create_multipart_upload(**place)["UploadId"]
    bucket.client.upload_part(**place, UploadId=upload, PartNumber=1, Body=ANN)
    forgetting = cast(Any, object.__new__(_Forgetting))
    forgetting._spark, forgetting._old, forgetting._said = spark, 0, {"unread": []}
    forgetting._sources = {"customer": replace(SOURCE, location=FOLDER)}
    forgetting._rewrite_landing(LISTED)
    assert forgetting._old == 1
    assert bucket.client.list_multipart_uploads(Bucket="lake").get("Uploads", []) == []
