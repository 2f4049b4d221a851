"""Takes records out of landing files, which are then a record a line. In the workers and without Spark."""

import gzip
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import IO, cast

from . import files
from .blocks import MAGIC, PACKED, Piece, Text, extents_of, pieces_of
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
                theirs, others = _copy(file, packed, reader, source, out)
                files.check_unchanged(file)
                if theirs and others:
                    if out.tell() > _MAX_OBJECT_BYTES:
                        return False
                    out.seek(0)
                    files.replace(file.uri, out, file.etag)
                elif theirs:
                    files.delete(file.uri, file.etag)
                return True
    except (EOFError, gzip.BadGzipFile, zlib.error, _TooLong):
        return False


class _TooLong(Exception):
    """A line that no reader looks at whole."""


def _copy(file: File, packed: bool, reader: Reader, source: Source, out: IO[bytes]) -> tuple[int, int]:
    """Write the records that are not theirs. Give how many are theirs, and how many are not."""
    counts = [0, 0]
    zipped = gzip.GzipFile(fileobj=out, mode="wb", mtime=0) if packed else None
    with _opened(file, packed) as opened:
        for piece in pieces_of(opened, source.records.piece_bytes):
            if piece.skipped:
                raise _TooLong
            for record, is_theirs in _records(piece, reader):
                counts[not is_theirs] += 1
                if not is_theirs:
                    (zipped or out).write(record + b"\n")
    if zipped:
        zipped.close()
    return counts[0], counts[1]


def _records(piece: Piece, reader: Reader) -> Iterator[tuple[bytes, bool]]:
    """Give the records of a piece as their bytes, with whose they are."""
    good, judged = reader.records(piece)
    lines = piece.data.split(b"\n")
    for n, is_theirs in zip(good.column("_n").to_pylist(), good.column("_theirs").to_pylist(), strict=True):
        yield lines[n - 1], is_theirs
    places = (judged.column(name).to_pylist() for name in ("_line", "_last", "_text", "_record", "_theirs"))
    for first, last, text, record, is_theirs in zip(*places, strict=True):
        # Of what is no UTF-8, the bytes are what was written.
        is_whole = record is None
        yield b"\n".join(lines[first - 1 : last]) if is_whole else text.encode(), is_theirs


@contextmanager
def _opened(file: File, packed: bool) -> Iterator[IO[bytes]]:
    with files.open_file(file, files.RANGE_BYTES) as raw:
        yield cast("IO[bytes]", gzip.GzipFile(fileobj=raw)) if packed else raw
