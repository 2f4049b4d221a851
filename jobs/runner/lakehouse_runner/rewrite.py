"""Takes lines out of files, and leaves every other byte as it is. In the workers and without Spark."""

import gzip
import io
import json
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from typing import IO, NamedTuple, cast

import numpy as np
import pyarrow as pa

from . import files
from .blocks import BYTE_ORDER_MARK, MAGIC, PACKED, extent_of, ranges_of, split, without_end
from .files import File
from .lines import LineJudge, Refusal
from .manifest import Column
from .plain import PlainReader
from .suppression import Forgotten, Mask

_READ_BYTES = 8 << 20
_HEAD_BYTES = 512
"""What is enough to tell text from what is none."""
_MAX_LINE_BYTES = 64 << 20
"""Longer lines are not looked into: they would have to fit into memory several times."""
_MAX_OBJECT_BYTES = 5 << 30
"""More than S3 takes at once."""
_SPOOL_BYTES = 64 << 20


class Sifted(NamedTuple):
    """What was found in a file."""

    removed: int
    """Lines of those who were forgotten."""
    unread: str | None = None
    """Why the file could not be looked into; it is as it was."""


class _Unread(Exception):
    """A file is no text of lines."""


class Sieve:
    """Tells which lines are of those who were forgotten."""

    def __init__(self, forgotten: Forgotten) -> None:
        """Take who was forgotten."""
        self._forgotten = forgotten

    def theirs(self, lines: pa.Array) -> Mask:
        """Tell which of some lines, each with its end, are theirs."""
        raise NotImplementedError


class LandingSieve(Sieve):
    """Tells of a source's lines what its reader would."""

    def __init__(self, forgotten: Forgotten, columns: Mapping[str, Column]) -> None:
        """Take the contract too."""
        super().__init__(forgotten)
        self._columns = columns

    def theirs(self, lines: pa.Array) -> Mask:
        """Good lines by their values, all others by what can be read in them."""
        plain, judge = PlainReader(self._columns, refined=False), LineJudge(self._columns)
        rows, others = plain.read(lines)
        mask: Mask = np.zeros(len(lines), np.bool_)
        of_rows = self._forgotten.rows(rows, self._columns)
        if of_rows is not None:
            is_plain = np.ones(len(lines), np.bool_)
            is_plain[others] = False
            mask[is_plain] = of_rows
        for index in others:
            line = without_end(lines[index].as_py())
            verdict = judge.judge(line)
            if isinstance(verdict, Refusal):
                # Not only as far as a quarantine would keep it.
                mask[index] = self._forgotten.line(_text(line))
            elif verdict is not None:
                mask[index] = self._forgotten.rows(plain.rows([verdict]), self._columns) is not None
        return mask


class QuarantineSieve(Sieve):
    """Tells of what was refused, as Spark wrote it: a JSON object a line."""

    def theirs(self, lines: pa.Array) -> Mask:
        """By the raw text that is in it."""
        mask: Mask = np.array([self._forgotten.line(_raw(line)) for line in lines.to_pylist()], np.bool_)
        return mask


def _raw(line: bytes) -> str:
    try:
        refused = json.loads(line)
        return str(refused.get("raw", ""))
    except (ValueError, AttributeError):
        # Half a line, of a writer that was killed.
        return _text(line)


def _text(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("latin-1")


def sift(file: File, sieve: Sieve, rewrite: bool) -> Sifted:
    """Count the lines of a file that are of the forgotten, and rewrite it without them where told.

    A file of which nothing would stay is deleted: an empty one would be told as damaged.

    Raises:
        Changed: The file was changed meanwhile; it is as others left it.
    """
    try:
        if not rewrite:
            return Sifted(_copied(file, sieve, None)[0])
        with tempfile.SpooledTemporaryFile(_SPOOL_BYTES) as spool:
            out = cast(IO[bytes], spool)
            removed, left = _copied(file, sieve, out)
            if removed > 0 and left > 0:
                if file.etag is not None and out.tell() > _MAX_OBJECT_BYTES:
                    return Sifted(0, "is larger than 5 GiB, and so cannot be rewritten in one step")
                out.seek(0)
                files.replace(file.uri, out, file.etag)
            elif removed > 0:
                files.delete(file.uri, file.etag)
            return Sifted(removed)
    except _Unread as unread:
        return Sifted(0, str(unread))


def _copied(file: File, sieve: Sieve, out: IO[bytes] | None) -> tuple[int, int]:
    """Give how many lines are theirs and how many are not, and write the others."""
    removed = left = 0
    packed = gzip.GzipFile(fileobj=out, mode="wb", mtime=0) if out and file.name.endswith(PACKED) else None
    to = cast("IO[bytes] | None", packed or out)
    for is_mark, lines in _lines(file):
        theirs = np.zeros(1, np.bool_) if is_mark else sieve.theirs(lines)
        removed += int(theirs.sum())
        left += 0 if is_mark else len(lines) - int(theirs.sum())
        if to is not None:
            kept = lines.filter(pa.array(~theirs)) if theirs.any() else lines
            for line in kept.to_pylist():
                to.write(line)
    if packed:
        packed.close()
    return removed, left


def _lines(file: File) -> Iterator[tuple[bool, pa.Array]]:
    """Give the lines of a file with their ends, many at once; a byte-order mark on its own."""
    raw = io.BufferedReader(ranges_of(extent_of(file)), _READ_BYTES)
    is_packed = file.name.endswith(PACKED)
    if is_packed != (files.read_range(file, 0, len(MAGIC)) == MAGIC) and file.size > 0:
        raise _Unread("is packed with gzip where its name says that it is not, or the other way round")
    source: IO[bytes] = cast("IO[bytes]", gzip.GzipFile(fileobj=raw) if is_packed else raw)
    rest = b""
    first = True
    while True:
        data = _read(source, max(_READ_BYTES, _HEAD_BYTES) if first else _READ_BYTES)
        if first:
            first = False
            if data.startswith((b"\xff\xfe", b"\xfe\xff", b"PAR1")) or b"\0" in data[:_HEAD_BYTES]:
                raise _Unread("is no UTF-8 text")
            if data.startswith(BYTE_ORDER_MARK):
                yield True, pa.array([BYTE_ORDER_MARK], pa.binary())
                data = data.removeprefix(BYTE_ORDER_MARK)
        if not data:
            break
        data = rest + data
        # A carriage return at the end may be half of a line end.
        cut = max(data.rfind(b"\n"), data.rfind(b"\r", 0, -1)) + 1
        rest = data[cut:]
        if len(rest) > _MAX_LINE_BYTES:
            raise _Unread(f"has a line longer than {_MAX_LINE_BYTES >> 20} MiB")
        if cut > 0:
            yield False, split(data[:cut])
    if rest:
        yield False, split(rest)


def _read(source: IO[bytes], size: int) -> bytes:
    try:
        return source.read(size)
    except (EOFError, OSError, zlib.error) as error:
        # What the network or the disk says is no fault of the file.
        if isinstance(error, OSError) and not isinstance(error, gzip.BadGzipFile):
            raise
        raise _Unread("cannot be unpacked to its end") from None
