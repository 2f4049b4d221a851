"""Tests of files under URIs: folders, and S3 as its client in Python is documented."""

import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import IO, Any

import pytest
from lakehouse_runner import files
from lakehouse_runner.errors import JobError
from lakehouse_runner.files import File


class ClientError(Exception):
    """Stands in for that of botocore."""

    def __init__(self, code: str) -> None:
        """Hold what S3 answers."""
        self.response = {"Error": {"Code": code}}


class Bucket:
    """Stands in for a client of S3 with one bucket, which lists two keys a page."""

    def __init__(self, objects: dict[str, bytes]) -> None:
        """Hold objects by key."""
        self.objects = objects
        self.locked: set[str] = set()
        self.meta = SimpleNamespace(events=self)
        self.before_put: list[Callable[[], object]] = []
        """What others do before the next objects are written, one each."""
        self._handlers: list[Callable[..., None]] = []

    def register(self, event: str, handler: Callable[..., None]) -> None:
        """Have a handler see requests before they are signed."""
        assert event == "before-call.s3.PutObject"
        self._handlers.append(handler)

    def unregister(self, event: str, handler: Callable[..., None]) -> None:
        """Have it see no more."""
        self._handlers.remove(handler)

    def get_paginator(self, operation: str) -> "Bucket":
        """Give what lists."""
        assert operation == "list_objects_v2"
        return self

    def paginate(self, Bucket: str, Prefix: str) -> Iterator[dict[str, Any]]:
        """List keys in their order; the last page has none."""
        assert Bucket == "lake"
        keys = sorted(key for key in self.objects if key.startswith(Prefix))
        for start in range(0, len(keys), 2):
            yield {
                "Contents": [
                    {"Key": key, "Size": len(self.objects[key]), "ETag": self.etag(key)}
                    for key in keys[start : start + 2]
                ]
            }
        yield {}

    def etag(self, key: str) -> str:
        """Give an object's tag."""
        return f'"{hash(self.objects[key])}"'

    def get_object(
        self, Bucket: str, Key: str, Range: str | None = None, IfMatch: str | None = None
    ) -> dict[str, Any]:
        """Read an object or a range of it."""
        if Key not in self.objects:
            raise ClientError("NoSuchKey")
        if IfMatch is not None and self.etag(Key) != IfMatch:
            raise ClientError("PreconditionFailed")
        body = self.objects[Key]
        if Range is not None:
            start, end = map(int, Range.removeprefix("bytes=").split("-"))
            body = body[start : end + 1]
        return {"Body": io.BytesIO(body), "ETag": self.etag(Key)}

    def put_object(self, Bucket: str, Key: str, Body: bytes | IO[bytes]) -> None:
        """Write an object, on the conditions of its headers."""
        request: dict[str, Any] = {"headers": {}}
        for handler in self._handlers:
            handler(params=request, model=None)
        if self.before_put:
            self.before_put.pop(0)()
        headers = request["headers"]
        there = self.etag(Key) if Key in self.objects else None
        if headers.get("If-None-Match") == "*" and there is not None:
            raise ClientError("PreconditionFailed")
        if "If-Match" in headers and headers["If-Match"] != there:
            raise ClientError("PreconditionFailed")
        self.objects[Key] = Body if isinstance(Body, bytes) else Body.read()

    def delete_object(self, Bucket: str, Key: str) -> None:
        """Delete an object, if it is there."""
        self.objects.pop(Key, None)

    def delete_objects(self, Bucket: str, Delete: dict[str, Any]) -> dict[str, Any]:
        """Delete objects, and tell those that may not be."""
        assert len(Delete["Objects"]) <= 1000
        errors = []
        for given in Delete["Objects"]:
            if given["Key"] in self.locked:
                errors.append({"Key": given["Key"], "Code": "AccessDenied"})
            else:
                del self.objects[given["Key"]]
        return {"Errors": errors} if errors else {}


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """A bucket in place of S3."""
    made = Bucket({})
    monkeypatch.setattr(files, "s3", lambda: made)
    exceptions = ModuleType("botocore.exceptions")
    exceptions.ClientError = ClientError  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "botocore", ModuleType("botocore"))
    monkeypatch.setitem(sys.modules, "botocore.exceptions", exceptions)
    return made


NAMES = [
    "b.json",
    "a.json",
    "c d/%41é [x].json",
    "deep/er/a.json",
    "_SUCCESS",
    ".hidden/a.json",
    "_temporary/0/a.json",
    "deep/.a.json.crc",
    "a.json._COPYING_",
]
SHOWN = ["a.json", "b.json", "c d/%41é [x].json", "deep/er/a.json"]


def test_a_folder_is_listed_as_spark_lists_it(tmp_path: Path) -> None:
    """Folders below too; what is hidden is not there, whatever is in it."""
    for name in NAMES:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (tmp_path / ".hidden" / "broken").symlink_to("nowhere")
    listed = files.list_files(f"file:{tmp_path}/")
    assert [file.name for file in listed] == SHOWN
    for file in listed:
        assert files.read_range(file, 0, 99).decode() == file.name
    assert files.list_files(f"file://{tmp_path}/c d") == [
        File("%41é [x].json", f"file:{tmp_path}/c d/%41é [x].json", 18)
    ]
    assert files.list_files(f"file:{tmp_path}/missing/") == []


def test_a_link_is_followed_and_a_broken_one_told(tmp_path: Path) -> None:
    """A row must not be lost because its file has moved."""
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.json").write_text("x")
    folder = tmp_path / "landing"
    folder.mkdir()
    (folder / "linked").symlink_to(tmp_path / "real")
    assert [file.name for file in files.list_files(f"file:{folder}/")] == ["linked/a.json"]
    (folder / "b.json").symlink_to("nowhere")
    with pytest.raises(JobError, match=r"b\.json is a link that leads nowhere"):
        files.list_files(f"file:{folder}/")


def test_a_prefix_is_listed_alike(bucket: Bucket) -> None:
    """Page by page; what a console makes of a folder is no file."""
    bucket.objects = {f"landing/{name}": name.encode() for name in NAMES} | {
        "landing/": b"",
        "landing/deep/": b"",
        "other/a.json": b"",
    }
    listed = files.list_files("s3://lake/landing/")
    assert [file.name for file in listed] == SHOWN
    assert listed[2].uri == "s3://lake/landing/c d/%41é [x].json"
    for file in listed:
        assert files.read_range(file, 0, 99).decode() == file.name
        assert files.read_range(file, 1, 3).decode() == file.name[1:3]
    assert files.list_files("s3://lake/missing/") == []


def test_an_object_that_changes_is_not_read_half(bucket: Bucket) -> None:
    """Neither another one of its name, nor one that is gone."""
    bucket.objects = {"a.json": b"first"}
    (file,) = files.list_files("s3://lake/")
    bucket.objects["a.json"] = b"other"
    with pytest.raises(
        JobError, match=r"^s3://lake/a\.json was changed while it was read; run the job again$"
    ):
        files.read_range(file, 0, 5)
    bucket.objects = {}
    with pytest.raises(JobError, match="was changed"):
        files.read_range(file, 0, 5)


def test_text_is_written_and_read(bucket: Bucket, tmp_path: Path) -> None:
    """In place of what was there, also in a folder that was not."""
    for uri in ("s3://lake/runs/a.json", f"file:{tmp_path}/runs/a.json"):
        for text in ("first, and long", "é"):
            files.write_text(uri, text)
            assert files.read_text(uri) == text
    assert bucket.objects == {"runs/a.json": "é".encode()}


def test_all_but_one_are_deleted(bucket: Bucket, tmp_path: Path) -> None:
    """Hidden ones too, and nothing of another folder; a folder that is missing has nothing."""
    names = ["run1/part-0.json", "run1/.part-0.json.crc", "run2/part-0.json", "run22/_SUCCESS"]
    for name in names:
        path = tmp_path / "q" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    bucket.objects = {f"q/{name}": b"" for name in names} | {"qq/run1/a": b""}
    files.delete_others(f"file:{tmp_path}/q/", "run2")
    # Without its last slash a folder is no other one.
    for folder in ("s3://lake/q", "s3://lake/q/"):
        files.delete_others(folder, "run2")
    assert [p.name for p in (tmp_path / "q").iterdir()] == ["run2"]
    assert sorted(bucket.objects) == ["q/run2/part-0.json", "qq/run1/a"]
    files.delete_others(f"file:{tmp_path}/missing/", "run2")
    bucket.locked = {"q/run2/part-0.json"}
    with pytest.raises(JobError, match=r"s3://lake/q/run2/part-0\.json cannot be deleted: AccessDenied"):
        files.delete_others("s3://lake/q/", "run3")


def test_many_are_deleted_a_thousand_at_once(bucket: Bucket) -> None:
    """As S3 takes no more."""
    bucket.objects = {f"q/run1/{i}": b"" for i in range(2001)}
    files.delete_others("s3://lake/q/", "run2")
    assert bucket.objects == {}
