"""Stands in for AWS's client of S3 in Python, as it is documented."""

import datetime
import io
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import IO, Any


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
        self.written: dict[str, datetime.datetime] = {}
        self.old: list[dict[str, Any]] = []
        """Versions that are no longer the objects, and marks of deleted ones, as S3 lists them."""

    def register(self, event: str, handler: Callable[..., None]) -> None:
        """Have a handler see requests before they are signed."""
        assert event == "before-call.s3.PutObject"
        self._handlers.append(handler)

    def unregister(self, event: str, handler: Callable[..., None]) -> None:
        """Have it see no more."""
        self._handlers.remove(handler)

    def get_paginator(self, operation: str) -> "Bucket | Versions":
        """Give what lists."""
        if operation == "list_object_versions":
            return Versions(self)
        assert operation == "list_objects_v2"
        return self

    def paginate(self, Bucket: str, Prefix: str) -> Iterator[dict[str, Any]]:
        """List keys in their order; the last page has none."""
        assert Bucket == "lake"
        keys = sorted(key for key in self.objects if key.startswith(Prefix))
        for start in range(0, len(keys), 2):
            yield {
                "Contents": [
                    {
                        "Key": key,
                        "Size": len(self.objects[key]),
                        "ETag": self.etag(key),
                        "LastModified": self.written.get(
                            key, datetime.datetime.fromtimestamp(0, datetime.UTC)
                        ),
                    }
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
            if "VersionId" in given:
                (one,) = [old for old in self.old if old["VersionId"] == given["VersionId"]]
                assert one["Key"] == given["Key"]
                hidden = [old for old in self.old if old["Key"] == one["Key"] and not old["mark"]]
                assert not (one["mark"] and hidden), "what was deleted would be back"
                if given["Key"] in self.locked:
                    errors.append({"Key": given["Key"], "Code": "AccessDenied"})
                else:
                    self.old.remove(one)
            elif given["Key"] in self.locked:
                errors.append({"Key": given["Key"], "Code": "AccessDenied"})
            else:
                del self.objects[given["Key"]]
        return {"Errors": errors} if errors else {}


class Versions:
    """Lists the versions of a bucket's objects, and the marks of deleted ones, two a page."""

    def __init__(self, bucket: Bucket) -> None:
        """Take the bucket."""
        self._bucket = bucket

    def paginate(self, Bucket: str, Prefix: str) -> Iterator[dict[str, Any]]:
        """List them by key."""
        current = [{"Key": key, "VersionId": "now", "IsLatest": True} for key in self._bucket.objects]
        every = [one for one in [*current, *self._bucket.old] if one["Key"].startswith(Prefix)]
        for start in range(0, len(every), 2):
            page = every[start : start + 2]
            yield {
                "Versions": [one for one in page if not one.get("mark")],
                "DeleteMarkers": [one for one in page if one.get("mark")],
            }
        yield {}
