"""Files under URIs: of S3, `s3://bucket/key`, and of a laptop, `file:/path`. Nothing in a URI is escaped.

Without Spark and Java, so that workers can use it too, and a listing takes one request for a thousand files.
"""

import io
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

from .errors import JobError

_HIDDEN = re.compile(r"^[._]|\._COPYING_$")
"""As Spark hides them."""
_UNFINISHED = re.compile(r"(?:^|/)(?:_temporary/|\.[^/]*\.tmp$|\.spark-staging)")
_CONFLICTS = ("PreconditionFailed", "ConditionalRequestConflict", "412", "409")
_MISSING = ("NoSuchKey", "404")
RANGE_BYTES = 8 << 20
"""What is read at once of a file that is read on and on."""
_MOST_DELETED = 1000
"""As many as S3 takes at once."""


@dataclass(frozen=True)
class File:
    """A file in a folder."""

    name: str
    """From the folder, its names divided by slashes."""
    uri: str
    size: int
    """Bytes."""
    etag: str | None = None
    """Of an object of S3: another one means other bytes."""
    written: float = 0
    """When an object of S3 was written, in seconds since 1970."""
    stamp: tuple[int, ...] | None = field(default=None, compare=False)
    """Of a file on a disk: another one means other bytes."""

    @property
    def changed(self) -> float:
        """When a file on a disk changed, or its entry there, in seconds since 1970."""
        return max((self.stamp or (0,))[-2:]) / 1e9


def list_files(folder: str, skipped: list[str] | None = None) -> list[File]:
    """List the files in a folder and those below, by name. None where the folder is missing.

    Hidden ones, what is no regular file, and links out of the folder are left out, and named in `skipped`.

    Raises:
        JobError: A link leads nowhere.
    """
    left_out: list[str] = [] if skipped is None else skipped
    if not _is_s3(folder):
        listed = list(_below(folder, left_out))
    else:
        listed = []
        for file in _objects(folder):
            is_hidden = any(_HIDDEN.search(part) for part in file.name.split("/"))
            if is_hidden:
                left_out.append(file.name)
            else:
                listed.append(file)
    return sorted(listed, key=lambda file: file.name)


def read_text(uri: str) -> str:
    """Read a file of UTF-8 text that fits into memory. Where it is missing, S3's or the disk's own error."""
    if not _is_s3(uri):
        return Path(_path(uri)).read_text("utf-8")
    body: bytes = s3().get_object(**_place(uri))["Body"].read()
    return body.decode()


class Tagged(NamedTuple):
    """A text as it was read."""

    text: str
    tag: str | None
    """Of an object of S3: another one means another text."""


class Changed(JobError):
    """A file is no longer as it was read, so it was not replaced."""


def read_tagged(uri: str) -> Tagged | None:
    """Read a file of UTF-8 text that may be missing."""
    if not _is_s3(uri):
        path = Path(_path(uri))
        return Tagged(path.read_text("utf-8"), None) if path.exists() else None
    from botocore.exceptions import ClientError

    # Of a missing object S3 says that it is forbidden to a role that may not list the whole bucket.
    if not _is_listed(uri):
        return None
    try:
        answer = s3().get_object(**_place(uri))
    except ClientError as error:
        if error.response["Error"]["Code"] in _MISSING:
            return None
        raise
    body: bytes = answer["Body"].read()
    return Tagged(body.decode(), answer["ETag"])


def _is_listed(uri: str) -> bool:
    bucket, key = _place(uri).values()
    pages = s3().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key)
    return any(found["Key"] == key for page in pages for found in page.get("Contents", []))


def replace(uri: str, content: bytes | IO[bytes], tag: str | None) -> None:
    """Put a file in the place of the one that was read, in one step.

    `tag`: of the object of S3 that was read; None: there was none. Raises Changed where it is another one.
    """
    if _is_s3(uri):
        _put(uri, content, ("If-None-Match", "*") if tag is None else ("If-Match", tag))
        return
    path = Path(_path(uri)).resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    # As hidden as what a killed process leaves should be.
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as out:
            if isinstance(content, bytes):
                out.write(content)
            else:
                shutil.copyfileobj(content, out, 1 << 20)
            out.flush()
            os.fsync(out.fileno())
        Path(temporary).chmod(path.stat().st_mode & 0o777 if path.exists() else 0o644)
        Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)
    # Hadoop's checksum of what was there before.
    path.with_name(f".{path.name}.crc").unlink(missing_ok=True)


def _put(uri: str, content: bytes | IO[bytes], condition: tuple[str, str]) -> None:
    with _conditional(uri, "PutObject", condition):
        s3().put_object(**_place(uri), Body=content)


@contextmanager
def _conditional(uri: str, operation: str, condition: tuple[str, str]) -> Iterator[None]:
    """Have S3 do what is asked on a condition. Raises Changed where it does not hold."""
    from botocore.exceptions import ClientError

    # By its header: the client on Glue may be older than its parameters for conditions.
    def add(params: Any, **_: Any) -> None:
        params["headers"][condition[0]] = condition[1]

    events = s3().meta.events
    events.register(f"before-call.s3.{operation}", add)
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] in (*_CONFLICTS, *_MISSING):
            raise Changed(f"{uri} was changed meanwhile; call again") from error
        raise
    finally:
        events.unregister(f"before-call.s3.{operation}", add)


def delete(uri: str, tag: str | None = None) -> None:
    """Delete a file, if it is there, with Hadoop's checksum of it.

    `tag`: of the object of S3 that was read. Raises Changed where it is another one.
    """
    if _is_s3(uri):
        if tag is None:
            s3().delete_object(**_place(uri))
            return
        # Asked for first: what only speaks as S3 does may pass over the condition.
        with _conditional(uri, "HeadObject", ("If-Match", tag)):
            s3().head_object(**_place(uri))
        with _conditional(uri, "DeleteObject", ("If-Match", tag)):
            s3().delete_object(**_place(uri))
        return
    path = Path(_path(uri))
    path.unlink(missing_ok=True)
    path.with_name(f".{path.name}.crc").unlink(missing_ok=True)


def list_written_since(folder: str, since: float) -> list[File]:
    """List the objects of S3 in a folder that are younger, in seconds since 1970. None on a disk."""
    return [file for file in _objects(folder) if file.written >= since] if _is_s3(folder) else []


def list_unfinished(folder: str) -> list[File]:
    """List what killed writers left in a folder: Spark's, and those of `replace`."""
    every = _objects(folder) if _is_s3(folder) else _below(folder, hidden=True)
    return [f for f in every if _UNFINISHED.search(f.name)]


def uploads(folder: str, abort: bool) -> int:
    """Count, and abort where told, the uploads to a folder of S3 that were begun and not finished.

    S3 keeps their parts, and lists them as no object. None on a disk.
    """
    if not _is_s3(folder):
        return 0
    from botocore.exceptions import ClientError

    bucket, prefix = _folder(folder)
    pages = s3().get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Prefix=prefix)
    begun = [(found["Key"], found["UploadId"]) for page in pages for found in page.get("Uploads", [])]
    for key, upload in begun if abort else ():
        try:
            s3().abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload)
        except ClientError as error:
            # It was finished meanwhile, or aborted.
            if error.response["Error"]["Code"] not in ("NoSuchUpload", "404"):
                raise
    return len(begun)


def old_versions(folder: str, delete: bool) -> int:
    """Count, and delete where told, the old versions of the objects in a folder, and what marks deleted ones.

    None on a disk. Raises a JobError where one cannot be deleted.
    """
    if not _is_s3(folder):
        return 0
    bucket, prefix = _folder(folder)
    return _old_versions(bucket, prefix, delete)


def delete_with_versions(uri: str) -> None:
    """Delete a file, and of an object of S3 every version: nothing of it stays."""
    delete(uri)
    if _is_s3(uri):
        bucket, key = _place(uri).values()
        _old_versions(bucket, key, delete=True, only=key)


def _old_versions(bucket: str, prefix: str, delete: bool, only: str | None = None) -> int:
    count = 0
    # Without its mark an object that was deleted is back, so the marks go when nothing is left that could be.
    for what in ("Versions", "DeleteMarkers"):
        old: list[dict[str, str]] = []
        for page in s3().get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
            for found in page.get(what, []):
                is_old = what == "DeleteMarkers" or not found["IsLatest"]
                if is_old and only in (None, found["Key"]):
                    old.append({"Key": found["Key"], "VersionId": found["VersionId"]})
            if delete and len(old) >= _MOST_DELETED:
                count += len(old)
                _delete_objects(bucket, old)
                old = []
        count += len(old)
        if delete:
            _delete_objects(bucket, old)
    return count


def write_text(uri: str, text: str) -> None:
    """Write a file of UTF-8 text, in place of the one that may be there."""
    if _is_s3(uri):
        s3().put_object(**_place(uri), Body=text.encode())
        return
    path = Path(_path(uri))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def delete_others(folder: str, keep: str) -> None:
    """Delete what is in a folder, but for the file or folder of the name `keep`."""
    if _is_s3(folder):
        bucket, prefix = _folder(folder)
        keys = [f.name for f in _objects(folder) if f.name.split("/")[0] != keep]
        _delete_objects(bucket, [{"Key": prefix + key} for key in keys])
        return
    path = Path(_path(folder))
    for entry in path.iterdir() if path.exists() else ():
        if entry.name == keep:
            continue
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _delete_objects(bucket: str, gone: Sequence[dict[str, str]]) -> None:
    for start in range(0, len(gone), _MOST_DELETED):
        some = list(gone[start : start + _MOST_DELETED])
        answer = s3().delete_objects(Bucket=bucket, Delete={"Objects": some, "Quiet": True})
        for error in answer.get("Errors", []):
            raise JobError(f"s3://{bucket}/{error['Key']} cannot be deleted: {error['Code']}")


def read_range(file: File, start: int, end: int) -> bytes:
    """Read a range of a file, less where the file ends before.

    Raises a JobError where it is not as it was listed.
    """
    end = min(end, file.size)
    if start >= end:
        return b""
    data = _get_range(file, start, end) if _is_s3(file.uri) else _pread(file, start, end)
    if len(data) < end - start:
        raise _changed(file)
    return data


def check_unchanged(file: File) -> None:
    """Raise a JobError where a file on a disk is no longer as it was listed. S3 says so as it is read."""
    if file.stamp is None:
        return
    try:
        stat = Path(_path(file.uri)).stat()
    except FileNotFoundError:
        raise _changed(file) from None
    if file.stamp != _stamp(stat):
        raise _changed(file)


def local_path(file: File) -> str | None:
    """Give where a file is on the disk, if it is on one."""
    return None if _is_s3(file.uri) else _path(file.uri)


def open_file(file: File, at_once: int = RANGE_BYTES) -> IO[bytes]:
    """Open a file to read it on and on."""
    return cast("IO[bytes]", io.BufferedReader(_Ranges(file), at_once))


class _Ranges(io.RawIOBase):
    """A file, read range by range."""

    def __init__(self, file: File) -> None:
        self._file = file
        self._at = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = read_range(self._file, self._at, self._at + len(buffer))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def _changed(file: File) -> JobError:
    return JobError(f"{file.uri} was changed while it was read; run the job again")


def _get_range(file: File, start: int, end: int) -> bytes:
    # Glue has it; nothing here needs it.
    from botocore.exceptions import ClientError

    try:
        answer = s3().get_object(**_place(file.uri), Range=f"bytes={start}-{end - 1}", IfMatch=file.etag)
    except ClientError as error:
        if error.response["Error"]["Code"] in ("PreconditionFailed", "412", "NoSuchKey", "InvalidRange"):
            raise _changed(file) from error
        raise
    data: bytes = answer["Body"].read()
    return data


def _pread(file: File, start: int, end: int) -> bytes:
    parts = []
    opened = os.open(_path(file.uri), os.O_RDONLY)
    try:
        while start < end and (part := os.pread(opened, end - start, start)):
            parts.append(part)
            start += len(part)
    finally:
        os.close(opened)
    return b"".join(parts)


def _below(folder: str, skipped: list[str] | None = None, hidden: bool = False) -> Iterator[File]:
    left_out: list[str] = [] if skipped is None else skipped
    root = Path(_path(folder))
    real = root.resolve()
    for here, folders, names in os.walk(root, followlinks=True):
        for name in [*folders, *names]:
            path = Path(here, name)
            is_file = name in names
            is_hidden = _HIDDEN.search(name) and not hidden
            if not is_hidden and not path.exists():
                raise JobError(f"{path} is a link that leads nowhere; mend it, or remove it")
            if is_hidden or _leaves(path, real) or (is_file and not path.is_file()):
                left_out.append(path.relative_to(root).as_posix() + ("" if is_file else "/"))
                if not is_file:
                    folders.remove(name)
            elif is_file:
                yield _listed(path, root)


def _listed(path: Path, root: Path) -> File:
    stat = path.stat()
    return File(path.relative_to(root).as_posix(), f"file:{path}", stat.st_size, stamp=_stamp(stat))


def _stamp(stat: os.stat_result) -> tuple[int, ...]:
    """As `stateOf` in engines/landing/bytes.ts."""
    return (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)


def _leaves(path: Path, root: Path) -> bool:
    """Whether a path is a link out of the folder `root`, or to a folder that it is in itself."""
    if not path.is_symlink():
        return False
    to = path.resolve()
    return not to.is_relative_to(root) or path.parent.resolve().is_relative_to(to)


def _objects(folder: str) -> Iterator[File]:
    bucket, prefix = _folder(folder)
    for page in s3().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for found in page.get("Contents", []):
            key: str = found["Key"]
            # What a console makes of a folder.
            if not key.endswith("/"):
                yield File(
                    key.removeprefix(prefix),
                    f"s3://{bucket}/{key}",
                    found["Size"],
                    found["ETag"],
                    found["LastModified"].timestamp(),
                )


def _is_s3(uri: str) -> bool:
    return uri.startswith("s3:")


def _place(uri: str) -> dict[str, str]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return {"Bucket": bucket, "Key": key}


def _folder(uri: str) -> tuple[str, str]:
    """Give the bucket of a folder and its prefix. Without its last slash it would be other folders' too."""
    bucket, prefix = _place(uri).values()
    return bucket, f"{prefix.rstrip('/')}/" if prefix else ""


def _path(uri: str) -> str:
    """Where a file is on the disk: of `file:/a`, and of `file:///a`."""
    return re.sub("^/+", "/", uri.removeprefix("file:"))


@lru_cache(1)
def s3() -> Any:
    """Give this process's client of S3."""
    import boto3

    return boto3.client("s3")


def as_pattern(uri: str) -> str:
    """Spell a URI where Spark takes patterns."""
    return re.sub(r"([\\{}\[\]*?])", r"\\\1", uri)
