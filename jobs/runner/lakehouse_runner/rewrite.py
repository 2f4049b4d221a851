"""Takes records out of files, and leaves every other byte as it is. In the workers and without Spark."""

import gzip
import json
import tempfile
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO, NamedTuple, cast

from . import files
from .blocks import MAGIC, PACKED, Piece, Text, extents_of, pieces_of
from .database import Judge
from .files import File
from .manifest import Column, ForgottenSql, Reading
from .reader import Reader
from .suppression import Forgotten

_HEAD_BYTES = 1 << 16
_PIECE_BYTES = 16 << 20
_NO_RECORD = b" \t\r\n,[]"
"""What may stand around records: a file that holds nothing else may go."""
_MAX_OBJECT_BYTES = 5 << 30
"""More than S3 takes at once."""
_SPOOL_BYTES = 64 << 20


class Sifted(NamedTuple):
    """What was found in a file."""

    removed: int
    """Records of those who were forgotten."""
    unread: str | None = None
    """Why the file could not be looked into; it is as it was."""


class _Unread(Exception):
    """A file that cannot be looked into."""


Lines = dict[int, bytes]
"""What is to stand in place of some lines of a piece, which are counted from 0."""


class Sieve:
    """Finds the records of those who were forgotten."""

    piece_bytes = _PIECE_BYTES
    """How much of a file is looked at once."""

    def __init__(self, forgotten: Forgotten) -> None:
        """Take who was forgotten."""
        self._forgotten = forgotten

    def check(self, text: Text) -> str | None:
        """Say why a file cannot be looked into, by its beginning."""
        return None

    def sift(self, piece: Piece) -> tuple[int, Lines]:
        """Give how many records of a piece are theirs, and what stays of the lines that hold them."""
        raise NotImplementedError


class LandingSieve(Sieve):
    """Finds in a source's files what its reader would: good records by their values, others by their text."""

    def __init__(self, forgotten: Forgotten, columns: Mapping[str, Column], reading: Reading) -> None:
        """Take the contract too."""
        super().__init__(forgotten)
        self._columns = columns
        self._reading = reading
        self.piece_bytes = reading.piece_bytes
        self._reader: Reader | None = None

    def __getstate__(self) -> dict[str, object]:
        """Go to a worker, which makes a reader of its own."""
        return {**self.__dict__, "_reader": None}

    def check(self, text: Text) -> str | None:
        """Say what the run would say of the file."""
        (head,) = self._sql().heads([text])
        return head.refusal.detail if head.refusal and head.refusal.is_fatal else None

    def sift(self, piece: Piece) -> tuple[int, Lines]:
        """Where others' records stand on the same lines, each of them gets a line."""
        good, judged = self._sql().records(piece)
        kept: Lines = {n - 1: b"" for n in good.filter(good.column("_theirs")).column("_n").to_pylist()}
        removed = len(kept)
        spans: dict[tuple[int, int], list[tuple[bool, str]]] = defaultdict(list)
        places = (judged.column(name).to_pylist() for name in ("_line", "_last", "_text", "_theirs"))
        for first, last, text, is_theirs in zip(*places, strict=True):
            spans[first - 1, last - 1].append((is_theirs, text))
        for (first, last), records in spans.items():
            count = sum(is_theirs for is_theirs, _ in records)
            if count > 0:
                removed += count
                kept |= dict.fromkeys(range(first, last + 1), b"")
                kept[first] = "".join(f"{text}\n" for is_theirs, text in records if not is_theirs).encode()
        return removed, kept

    def _sql(self) -> Reader:
        if self._reader is None:
            self._reader = Reader(self._reading, self._columns, self._forgotten)
        return self._reader


class QuarantineSieve(Sieve):
    """Tells of what was refused, as Spark wrote it: a JSON object a line."""

    def __init__(self, forgotten: Forgotten, sql: ForgottenSql) -> None:
        """Take the SQL of the contract too."""
        super().__init__(forgotten)
        self._sql = sql
        self._judge: Judge | None = None

    def __getstate__(self) -> dict[str, object]:
        """Go to a worker, which makes a judge of its own."""
        return {**self.__dict__, "_judge": None}

    def sift(self, piece: Piece) -> tuple[int, Lines]:
        """By the raw text that is in it."""
        self._judge = self._judge or Judge(self._forgotten, self._sql)
        theirs = self._judge.theirs([_raw(line) for line in piece.data.split(b"\n")])
        return len(theirs), dict.fromkeys(theirs, b"")


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
            removed, is_left = _copied(file, sieve, out)
            if removed > 0 and is_left:
                if file.etag is not None and out.tell() > _MAX_OBJECT_BYTES:
                    return Sifted(0, "is larger than 5 GiB, and so cannot be rewritten in one step")
                out.seek(0)
                files.replace(file.uri, out, file.etag)
            elif removed > 0:
                files.delete(file.uri, file.etag)
            return Sifted(removed)
    except _Unread as unread:
        return Sifted(0, str(unread))


def _copied(file: File, sieve: Sieve, out: IO[bytes] | None) -> tuple[int, bool]:
    """Give how many records are theirs and whether others are there, and write all but theirs."""
    removed = 0
    is_left = False
    packed = gzip.GzipFile(fileobj=out, mode="wb", mtime=0) if out and file.name.endswith(PACKED) else None
    to = cast("IO[bytes] | None", packed or out)
    for piece in _pieces(file, sieve):
        count, kept = sieve.sift(piece)
        removed += count
        for i, line in enumerate(_lines_of(piece.data) if kept else [piece.data]):
            left = kept.get(i, line)
            is_left = is_left or left.strip(_NO_RECORD) != b""
            if to is not None:
                to.write(left)
    if packed:
        packed.close()
    files.check_unchanged(file)
    return removed, is_left


def _pieces(file: File, sieve: Sieve) -> Iterator[Piece]:
    is_packed = file.name.endswith(PACKED) and files.read_range(file, 0, len(MAGIC)) == MAGIC
    try:
        with _opened(file, is_packed, _HEAD_BYTES) as source:
            head = source.read(_HEAD_BYTES + 1)
        text = Text(extents_of(file, is_cut=False)[0], "", is_packed, size=len(head), head=head[:_HEAD_BYTES])
        unread = sieve.check(text)
        if unread is not None:
            raise _Unread(unread)
        with _opened(file, is_packed, files.RANGE_BYTES) as source:
            for piece in pieces_of(source, sieve.piece_bytes):
                if piece.skipped:
                    raise _Unread(f"has a line longer than {sieve.piece_bytes} bytes")
                yield piece
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise _Unread("cannot be unpacked to its end") from None


@contextmanager
def _opened(file: File, is_packed: bool, at_once: int) -> Iterator[IO[bytes]]:
    with files.open_file(file, at_once) as raw:
        yield cast("IO[bytes]", gzip.GzipFile(fileobj=raw)) if is_packed else raw


def _lines_of(data: bytes) -> list[bytes]:
    """Give lines with their ends."""
    lines = [line + b"\n" for line in data.split(b"\n")]
    lines[-1] = lines[-1].removesuffix(b"\n")
    return lines
