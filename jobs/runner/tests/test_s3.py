"""Tests of what is done with S3, by the real client of AWS, against moto in this process."""

import gzip
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from lakehouse_runner import files, suppression
from lakehouse_runner.files import Changed
from lakehouse_runner.manifest import Column
from lakehouse_runner.rewrite import LandingSieve, Sifted, sift
from lakehouse_runner.suppression import Entry, forgotten_of, hash_of
from moto import mock_aws

KEY = b"key"
BUCKET = "stedi-landing"
FOLDER = f"s3://{BUCKET}/customer/landing/"
ANN = b'{"user":"ann@x.org"}\n'
BOB = b'{"user":"bob@x.org"}\n'


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
    listed = forgotten_of([Entry("person", hash_of(KEY, "person", "ann@x.org"), "")], KEY)
    sieve = LandingSieve(listed, {"user": Column("text", False, identifies="person")})
    assert [sift(file, sieve, rewrite=True) for file in files.list_files(FOLDER)] == [Sifted(1), Sifted(1)]
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
