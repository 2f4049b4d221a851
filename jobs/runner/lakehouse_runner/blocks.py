"""Cuts landing files into blocks of whole lines, in the workers and without Spark.

Spark's own text reader would hand every line to Python, which takes longer than all that is done with it.
"""

import gzip
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from .files import File, read_range
from .lines import MAX_LINE_BYTES

BLOCK_BYTES = 32 << 20
"""How much of a file is read at once."""
_AHEAD_BYTES = 1 << 16
"""What is read beyond a block, for the end of its last line."""

_PACKED_BYTES = 8 << 20
"""What is read of a packed file at once."""

PACKED = ".gz"
MAGIC = b"\x1f\x8b"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_MISNAMED = "packed with gzip, but its name does not end in .gz, by which Spark and Athena tell; rename it"

_NOT_PACKED = "its name ends in .gz, but it is not packed with gzip; rename it or upload it again"


class Block(NamedTuple):
    """A part of a file: the lines that begin in it. A packed file is one block."""

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

    def read(self, start: int, end: int) -> bytes:
        """Read a range of the file, also beyond the block."""
        return read_range(self.file, start, end)


@dataclass(frozen=True)
class Lines:
    """Lines of a block that follow each other, each with its end; or why the file cannot be read."""

    lines: pa.Array
    damage: str | None = None


def extents_of(file: File) -> list[Extent]:
    """Cut a file into blocks; an empty one has none."""
    if file.name.endswith(PACKED):
        return [extent_of(file)]
    return [
        Extent(Block(file.name, start), file, min(start + BLOCK_BYTES, file.size))
        for start in range(0, file.size, BLOCK_BYTES)
    ]


def read_lines(extent: Extent) -> Iterator[Lines]:
    """Read the lines of a block: at once, or of a packed file piece by piece."""
    if extent.block.file.endswith(PACKED):
        yield from _unpacked(extent)
        return
    data = _whole_lines(extent)
    if extent.block.start == 0 and data.startswith(MAGIC):
        yield Lines(split(b""), _MISNAMED)
        return
    yield Lines(split(data.removeprefix(BYTE_ORDER_MARK) if extent.block.start == 0 else data))


def without_end(line: bytes) -> bytes:
    """Give a line without its end."""
    return line.removesuffix(b"\n").removesuffix(b"\r")


def _whole_lines(extent: Extent) -> bytes:
    start, end = extent.block.start, extent.end
    # The line that begins at `start` is known by the end of the one before.
    begin = max(start - 1, 0)
    data = extent.read(begin, end + _AHEAD_BYTES)
    first = 0 if start == 0 else _after_line(data, 0)
    if first is None or begin + first >= end:
        return b""
    while True:
        last = _after_line(data, end - 1 - begin)
        at_end = begin + len(data) >= extent.file.size
        # A carriage return that ends what was read may be half of a line end.
        if last is not None and (last < len(data) or at_end or data[last - 1 : last] == b"\n"):
            return data[first:last]
        if at_end:
            return data[first:]
        if begin + len(data) - end > MAX_LINE_BYTES + _AHEAD_BYTES:
            # Too long whatever follows: it is refused by its beginning.
            return data[first:]
        data += extent.read(begin + len(data), begin + len(data) + _AHEAD_BYTES)


def _after_line(data: bytes, start: int) -> int | None:
    """Give the index after the first line end that ends at `start` or later."""
    feed = data.find(b"\n", start)
    stop = feed if feed >= 0 else len(data)
    carriage = data.find(b"\r", start, stop)
    if carriage < 0:
        return None if feed < 0 else feed + 1
    return carriage + 2 if data[carriage + 1 : carriage + 2] == b"\n" else carriage + 1


def split(data: bytes) -> pa.Array:
    """Cut at line feeds and carriage returns, as Hadoop does; each line keeps its end."""
    if data.count(b"\r") != data.count(b"\r\n"):
        return pa.array(data.splitlines(keepends=True), pa.binary())
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == ord("\n")) + 1
    rest = [len(data)] if len(data) > 0 and not data.endswith(b"\n") else []
    offsets = np.concatenate(([0], ends, rest)).astype(np.int32)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(data)]
    return pa.Array.from_buffers(pa.binary(), len(offsets) - 1, buffers)


def _unpacked(extent: Extent) -> Iterator[Lines]:
    if extent.file.size > 0 and extent.read(0, len(MAGIC)) != MAGIC:
        yield Lines(split(b""), _NOT_PACKED)
        return
    packed = gzip.GzipFile(fileobj=io.BufferedReader(_Ranges(extent), _PACKED_BYTES))
    rest = b""
    first = True
    try:
        while chunk := packed.read(BLOCK_BYTES):
            data = rest + chunk
            if first:
                data = data.removeprefix(BYTE_ORDER_MARK)
                first = False
            # A carriage return at the end may be half of a line end.
            cut = max(data.rfind(b"\n"), data.rfind(b"\r", 0, -1)) + 1
            rest = data[cut:]
            if len(rest) > 2 * MAX_LINE_BYTES:
                # It is refused by its beginning. The last byte stays, as it may be a carriage return.
                rest = rest[: 2 * MAX_LINE_BYTES] + rest[-1:]
            yield Lines(split(data[:cut]))
    except (EOFError, OSError, zlib.error) as error:
        # What the network or the disk says is no fault of the file.
        if isinstance(error, OSError) and not isinstance(error, gzip.BadGzipFile):
            raise
        # In the words of the reader in TypeScript.
        told = "it is cut off" if isinstance(error, EOFError) else "its bytes are damaged"
        yield Lines(split(b""), f"the file cannot be unpacked to its end: {told}; upload it again")
        return
    yield Lines(split(rest))


def ranges_of(extent: Extent) -> io.RawIOBase:
    """Give a file as one that is read on and on."""
    return _Ranges(extent)


def extent_of(file: File) -> Extent:
    """Give a whole file as one block."""
    return Extent(Block(file.name, 0), file, file.size)


class _Ranges(io.RawIOBase):
    """A file, read range by range."""

    def __init__(self, extent: Extent) -> None:
        self._extent = extent
        self._at = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._extent.read(self._at, self._at + len(buffer))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)
