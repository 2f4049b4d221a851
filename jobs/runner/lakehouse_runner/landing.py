"""Reads landing files by contract, in one pass: rows of what is good, an account of what is not."""

import gzip
import io
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import pyarrow as pa
from pyspark.accumulators import Accumulator, AccumulatorParam
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from . import files
from .lines import MAX_LINE_BYTES, LineJudge, Refusal, raw_of
from .manifest import Column, Source
from .plain import PlainReader
from .types import spark_schema

SPLIT_BYTES = 32 << 20
_BATCH_LINES = 20_000

SETTINGS = {
    # Files are split by this size and nothing else, so that a second look at some of them finds the same blocks.
    "spark.sql.files.maxPartitionBytes": str(SPLIT_BYTES),
    "spark.sql.files.minPartitionNum": "1",
    # More at once is hardly faster, and a batch is held in memory several times.
    "spark.sql.execution.arrow.maxRecordsPerBatch": str(_BATCH_LINES),
}
"""What Spark needs to be set to where landing files are read."""

QUARANTINE = "file string, line bigint, reason string, detail string, raw string"
_QUARANTINE_ARROW = pa.schema(
    [
        ("file", pa.string()),
        ("line", pa.int64()),
        ("reason", pa.string()),
        ("detail", pa.string()),
        ("raw", pa.string()),
    ]
)

_PACKED = ".gz"
_MAGIC = b"\x1f\x8b"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_ABOUT_VALUES = {"DUPLICATE_KEY", "MISSING_REQUIRED", "WRONG_TYPE", "OUT_OF_RANGE"}
"""Where an object could be read, what the file as a whole looks like explains nothing."""


class Block(NamedTuple):
    """A part of a file that is read at once."""

    file: str
    """From the folder of the source."""
    start: int
    """Bytes from the beginning of the file."""


@dataclass
class Count:
    """What was found in a block."""

    lines: int = 0
    """Blank ones too."""
    accepted: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    damage: str | None = None
    """Why the whole file cannot be read."""


Census = dict[Block, Count]
Batches = Iterator[pa.RecordBatch]


@dataclass(frozen=True)
class Account:
    """What became of the lines of a source. A file that is refused as a whole counts as one."""

    accepted: int
    reasons: Mapping[str, int]
    whole: Mapping[str, Refusal]
    """The files that are refused as a whole."""
    dirty: tuple[str, ...]
    """The files of which lines are refused."""
    first_lines: Mapping[Block, int]
    """The number of the first line of each block of the dirty files, from 1."""

    @property
    def quarantined(self) -> int:
        """How many lines and whole files are refused."""
        return sum(self.reasons.values())


class _CensusParam(AccumulatorParam[Census]):
    """Merges by block: one that is read again, as its executor was lost, counts once."""

    def zero(self, value: Census) -> Census:
        return {}

    def addInPlace(self, value1: Census, value2: Census) -> Census:  # noqa: N802
        value1.update(value2)
        return value1


class Landing:
    """The landing files of a source, as they are when this is made."""

    def __init__(self, spark: SparkSession, source: Source) -> None:
        """List the files. Nothing is read before its rows are."""
        self._spark = spark
        self._source = source
        self._files = files.list_files(spark, source.location)
        self._census: Accumulator[Census] = spark.sparkContext.accumulator({}, _CensusParam())
        self.rows = self._read(
            self._files, _Accept(source.columns, self._census), spark_schema(source.columns)
        )
        """The good records, as a job sees them."""

    def _read(self, found: list[files.File], read: "_Reader", schema: str) -> DataFrame:
        """Read the files: those that Spark splits into lines, and the packed ones, each in one task."""
        packed = [file.pattern for file in found if file.name.endswith(_PACKED)]
        plain = [file.pattern for file in found if not file.name.endswith(_PACKED)]
        if not found:
            return self._spark.createDataFrame([], schema)
        root = len(found[0].path) - len(found[0].name)
        name = F.substring(F.col("_metadata.file_path"), root + 1, 1 << 20).alias("file")
        start = F.col("_metadata.file_block_start").alias("start")
        line = F.col("value").cast("binary").alias("line")
        parts = []
        if plain:
            # One listing of the folder costs less than a look at each of many files.
            paths = self._source.location if len(plain) == len(self._files) else plain
            text = self._spark.read.option("recursiveFileLookup", True).text(paths)
            parts.append(text.select(name, start, line).mapInArrow(read.lines, schema))
        if packed:
            binary = self._spark.read.format("binaryFile").load(packed)
            parts.append(binary.select(name, "content").mapInArrow(read.packed, schema))
        return parts[0] if len(parts) == 1 else parts[0].unionAll(parts[1])

    def account(self) -> Account:
        """Tell what became of the lines. Whoever calls has used all rows; what no query asked for is read now."""
        census = self._census.value
        if any(file.size > 0 and Block(file.name, 0) not in census for file in self._files):
            self.rows.write.format("noop").mode("overwrite").save()
            census = self._census.value
        by_file: dict[str, dict[int, Count]] = {file.name: {} for file in self._files}
        for block, count in census.items():
            by_file[block.file][block.start] = count
        accepted = 0
        reasons: dict[str, int] = {}
        whole: dict[str, Refusal] = {}
        first_lines: dict[Block, int] = {}
        dirty = []
        for name, counts in by_file.items():
            refused = _whole(counts.values())
            if refused:
                whole[name] = refused
                reasons[refused.reason] = reasons.get(refused.reason, 0) + 1
                continue
            accepted += sum(count.accepted for count in counts.values())
            for count in counts.values():
                for reason, times in count.reasons.items():
                    reasons[reason] = reasons.get(reason, 0) + times
            if any(count.reasons for count in counts.values()):
                dirty.append(name)
                line = 1
                for start, count in sorted(counts.items()):
                    first_lines[Block(name, start)] = line
                    line += count.lines
        return Account(accepted, reasons, whole, tuple(dirty), first_lines)

    def quarantine(self, account: Account) -> DataFrame:
        """Give what was refused, with its place: a second look at the files that have such lines, and no other."""
        dirty = set(account.dirty)
        found = [file for file in self._files if file.name in dirty]
        refuse = _Refuse(self._source.columns, account.first_lines)
        whole = [(name, 0, *refusal, "") for name, refusal in account.whole.items()]
        lines = self._read(found, refuse, QUARANTINE)
        return lines.unionAll(self._spark.createDataFrame(whole, QUARANTINE)) if whole else lines


def _whole(counts: Iterable[Count]) -> Refusal | None:
    seen = False
    for count in counts:
        if count.damage:
            return Refusal("UNREADABLE_FILE", count.damage)
        seen = seen or count.accepted > 0 or len(count.reasons) > 0
    return None if seen else Refusal("EMPTY_FILE", "the file holds no line")


class _Reader:
    """Reads lines in a worker: blocks of them, each with what it is about."""

    def __init__(self, columns: Mapping[str, Column]) -> None:
        self._columns = columns

    def lines(self, batches: Batches) -> Batches:
        """Read batches of file, start, line. The lines of a block follow each other."""
        return self._read(_blocks(batches))

    def packed(self, batches: Batches) -> Batches:
        """Read batches of file, content."""
        return self._read(_unpacked(batches))

    def _read(self, parts: "Iterator[_Part]") -> Batches:
        raise NotImplementedError


@dataclass(frozen=True)
class _Part:
    """Some lines of a block, in their order."""

    block: Block
    lines: pa.Array
    damage: str | None = None


class _Accept(_Reader):
    """Gives the good records, and counts."""

    def __init__(self, columns: Mapping[str, Column], census: Accumulator[Census]) -> None:
        super().__init__(columns)
        self._census = census

    def _read(self, parts: Iterator[_Part]) -> Batches:
        plain = PlainReader(self._columns)
        judge = LineJudge(self._columns)
        census: Census = {}
        for part in parts:
            count = census.setdefault(part.block, Count())
            count.damage = count.damage or part.damage
            count.lines += len(part.lines)
            rows, others = plain.read(part.lines)
            count.accepted += rows.num_rows
            yield rows
            records = []
            for index in others:
                verdict = judge.judge(part.lines[index].as_py())
                if isinstance(verdict, Refusal):
                    count.reasons[verdict.reason] = count.reasons.get(verdict.reason, 0) + 1
                elif verdict is not None:
                    records.append(verdict)
            count.accepted += len(records)
            if records:
                yield plain.rows(records)
        self._census.add(census)


class _Refuse(_Reader):
    """Gives the refused lines."""

    def __init__(self, columns: Mapping[str, Column], first_lines: Mapping[Block, int]) -> None:
        super().__init__(columns)
        self._first_lines = first_lines

    def _read(self, parts: Iterator[_Part]) -> Batches:
        plain = PlainReader(self._columns)
        judge = LineJudge(self._columns)
        block: Block | None = None
        hint: str | None = None
        line = 0
        for part in parts:
            if part.block != block:
                block = part.block
                line = self._first_lines[block]
                hint = _hint(part.lines) if block.start == 0 else None
            refused: list[tuple[str, int, str, str, str]] = []
            _, others = plain.read(part.lines)
            for index in others:
                raw = part.lines[index].as_py()
                verdict = judge.judge(raw)
                if isinstance(verdict, Refusal):
                    said = (
                        f"{verdict.detail} ({hint})"
                        if hint and verdict.reason not in _ABOUT_VALUES
                        else verdict.detail
                    )
                    refused.append((block.file, line + index, verdict.reason, said, raw_of(raw)))
            line += len(part.lines)
            if refused:
                columns = [
                    pa.array(column, field.type)
                    for column, field in zip(zip(*refused, strict=True), _QUARANTINE_ARROW, strict=True)
                ]
                yield pa.RecordBatch.from_arrays(columns, schema=_QUARANTINE_ARROW)


def _blocks(batches: Batches) -> Iterator[_Part]:
    packed: Block | None = None
    block: Block | None = None
    for batch in batches:
        names, starts, lines = batch.columns
        at = 0
        while at < len(lines):
            end = _same(names, starts, at)
            # A copy: some of Arrow's functions (if_else of pyarrow 17) give wrong values of what is a slice.
            part = pa.concat_arrays([lines.slice(at, end - at)])
            found = Block(names[at].as_py(), starts[at].as_py())
            if found != block:
                block = found
                if found.start == 0 and part[0].as_py().startswith(_MAGIC):
                    packed = found
            if found == packed:
                yield _Part(found, part.slice(0, 0), _NOT_NAMED)
            else:
                yield _Part(found, part)
            at = end


_NOT_NAMED = "packed with gzip, but its name does not end in .gz, by which Spark and Athena tell; rename it"


def _same(names: pa.Array, starts: pa.Array, at: int) -> int:
    """Find where the block that begins at `at` ends: at the end of the batch nearly always, so it looks there first."""
    low, high = at, len(names) - 1
    key = (names[at], starts[at])
    if (names[high], starts[high]) == key:
        return len(names)
    while low + 1 < high:
        middle = (low + high) // 2
        if (names[middle], starts[middle]) == key:
            low = middle
        else:
            high = middle
    return high


def _unpacked(batches: Batches) -> Iterator[_Part]:
    for batch in batches:
        for name, content in zip(*batch.columns, strict=True):
            block = Block(name.as_py(), 0)
            lines: list[bytes] = []
            try:
                for line in _lines_of(gzip.GzipFile(fileobj=pa.BufferReader(content.as_buffer()))):
                    lines.append(line)
                    if len(lines) == _BATCH_LINES:
                        yield _Part(block, pa.array(lines, pa.binary()))
                        lines = []
            except (EOFError, OSError, zlib.error) as error:
                yield _Part(block, pa.array([], pa.binary()), _damage(error))
                continue
            yield _Part(block, pa.array(lines, pa.binary()))


def _damage(error: Exception) -> str:
    return f"the file cannot be unpacked to its end: {type(error).__name__}; upload it again"


def _lines_of(stream: io.BufferedIOBase) -> Iterator[bytes]:
    """Split as Hadoop does, at line feeds and carriage returns, without the byte-order mark of the file."""
    rest = b""
    first = True
    while chunk := stream.read(1 << 20):
        data = rest + chunk
        if first:
            data = data.removeprefix(_BYTE_ORDER_MARK)
            first = False
        lines = data.splitlines(keepends=True)
        # A carriage return at the end may be half of a line end.
        rest = lines.pop() if not data.endswith(b"\n") else b""
        # What is too long already is refused by its beginning.
        rest = rest[: 2 * MAX_LINE_BYTES] if not rest.endswith(b"\r") else rest
        for line in lines:
            yield line.rstrip(b"\r\n") if line.endswith(b"\r\n") else line[:-1]
    if rest:
        yield rest.removesuffix(b"\r")


def _hint(lines: pa.Array) -> str | None:
    """Tell what the file as a whole looks like, where that explains why its lines are refused."""
    head = b"".join(line.as_py()[:512] + b"\n" for line in lines.slice(0, 512))[:512].decode("latin-1")
    text = head.lstrip()
    for pattern, hint in _HINTS:
        if pattern.search(text):
            return hint
    return None


_JSON_LINES = "landing takes JSON lines"
_HINTS = [
    (re.compile(r"^(?:\xff\xfe|\xfe\xff|\{\0|\0\{)"), "the file is UTF-16; landing takes UTF-8"),
    (
        re.compile(r"^\{\s*[\r\n]"),
        "the file spreads an object over several lines; write one object a line",
    ),
    (re.compile(r"^(?:\{|\Z)"), None),
    (re.compile(r"^PAR1"), f"the file is Parquet; {_JSON_LINES}"),
    (re.compile(r"[\x00-\x08\x0e-\x1f]"), f"the file is binary; {_JSON_LINES}"),
    (re.compile(r"^\["), "the file is a JSON array; write one object a line"),
    (re.compile(r"^<"), f"the file is XML or HTML; {_JSON_LINES}"),
    (re.compile(r"^[^\n{]*[,;\t][^\n{]*\n"), f"the file looks like CSV; {_JSON_LINES}"),
]
