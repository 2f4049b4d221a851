"""Takes records out of landing files; JSON is a record a line then. In the workers and without Spark."""

import gzip
import tempfile
from contextlib import closing
from pathlib import Path

import duckdb

from . import files
from .blocks import Text, extents_of, fetched, pieces_of
from .files import File
from .manifest import Reading, Source
from .reader import Reader
from .suppression import Forgotten

_MAX_OBJECT_BYTES = 5 << 30
"""More than S3 takes at once."""


def rewritten(file: File, source: Source, forgotten: Forgotten) -> bool:
    """Take the records of the forgotten out of a file. False where it cannot be read; it is as it was then.

    A file without such records stays as it is, and one of which nothing would stay is deleted: an empty one
    would be told as damaged.

    Raises:
        Changed: The file was changed meanwhile; it is as others left it.
    """
    with tempfile.TemporaryDirectory() as folder:
        left = Path(folder) / "left"
        counts = _written(file, source, forgotten, left)
        if counts is None:
            return False
        theirs, others = counts
        if theirs and others:
            if left.stat().st_size > _MAX_OBJECT_BYTES:
                return False
            with left.open("rb") as out:
                files.replace(file.uri, out, file.etag)
        elif theirs:
            files.delete(file.uri, file.etag)
        return True


def _written(file: File, source: Source, forgotten: Forgotten, to: Path) -> tuple[int, int] | None:
    """Write what is not theirs. Give how many are theirs, and how many are not; None: it cannot be read."""
    reading = source.records
    with (
        closing(Reader(reading, source.columns, forgotten)) as reader,
        fetched(extents_of(file, is_cut=False), reading.head_bytes) as (text,),
    ):
        (shape,) = reader.heads([text])
        if shape.refusal:
            return None if shape.refusal.is_fatal else (0, 0)
        if reading.without is None:
            return _copied(text, reader, reading, shape.keys, to)
        try:
            return reader.without(text, reading.without, str(to))
        except duckdb.Error:
            return None


def _copied(
    text: Text, reader: Reader, reading: Reading, columns: str | None, to: Path
) -> tuple[int, int] | None:
    """Write the records of a text that are not theirs. None: a line is longer than any that is read."""
    counts = [0, 0]
    is_csv = reading.format == "csv"
    with Path(text.path).open("rb") as opened, to.open("wb") as plain:
        packed = gzip.GzipFile("", "wb", fileobj=plain, mtime=0) if text.is_unpacked else None
        out = packed or plain
        for piece in pieces_of(opened, reading.piece_bytes, reading.paired_mark):
            if piece.skipped:
                return None
            lines = piece.data.split(b"\n")
            gone: set[int] = set()
            for first, last, record, is_theirs in reader.records(piece, columns):
                counts[is_theirs] += 1
                places = range(first - piece.first - 1, last - piece.first)
                if is_theirs:
                    gone.update(places)
                elif not is_csv:
                    whole = b"\n".join(lines[i] for i in places)
                    out.write((whole if record is None else record.encode()) + b"\n")
            if is_csv:
                # Also what is no record, as the header is none.
                out.write(b"\n".join(line for i, line in enumerate(lines) if i not in gone))
        if packed:
            packed.close()
    return counts[True], counts[False]
