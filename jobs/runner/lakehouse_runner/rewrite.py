"""Takes records out of landing files; JSON is a record a line then. In the workers and without Spark."""

import gzip
import os
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, cast

import duckdb

from . import files
from .blocks import MAGIC, PACKED, Text, extents_of, fetched, pieces_of
from .files import File
from .manifest import Source
from .reader import Reader
from .suppression import Forgotten

_MAX_OBJECT_BYTES = 5 << 30
"""More than S3 takes at once."""
_SPOOL_BYTES = 64 << 20


def rewritten(file: File, source: Source, forgotten: Forgotten) -> bool:
    """Take the records of the forgotten out of a file. False where it cannot be read; it is as it was then.

    A file without such records stays as it is, and one of which nothing would stay is deleted: an empty one
    would be told as damaged.

    Raises:
        Changed: The file was changed meanwhile; it is as others left it.
    """
    if source.reading.without is not None:
        return _rewritten_rows(file, source, forgotten, source.reading.without)
    packed = file.name.endswith(PACKED) and files.read_range(file, 0, len(MAGIC)) == MAGIC
    try:
        with closing(Reader(source.records, source.columns, forgotten)) as reader:
            with _opened(file, packed) as opened:
                head = opened.read(source.records.head_bytes + 1)
            text = Text(extents_of(file, is_cut=False)[0], "", packed, size=len(head), head=head[:-1] or head)
            (shape,) = reader.heads([text])
            if shape.refusal:
                return not shape.refusal.is_fatal
            with tempfile.SpooledTemporaryFile(_SPOOL_BYTES) as spool:
                out = cast(IO[bytes], spool)
                theirs, others = _copy(file, packed, reader, source, out, shape.keys)
                files.check_unchanged(file)
                return _replaced(file, out, theirs, others)
    except (EOFError, gzip.BadGzipFile, zlib.error, _TooLong):
        return False


def _replaced(file: File, out: IO[bytes], theirs: int, others: int) -> bool:
    """Have what was written take the place of a file. False where it is too large."""
    if theirs and others:
        if out.seek(0, os.SEEK_END) > _MAX_OBJECT_BYTES:
            return False
        out.seek(0)
        files.replace(file.uri, out, file.etag)
    elif theirs:
        files.delete(file.uri, file.etag)
    return True


def _rewritten_rows(file: File, source: Source, forgotten: Forgotten, query: str) -> bool:
    """Take the rows of the forgotten out of a file of Parquet. False where it cannot be read."""
    with (
        closing(Reader(source.reading, source.columns, forgotten)) as reader,
        tempfile.TemporaryDirectory() as folder,
    ):
        left = Path(folder) / "left.parquet"
        with fetched(extents_of(file, is_cut=False), source.reading.head_bytes) as (text,):
            (shape,) = reader.heads([text])
            if shape.refusal:
                return not shape.refusal.is_fatal
            try:
                theirs, others = reader.without(text, query, str(left))
            except duckdb.Error:
                return False
        with left.open("rb") as out:
            return _replaced(file, out, theirs, others)


class _TooLong(Exception):
    """A line that no reader looks at whole."""


def _copy(
    file: File, packed: bool, reader: Reader, source: Source, out: IO[bytes], columns: str | None
) -> tuple[int, int]:
    """Write the records that are not theirs. Give how many are theirs, and how many are not."""
    counts = [0, 0]
    is_csv = source.reading.format == "csv"
    zipped = gzip.GzipFile(fileobj=out, mode="wb", mtime=0) if packed else None
    with _opened(file, packed) as opened:
        for piece in pieces_of(opened, source.records.piece_bytes, source.records.paired_mark):
            if piece.skipped:
                raise _TooLong
            lines = piece.data.split(b"\n")
            gone: set[int] = set()
            for first, last, text, is_theirs in reader.records(piece, columns):
                counts[is_theirs] += 1
                places = range(first - piece.first - 1, last - piece.first)
                if is_theirs:
                    gone.update(places)
                elif not is_csv:
                    record = b"\n".join(lines[i] for i in places) if text is None else text.encode()
                    (zipped or out).write(record + b"\n")
            if is_csv:
                # Also what is no record, as the header is none.
                left = (line for i, line in enumerate(lines) if i not in gone)
                (zipped or out).write(b"\n".join(left))
    if zipped:
        zipped.close()
    return counts[True], counts[False]


@contextmanager
def _opened(file: File, packed: bool) -> Iterator[IO[bytes]]:
    with files.open_file(file, files.RANGE_BYTES) as raw:
        yield cast("IO[bytes]", gzip.GzipFile(fileobj=raw)) if packed else raw
