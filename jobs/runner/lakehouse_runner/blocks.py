"""Cuts landing files into blocks of whole lines, and brings their text to where a worker reads it."""

import gzip
import os
import re
import shutil
import tempfile
import zlib
from array import array
from collections.abc import Iterator, MutableSequence, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, NamedTuple

from .files import RANGE_BYTES, File, check_unchanged, local_path, open_file, read_range

BLOCK_BYTES = 32 << 20
"""What one worker takes of a file at once where it can be cut."""
_HEAD_BYTES = 4096
PACKED = ".gz"
MAGIC = b"\x1f\x8b"
_AHEAD_BYTES = 1 << 16
"""What is read at once to find the end of a line."""
_SHARED_MEMORY = "/dev/shm"


class Refusal(NamedTuple):
    """Why a file is refused as a whole."""

    reason: str
    detail: str
    is_fatal: bool = False
    """Whether the run fails with it."""


class Block(NamedTuple):
    """A part of a file: the lines that begin in it, or all of it."""

    file: str
    """From the folder of the source."""
    start: int
    """Bytes from the beginning of the file."""


@dataclass(frozen=True)
class Extent:
    """Where a block is."""

    block: Block
    file: File
    end: int
    """Bytes from the beginning of the file, of which this is not one."""

    @property
    def is_cut(self) -> bool:
        """Whether it is only a part of its file."""
        return (self.block.start, self.end) != (0, self.file.size)


def extents_of(file: File, is_cut: bool) -> list[Extent]:
    """Give a file as blocks, or as one."""
    size = BLOCK_BYTES if is_cut else max(file.size, 1)
    return [
        Extent(Block(file.name, start), file, min(start + size, file.size))
        for start in range(0, max(file.size, 1), size)
    ]


@dataclass
class Text:
    """The text of a block as a file on this machine, and what was found in it."""

    extent: Extent
    path: str
    is_unpacked: bool = False
    damage: str | None = None
    """Why it could not be unpacked to its end."""
    lines: int = 0
    """Blank ones too; only of a block of several."""
    refusal: Refusal | None = None
    """Of the whole file."""
    rest: "MutableSequence[int] | None" = field(default_factory=lambda: array("Q"))
    """The numbers of the lines that were judged; None where it was not judged by lines."""
    size: int = 0
    blank: int = 0
    """Bytes before its head, of nothing but white space: a text of nothing else is known to be empty."""
    head: bytes = b""
    columns: str | None = None
    """What `heads` said of them."""

    def look(self, head_bytes: int) -> None:
        """Read its first bytes."""
        with Path(self.path).open("rb") as opened:
            self.size = os.fstat(opened.fileno()).st_size
            self.head = opened.read(head_bytes)
            while self.head.isspace() and (more := opened.read(head_bytes)):
                self.blank += len(self.head)
                self.head = more

    def marks(self, counted: str, others: Sequence[str]) -> int | None:
        """Count a character, and the lines. None where one of the other texts is there.

        Of line ends, the end of the text is one.
        """
        found = self.lines = 0
        reach = max(map(len, others))
        last = b""
        with Path(self.path).open("rb") as opened:
            while chunk := opened.read(RANGE_BYTES):
                found += chunk.count(counted.encode())
                self.lines += chunk.count(b"\n")
                between = last + chunk[:reach]
                if any(text.encode() in chunk or text.encode() in between for text in others):
                    return None
                last = chunk[-reach:]
        return found + (counted == "\n" and bool(last) and not last.endswith(b"\n"))


@contextmanager
def fetched(extents: Sequence[Extent], head_bytes: int) -> Iterator[list[Text]]:
    """Have the text of some blocks at hand, in a folder of this process that is deleted at once.

    Raises:
        JobError: A file is not as it was listed, before or after.
    """
    needed = sum(e.end - e.block.start for e in extents if local_path(e.file) is None)
    is_packed = any(e.file.name.endswith(PACKED) for e in extents)
    # Others fetch theirs meanwhile.
    fits = Path(_SHARED_MEMORY).is_dir() and shutil.disk_usage(_SHARED_MEMORY).free > 8 * needed
    memory = _SHARED_MEMORY if needed and fits and not is_packed else None
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        texts = [_fetch(extent, f"{folder}/{i}.json") for i, extent in enumerate(extents)]
        for text in texts:
            text.look(head_bytes)
        yield texts
        for extent in extents:
            check_unchanged(extent.file)


def _fetch(extent: Extent, to: str) -> Text:
    file = extent.file
    if file.name.endswith(PACKED) and read_range(file, 0, len(MAGIC)) == MAGIC:
        return Text(extent, to, is_unpacked=True, damage=_unpack(file, to))
    path = None if extent.is_cut else local_path(file)
    if path is not None:
        check_unchanged(file)
        return Text(extent, path)
    start = _line_from(file, extent.block.start, extent.end)
    end = _line_from(file, extent.end, file.size) if start < extent.end else start
    with Path(to).open("wb") as out:
        for at in range(start, end, RANGE_BYTES):
            out.write(read_range(file, at, min(at + RANGE_BYTES, end)))
    return Text(extent, to)


def _line_from(file: File, at: int, before: int) -> int:
    """Give the place of the first line that begins at `at` or later; at the latest the end of the file.

    Looks no further than `before`: a line that goes on beyond a whole block is no concern of that block.
    """
    if at in (0, file.size):
        return at
    # The line that begins at `at` is known by the end of the one before.
    for start in range(at - 1, before, _AHEAD_BYTES):
        found = read_range(file, start, start + _AHEAD_BYTES).find(b"\n")
        if found >= 0:
            return start + found + 1
    return before


def _unpack(file: File, to: str) -> str | None:
    """Unpack a file as far as that goes. Give why that is not to its end."""
    try:
        with open_file(file) as packed, gzip.GzipFile(fileobj=packed) as source, Path(to).open("wb") as out:
            shutil.copyfileobj(source, out, RANGE_BYTES)
    except EOFError:
        return "it is cut off"
    except (gzip.BadGzipFile, zlib.error):
        return "its bytes are damaged"
    return None


class Piece(NamedTuple):
    """Lines of a text."""

    first: int
    """How many lines come before."""
    data: bytes
    skipped: int = 0
    """Bytes beyond `data` of a line that is too long: it is alone, and `data` its beginning."""

    def text(self) -> tuple[bytes, list[int]]:
        """Give it as UTF-8, and which of its lines, from 1, were not."""
        if _is_text(self.data):
            return self.data, []
        broken = [i for i, line in enumerate(self.data.split(b"\n"), 1) if not _is_text(line)]
        return self.data.decode(errors="replace").encode(), broken


def _is_text(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def pieces_of(text: IO[bytes], size: int, paired: str | None = None) -> Iterator[Piece]:
    """Cut a text at line ends, best before a line that begins a record, into pieces of at most `size`.

    `paired`: a record begins where an even number of these stands before.
    """
    data = b""
    first = 0
    start = b""
    while more := text.read(size + 1 - len(data)):
        data += more
        if not start:
            # Records of an array are mostly indented.
            indented = re.search(rb"(?:^|\n)([ \t]*)\{", data[:_HEAD_BYTES])
            start = b"\n%b{" % (indented[1] if indented else b"")
        if len(data) <= size:
            continue
        last = data.rfind(b"\n", 0, size + 1) + 1
        best = _even_end(data, last, paired.encode()) if paired else data.rfind(start, 0, size + 1) + 1
        cut = best or last
        if cut > 0:
            yield Piece(first, data[:cut])
            first += data.count(b"\n", 0, cut)
            data = data[cut:]
            continue
        skipped = 0
        while more := text.readline(RANGE_BYTES):
            skipped += len(more)
            if more.endswith(b"\n"):
                break
        yield Piece(first, data, skipped)
        first += 1
        data = b""
    if data:
        yield Piece(first, data)


def _even_end(data: bytes, end: int, mark: bytes) -> int:
    """Give the last line end, at `end` or before it, that has an even number of marks before it; or 0."""
    count = data.count(mark, 0, end)
    while end > 0 and count % 2:
        before = data.rfind(b"\n", 0, end - 1) + 1
        count -= data.count(mark, before, end)
        end = before
    return end
