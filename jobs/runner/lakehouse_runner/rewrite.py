"""Takes records out of landing files; JSON is a record a line then. In the workers and without Spark."""

import gzip
import os
import tempfile
import zlib
from collections.abc import Container, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, cast

import duckdb

from . import files
from .blocks import MAGIC, PACKED, Piece, Text, extents_of, fetched, pieces_of
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
            gone: set[int] = set()
            for lines, record, is_theirs in _records(piece, reader, columns):
                counts[not is_theirs] += 1
                if is_theirs:
                    gone.update(lines)
                elif not is_csv:
                    (zipped or out).write(record + b"\n")
            if is_csv:
                # Also what is no record, as the header is none.
                (zipped or out).write(_without(piece, gone))
    if zipped:
        zipped.close()
    return counts[0], counts[1]


def _without(piece: Piece, gone: Container[int]) -> bytes:
    """Give a piece without some of its lines, which count from 0."""
    lines = piece.data.split(b"\n")
    return b"\n".join(line for i, line in enumerate(lines) if i not in gone)


def _records(
    piece: Piece, reader: Reader, columns: str | None
) -> Iterator[tuple[Iterable[int], bytes, bool]]:
    """Give the records of a piece by their lines, which count from 0, as their bytes, with whose they are."""
    good, judged = reader.records(piece, columns)
    lines = piece.data.split(b"\n")
    spans = (good.column(name).to_pylist() for name in ("_n", "_last", "_theirs"))
    for first, last, is_theirs in zip(*spans, strict=True):
        places = range(first - piece.first - 1, (last or first) - piece.first)
        yield places, b"\n".join(lines[i] for i in places), is_theirs
    found = (judged.column(name).to_pylist() for name in ("_line", "_last", "_text", "_record", "_theirs"))
    for first, last, text, record, is_theirs in zip(*found, strict=True):
        # Of what is no UTF-8, the bytes are what was written.
        places = range(first - piece.first - 1, last - piece.first)
        yield places, b"\n".join(lines[i] for i in places) if record is None else text.encode(), is_theirs


@contextmanager
def _opened(file: File, packed: bool) -> Iterator[IO[bytes]]:
    with files.open_file(file, files.RANGE_BYTES) as raw:
        yield cast("IO[bytes]", gzip.GzipFile(fileobj=raw)) if packed else raw
