"""A bucket of S3 in this process, by moto, and the client of AWS that asks it."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import boto3

NAME = "lake"


class Bucket:
    """A bucket that keeps versions."""

    def __init__(self) -> None:
        """Make it."""
        self.client: Any = boto3.client("s3")
        self.client.create_bucket(Bucket=NAME)
        self.client.put_bucket_versioning(Bucket=NAME, VersioningConfiguration={"Status": "Enabled"})

    def put(self, key: str, *contents: bytes) -> None:
        """Write an object, once for each content."""
        for content in contents:
            self.client.put_object(Bucket=NAME, Key=key, Body=content)

    def get(self, key: str) -> bytes:
        """Read an object."""
        body: bytes = self.client.get_object(Bucket=NAME, Key=key)["Body"].read()
        return body

    @property
    def objects(self) -> dict[str, bytes]:
        """What it holds, by key in alphabetical order."""
        found = self.client.get_paginator("list_objects_v2").paginate(Bucket=NAME)
        return {one["Key"]: self.get(one["Key"]) for page in found for one in page.get("Contents", [])}

    def versions(self, prefix: str = "") -> tuple[int, int]:
        """Count the versions, and the marks of deleted objects."""
        pages = list(self.client.get_paginator("list_object_versions").paginate(Bucket=NAME, Prefix=prefix))
        versions, marks = (
            sum(len(page.get(what, [])) for page in pages) for what in ("Versions", "DeleteMarkers")
        )
        return versions, marks

    def answer(self, operation: str, code: str, status: int) -> Callable[[], None]:
        """Answer an operation with an error from now on. Returns what ends it."""

        def refuse(**_: Any) -> tuple[Any, dict[str, Any]]:
            return SimpleNamespace(status_code=status), {"Error": {"Code": code, "Message": "no"}}

        event = f"before-call.s3.{operation}"
        self.client.meta.events.register_last(event, refuse)
        return lambda: self.client.meta.events.unregister(event, refuse)

    def before(self, operation: str, act: Callable[[], object]) -> None:
        """Have others do something as an operation is first called."""
        acts = [act]

        def first(**_: Any) -> None:
            if acts:
                acts.pop()()

        self.client.meta.events.register_last(f"before-call.s3.{operation}", first)

    def deletions(self) -> list[list[dict[str, str]]]:
        """Objects and versions that are deleted at once from now on, call by call."""
        seen: list[list[dict[str, str]]] = []

        def see(params: Any, **_: Any) -> None:
            seen.append(params["Delete"]["Objects"])

        self.client.meta.events.register("before-parameter-build.s3.DeleteObjects", see)
        return seen
