"""Reads landing files on Spark's workers: rows of what is good, an account of what is not."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, MutableSequence, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from pyspark import Broadcast
from pyspark.accumulators import Accumulator, AccumulatorParam
from pyspark.sql import DataFrame, SparkSession

from . import files
from .blocks import BLOCK_BYTES, PACKED, Block, Extent, Refusal, Text, extents_of, fetched
from .files import File
from .manifest import Source
from .reader import MOST_NOTED, Part, Reader, Refused
from .suppression import Forgotten

_TASK_BYTES = 32 << 20
_LEAST_BYTES = 1 << 20
"""What a file counts at least where tasks are made: opening one takes as long as reading so much."""
_ASKED_AT_ONCE = 32

QUARANTINE = "file string, line bigint, record bigint, reason string, detail string, raw string"
_QUARANTINE_ARROW = pa.schema(
    [
        (name, pa.int64() if type_ == "bigint" else pa.string())
        for name, type_ in map(str.split, QUARANTINE.split(", "))
    ]
)


@dataclass
class Count:
    """What was found in a block."""

    bytes: int
    lines: int = 0
    """Blank ones too."""
    whole: Refusal | None = None
    """Why its file is refused as a whole."""
    accepted: int = 0
    """Of the first block of a task; those of all its blocks, as they are read together."""
    filtered: int = 0
    """Good and bad ones of those who were forgotten; of the first block of a task too."""
    refused_bytes: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    first: list[Refused] = field(default_factory=list)
    """The first that were refused, with their lines in the block."""
    rest: MutableSequence[int] | None = None
    """The lines in the block to be judged again, where they are known and few."""


class Dirty(NamedTuple):
    """A block of which records are refused."""

    before: int
    """How many lines of the file come before it."""
    rest: MutableSequence[int] | None


Census = dict[Block, Count]


@dataclass
class Account:
    """What became of the records of a source. A file that is refused as a whole counts as one."""

    failure: str | None = None
    """Why the run fails."""
    accepted: int = 0
    filtered: int = 0
    """Records of those who were forgotten; they count nowhere else."""
    bytes: int = 0
    """Of text, but of files that are refused as a whole."""
    refused_bytes: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    whole: dict[str, Refusal] = field(default_factory=dict)
    """The files that are refused as a whole."""
    dirty: dict[Block, Dirty] = field(default_factory=dict)
    """The blocks of which records are refused."""
    first: list[Refused] = field(default_factory=list)

    @property
    def quarantined(self) -> int:
        """How many records and whole files are refused."""
        return self.reasons.total()


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
        self,
        spark: SparkSession,
        source: Source,
        raw: bool = False,
        forgotten: Forgotten | None = None,
        only: Sequence[File] | None = None,
    ) -> None:
        """List the files, or take `only` these. No row is read before it is asked for.

        `raw`: they are as the source writes them.

        What is of those who are forgotten is passed over, be it good or bad.
        """
        self._spark = spark
        self._source = source
        says_whose = any(column.identifies for column in source.columns.values())
        forgotten = forgotten if says_whose else None
        self._forgotten = forgotten
        self.files = files.list_files(source.location) if only is None else only
        cut = _cut(self.files, source)
        self._extents = [extent for f in self.files for extent in extents_of(f, f in cut)]
        self._census: Accumulator[Census] = spark.sparkContext.accumulator({}, _CensusParam())
        self.rows = self._read(
            self._extents,
            _Accept(source, forgotten, self._census, raw),
            source.reading.landed_schema if raw else source.reading.refined_schema,
        )
        """The good records, as a job sees them or raw."""

    def _read(self, extents: Sequence[Extent], read: "_Worker", schema: str) -> DataFrame:
        """Have workers read blocks. Of an RDD Spark knows no size, and so never takes it for small."""
        context = self._spark.sparkContext
        tasks = _tasks(extents, context.defaultParallelism)
        numbers = self._spark.range(0, len(tasks), 1, max(len(tasks), 1)).select("id")._jdf
        read.tasks = context.broadcast(tasks)
        unsized = self._spark._jsparkSession.createDataFrame(numbers.toJavaRDD(), numbers.schema())
        return DataFrame(unsized, self._spark).mapInArrow(read, schema)

    def account(self) -> Account:
        """Say what became of the records, after the rows were used; what no query asked for is read now."""
        if any(extent.block not in self._census.value for extent in self._extents):
            self.rows.write.format("noop").mode("overwrite").save()
        by_file: dict[str, list[tuple[Block, Count]]] = {file.name: [] for file in self.files}
        for block, count in sorted(self._census.value.items(), key=lambda item: item[0]):
            by_file[block.file].append((block, count))
        account = Account()
        for counts in by_file.values():
            _add(account, counts)
        # By what was read: whole files count only where that is fatal.
        refused = account.quarantined
        fatal = sum(refusal.is_fatal for refusal in account.whole.values())
        account.reasons.update(refusal.reason for refusal in account.whole.values())
        with closing(Reader(self._source.reading, self._source.columns)) as reader:
            account.failure = reader.verdict(
                (account.accepted + refused, refused, account.bytes, account.refused_bytes, fatal),
                account.first,
            )
        return account

    def shown(self, names: Iterable[str]) -> list[str]:
        """Give names of files as they may be shown and kept."""
        with closing(Reader(self._source.reading, self._source.columns)) as reader:
            return [reader.shown(name) for name in names]

    def quarantine(self, account: Account) -> DataFrame:
        """Give what was refused, with its place: by a second look at the blocks that have such records.

        Only when all blocks were read is it known with which line each begins.
        """
        extents = [extent for extent in self._extents if extent.block in account.dirty]
        records = self._read(extents, _Refuse(self._source, self._forgotten, account.dirty), QUARANTINE)
        if not account.whole:
            return records
        names = self.shown(account.whole)
        refusals = zip(names, account.whole.values(), strict=True)
        whole = [(name, None, None, r.reason, r.detail, "") for name, r in refusals]
        return records.unionAll(self._spark.createDataFrame(whole, QUARANTINE))


def _cut(listed: Sequence[File], source: Source) -> set[File]:
    """Give the files that can be cut at any line end, by their beginning, and should be."""
    large = [file for file in listed if file.size > BLOCK_BYTES and not file.name.endswith(PACKED)]
    reading = source.reading
    if reading.format != "json" or not large:
        return set()
    cut: set[File] = set()
    with closing(Reader(reading, source.columns)) as reader, ThreadPoolExecutor(_ASKED_AT_ONCE) as pool:
        for start in range(0, len(large), _ASKED_AT_ONCE):
            some = large[start : start + _ASKED_AT_ONCE]
            heads = pool.map(lambda file: files.read_range(file, 0, reading.head_bytes), some)
            texts = [
                Text(extents_of(file, is_cut=False)[0], "", size=file.size, head=head)
                for file, head in zip(some, heads, strict=True)
            ]
            shapes = [head.shape for head in reader.heads(texts)]
            cut.update(f for f, shape in zip(some, shapes, strict=True) if shape == "lines")
    return cut


def _add(account: Account, counts: Iterable[tuple[Block, Count]]) -> None:
    """Add the blocks of a file, in their order."""
    lines = 0
    for block, count in counts:
        account.accepted += count.accepted
        account.filtered += count.filtered
        if count.whole:
            account.whole[block.file] = count.whole
            account.first.append(Refused(block.file, None, None, *count.whole))
            continue
        account.bytes += count.bytes
        account.refused_bytes += count.refused_bytes
        account.reasons.update(count.reasons)
        if count.reasons:
            account.dirty[block] = Dirty(lines, count.rest)
            account.first += [r._replace(line=r.line and r.line + lines) for r in count.first]
        lines += count.lines


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


class _Worker:
    """Reads blocks in a worker."""

    tasks: Broadcast[list[list[Extent]]]
    is_refined = False
    """Whether good values are as jobs see them."""

    def __init__(self, source: Source, forgotten: Forgotten | None) -> None:
        self._source = source
        self._forgotten = forgotten

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Read the blocks of the tasks of which the batches hold the numbers."""
        source = self._source
        columns = (source.reading, source.columns)
        with closing(Reader(*columns, self._forgotten, refined=self.is_refined)) as reader:
            for batch in batches:
                for number in batch.column(0).to_pylist():
                    with fetched(self.tasks.value[number], source.reading.head_bytes) as texts:
                        yield from self.read(texts, reader)

    def read(self, texts: Sequence[Text], reader: Reader) -> Iterator[pa.RecordBatch]:
        """Read the texts of a task."""
        raise NotImplementedError


class _Accept(_Worker):
    """Gives the good records, and counts."""

    def __init__(
        self, source: Source, forgotten: Forgotten | None, census: Accumulator[Census], raw: bool
    ) -> None:
        super().__init__(source, forgotten)
        self._census = census
        self.is_refined = not raw

    def read(self, texts: Sequence[Text], reader: Reader) -> Iterator[pa.RecordBatch]:
        counts = {id(text): Count(text.size) for text in texts}
        for part in reader.read(texts):
            counts[id(texts[0])].filtered += part.filtered
            if part.refused is None:
                counts[id(texts[0])].accepted += part.rows.num_rows
                yield part.rows
                continue
            for text, rows in _by_text(part):
                self._count_refused(rows, counts[id(text)], text.extent.block.file)
        for text in texts:
            count = counts[id(text)]
            count.lines, count.whole = text.lines, text.refusal
            count.rest = text.rest if text.rest is not None and len(text.rest) <= MOST_NOTED else None
        self._census.add({text.extent.block: counts[id(text)] for text in texts})

    def _count_refused(self, refused: pa.RecordBatch, count: Count, file: str) -> None:
        count.reasons.update(refused.column("_reason").to_pylist())
        count.refused_bytes += pc.sum(refused.column("_bytes")).as_py() or 0
        room = self._source.reading.first_count - len(count.first)
        for row in refused.slice(0, room).to_pylist():
            place = (row["_line"], row["_record"], row["_reason"], row["_detail"])
            count.first.append(Refused(file, *place))


class _Refuse(_Worker):
    """Gives the refused records."""

    def __init__(self, source: Source, forgotten: Forgotten | None, dirty: Mapping[Block, Dirty]) -> None:
        super().__init__(source, forgotten)
        self._dirty = dirty

    def read(self, texts: Sequence[Text], reader: Reader) -> Iterator[pa.RecordBatch]:
        for text in texts:
            text.rest = self._dirty[text.extent.block].rest
        unnoted = [text for text in texts if text.rest is None]
        noted = [text for text in texts if text.rest is not None]
        for part in chain(reader.again(noted), reader.read(unnoted)):
            for text, rows in _by_text(part):
                block = text.extent.block
                columns = [pa.array([reader.shown(block.file)] * rows.num_rows, pa.string())]
                columns.append(pc.add(rows.column("_line"), self._dirty[block].before))
                columns += [rows.column(name) for name in ("_record", "_reason", "_detail", "_raw")]
                yield pa.RecordBatch.from_arrays(columns, schema=_QUARANTINE_ARROW)


def _by_text(part: Part) -> Iterator[tuple[Text, pa.RecordBatch]]:
    """Give refused records, text by text."""
    for i, text in enumerate(part.refused or ()):
        rows = part.rows.filter(pc.equal(part.rows.column("_file"), i))
        if rows.num_rows > 0:
            yield text, rows
