"""Reads landing files by contract, in one pass: rows of what is good, an account of what is not."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from pyspark.accumulators import Accumulator, AccumulatorParam
from pyspark.broadcast import Broadcast
from pyspark.sql import DataFrame, SparkSession

from . import files
from .blocks import Block, Extent, extents_of, read_lines, without_end
from .lines import LineJudge, Refusal, raw_of
from .manifest import Column, Source
from .plain import PlainReader
from .sql_types import spark_schema
from .suppression import Forgotten

_TASK_BYTES = 32 << 20
_LEAST_BYTES = 1 << 20
"""What a file counts at least where tasks are made: opening one takes as long as reading so much."""
_BATCH_ROWS = 100_000
"""What is given to Spark at once: it holds a batch in memory several times."""

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
_ABOUT_VALUES = {"DUPLICATE_KEY", "MISSING_REQUIRED", "WRONG_TYPE", "OUT_OF_RANGE"}
"""Where an object could be read, what the file as a whole looks like explains nothing."""


@dataclass
class Count:
    """What was found in a block."""

    lines: int = 0
    """Blank ones too."""
    accepted: int = 0
    filtered: int = 0
    """Good and bad ones of those who were forgotten; no other number counts them but that of the lines."""
    reasons: dict[str, int] = field(default_factory=dict)
    damage: str | None = None
    """Why the whole file cannot be read."""


Census = dict[Block, Count]


@dataclass(frozen=True)
class Account:
    """What became of the lines of a source. A file that is refused as a whole counts as one."""

    accepted: int
    reasons: Mapping[str, int]
    whole: Mapping[str, Refusal]
    """The files that are refused as a whole."""
    filtered: int
    """Lines of those who were forgotten; they count nowhere else."""
    dirty: Mapping[Block, int]
    """The blocks of which lines are refused, each with the number of its first line, from 1."""

    @property
    def quarantined(self) -> int:
        """How many lines and whole files are refused."""
        return sum(self.reasons.values())


class _CensusParam(AccumulatorParam[Census]):
    """Merges by block: one that is read again, as its executor was lost, counts once."""

    def zero(self, value: Census) -> Census:
        return {}

    def addInPlace(self, value1: Census, value2: Census) -> Census:
        value1.update(value2)
        return value1


class Landing:
    """The landing files of a source that are there when this is made."""

    def __init__(
        self, spark: SparkSession, source: Source, raw: bool = False, forgotten: Forgotten | None = None
    ) -> None:
        """List the files. Nothing is read before its rows are; `raw`: they are as the source writes them.

        What is of those who are forgotten is passed over, be it good or bad.
        """
        self._spark = spark
        self._source = source
        self._forgotten = forgotten
        self.files = files.list_files(source.location)
        """All of them."""
        self._extents = [e for f in self.files for e in extents_of(f)]
        self._census: Accumulator[Census] = spark.sparkContext.accumulator({}, _CensusParam())
        self.rows = self._read(
            self._extents,
            _Accept(source.columns, forgotten, self._census, refined=not raw),
            spark_schema(source.columns, refined=not raw),
        )
        """The good records, as a job sees them or raw."""

    def _read(self, extents: Sequence[Extent], read: "_Reader", schema: str) -> DataFrame:
        """Have workers read blocks. Of an RDD Spark knows no size, and so never takes it for small."""
        context = self._spark.sparkContext
        tasks = _tasks(extents, context.defaultParallelism)
        numbers = self._spark.range(0, len(tasks), 1, max(len(tasks), 1)).select("id")._jdf
        read.tasks = context.broadcast(tasks)
        unsized = self._spark._jsparkSession.createDataFrame(numbers.toJavaRDD(), numbers.schema())
        return DataFrame(unsized, self._spark).mapInArrow(read, schema)

    def account(self) -> Account:
        """Tell what became of the lines, after the rows were used; what no query asked for is read now."""
        if any(extent.block not in self._census.value for extent in self._extents):
            self.rows.write.format("noop").mode("overwrite").save()
        by_file: dict[str, dict[int, Count]] = {file.name: {} for file in self.files}
        for block, count in self._census.value.items():
            by_file[block.file][block.start] = count
        accepted = 0
        filtered = 0
        reasons: dict[str, int] = {}
        whole: dict[str, Refusal] = {}
        dirty: dict[Block, int] = {}
        for name, counts in by_file.items():
            refused = _whole(counts.values())
            if refused:
                whole[name] = refused
                reasons[refused.reason] = reasons.get(refused.reason, 0) + 1
                continue
            line = 1
            for start, count in sorted(counts.items()):
                accepted += count.accepted
                filtered += count.filtered
                for reason, times in count.reasons.items():
                    reasons[reason] = reasons.get(reason, 0) + times
                if count.reasons:
                    dirty[Block(name, start)] = line
                line += count.lines
        return Account(accepted, reasons, whole, filtered, dirty)

    def quarantine(self, account: Account) -> DataFrame:
        """Give what was refused, with its place: by a second look at the blocks that have such lines.

        Only when all blocks were read is it known with which line each begins.
        """
        extents = [extent for extent in self._extents if extent.block in account.dirty]
        lines = self._read(extents, _Refuse(self._source.columns, self._forgotten, account.dirty), QUARANTINE)
        whole = [(name, 0, *refusal, "") for name, refusal in account.whole.items()]
        return lines.unionAll(self._spark.createDataFrame(whole, QUARANTINE)) if whole else lines


def _tasks(extents: Sequence[Extent], parallelism: int) -> list[list[Extent]]:
    """Put blocks together to tasks of about a size, as many as there are cores if there is enough to read."""
    sizes = [max(extent.end - extent.block.start, _LEAST_BYTES) for extent in extents]
    limit = min(_TASK_BYTES, max(sum(sizes) // parallelism, _LEAST_BYTES))
    tasks: list[list[Extent]] = []
    room = 0
    for extent, size in zip(extents, sizes, strict=True):
        if room < size or not tasks:
            tasks.append([])
            room = limit
        tasks[-1].append(extent)
        room -= size
    return tasks


def _whole(counts: Iterable[Count]) -> Refusal | None:
    seen = False
    for count in counts:
        if count.damage:
            return Refusal("UNREADABLE_FILE", count.damage)
        seen = seen or count.accepted + count.filtered > 0 or len(count.reasons) > 0
    return None if seen else Refusal("EMPTY_FILE", "the file holds no line")


class _Reader:
    """Reads blocks in a worker."""

    tasks: Broadcast[list[list[Extent]]]

    def __init__(
        self, columns: Mapping[str, Column], forgotten: Forgotten | None, refined: bool = True
    ) -> None:
        self._columns = columns
        self._forgotten = forgotten
        self._refined = refined

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Read the blocks of the tasks of which the batches hold the numbers."""
        plain = PlainReader(self._columns, self._refined)
        judge = LineJudge(self._columns)
        for batch in batches:
            for number in batch.column(0).to_pylist():
                for extent in self.tasks.value[number]:
                    for given in self.read(extent, plain, judge):
                        for start in range(0, given.num_rows, _BATCH_ROWS):
                            yield given.slice(start, _BATCH_ROWS)

    def read(self, extent: Extent, plain: PlainReader, judge: LineJudge) -> Iterator[pa.RecordBatch]:
        """Read a block."""
        raise NotImplementedError

    def is_forgotten(self, line: bytes) -> bool:
        """Whether a refused line is of somebody who was forgotten."""
        return self._forgotten is not None and self._forgotten.line(raw_of(line))


class _Accept(_Reader):
    """Gives the good records, and counts."""

    def __init__(
        self,
        columns: Mapping[str, Column],
        forgotten: Forgotten | None,
        census: Accumulator[Census],
        refined: bool,
    ) -> None:
        super().__init__(columns, forgotten, refined)
        self._census = census

    def read(self, extent: Extent, plain: PlainReader, judge: LineJudge) -> Iterator[pa.RecordBatch]:
        count = Count()
        for part in read_lines(extent):
            count.damage = count.damage or part.damage
            count.lines += len(part.lines)
            rows, others = plain.read(part.lines)
            yield self._counted(rows, count)
            records = []
            for index in others:
                line = without_end(part.lines[index].as_py())
                verdict = judge.judge(line)
                if not isinstance(verdict, Refusal):
                    if verdict is not None:
                        records.append(verdict)
                elif self.is_forgotten(line):
                    count.filtered += 1
                else:
                    count.reasons[verdict.reason] = count.reasons.get(verdict.reason, 0) + 1
            if records:
                yield self._counted(plain.rows(records), count)
        self._census.add({extent.block: count})

    def _counted(self, rows: pa.RecordBatch, count: Count) -> pa.RecordBatch:
        """Give the rows of those who were not forgotten."""
        theirs = None if self._forgotten is None else self._forgotten.rows(rows, self._columns)
        kept = rows if theirs is None else rows.filter(pa.array(np.logical_not(theirs)))
        count.accepted += kept.num_rows
        count.filtered += rows.num_rows - kept.num_rows
        return kept


class _Refuse(_Reader):
    """Gives the refused lines."""

    def __init__(
        self, columns: Mapping[str, Column], forgotten: Forgotten | None, first_lines: Mapping[Block, int]
    ) -> None:
        super().__init__(columns, forgotten)
        self._first_lines = first_lines

    def read(self, extent: Extent, plain: PlainReader, judge: LineJudge) -> Iterator[pa.RecordBatch]:
        line = self._first_lines[extent.block]
        hint: str | None = None
        for part in read_lines(extent):
            if extent.block.start == 0 and line == 1:
                hint = _hint(part.lines)
            refused: list[tuple[str, int, str, str, str]] = []
            _, others = plain.read(part.lines)
            for index in others:
                raw = without_end(part.lines[index].as_py())
                verdict = judge.judge(raw)
                if isinstance(verdict, Refusal) and not self.is_forgotten(raw):
                    explained = hint and verdict.reason not in _ABOUT_VALUES
                    detail = f"{verdict.detail} ({hint})" if explained else verdict.detail
                    refused.append((extent.block.file, line + index, verdict.reason, detail, raw_of(raw)))
            line += len(part.lines)
            if refused:
                columns = [
                    pa.array(column, field.type)
                    for column, field in zip(zip(*refused, strict=True), _QUARANTINE_ARROW, strict=True)
                ]
                yield pa.RecordBatch.from_arrays(columns, schema=_QUARANTINE_ARROW)


def _hint(lines: pa.Array) -> str | None:
    """Tell what the file as a whole looks like, where that explains why its lines are refused."""
    head = b"".join(line.as_py()[:512] for line in lines.slice(0, 512))[:512].decode("latin-1")
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
