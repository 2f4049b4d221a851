"""Runs the SQL that reads a source, which stands in the manifest, over texts. It knows no rule."""

import re
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa

from .blocks import PACKED, Piece, Refusal, Text, pieces_of
from .database import Database
from .manifest import Reading
from .suppression import Forgotten

_BATCH_ROWS = 50_000
"""What is given to Spark at once: it holds a batch in memory several times."""
_REFUSED_ROWS = 1000
_PLACED = "_file, _n, _line, _broken"
_GOOD_LINES = "FROM (FROM _lines UNION ALL BY NAME FROM _read) WHERE _good"
MOST_NOTED = 20_000
"""Of a text of which more lines are odd they are found again as they were found."""
DAMAGED = "its pages are damaged; upload it again"
_REFUSED = ["_file", "_line", "_record", "_reason", "_detail", "_raw", "_bytes"]
_TABLES = {
    "_heads": (
        "file BIGINT, magic VARCHAR, head VARCHAR, whole BOOL, named BOOL, unpacked BOOL, damage VARCHAR"
    ),
    "_headers": "file INTEGER, columns VARCHAR",
    "_piece": "file INTEGER, text BLOB, first BIGINT, broken BIGINT[]",
    "_rest": "file INTEGER, n BIGINT, line VARCHAR, broken BOOL",
    "_counts": "read BIGINT, refused BIGINT, bytes BIGINT, refused_bytes BIGINT, fatal BIGINT",
    "_first": "file VARCHAR, line BIGINT, record BIGINT, reason VARCHAR, detail VARCHAR, fatal BOOL",
}


class Head(NamedTuple):
    """What the beginning of a text says: its shape, with its keys if it may be plain; or a refusal."""

    shape: str | None
    keys: str | None
    has_further: bool
    refusal: Refusal | None


class Refused(NamedTuple):
    """A row of `_first`."""

    file: str
    line: int | None
    record: int | None
    reason: str
    detail: str | None
    is_fatal: bool = False


class Part(NamedTuple):
    """Good records, or refused ones, without those of people who were forgotten."""

    rows: pa.RecordBatch
    filtered: int
    """How many were theirs."""
    refused: Sequence[Text] | None = None
    """The texts that `_file` counts, where the rows are what `judge` gives of refused records."""


class Record(NamedTuple):
    """Where a record stands in a file."""

    first: int
    last: int
    text: str | None
    """What stands there, where it is not all of its lines."""
    is_theirs: bool
    """Whether it is of people who were forgotten."""


class Reader(Database):
    """Reads the texts of a source, one after the other, by one connection."""

    def __init__(
        self,
        reading: Reading,
        columns: Iterable[str],
        forgotten: Forgotten | None = None,
        refined: bool = False,
    ) -> None:
        """Take the SQL, its columns, who was forgotten, and whether values are to be as jobs see them."""
        super().__init__()
        self._select = reading.refined if refined else "*"
        self._reading = reading
        self._columns = list(columns)
        self._has_forgotten = forgotten is not None
        if forgotten is not None:
            self._ready(forgotten, reading.forgotten)

    def heads(self, texts: Sequence[Text]) -> list[Head]:
        """Look at the beginnings of texts, for which each has its head."""
        rows = []
        for i, text in enumerate(texts):
            head, is_whole = text.head, text.size - text.blank <= len(text.head)
            named = text.extent.file.name.endswith(PACKED)
            shown = [head[:16].hex().upper(), self._described(text), is_whole]
            rows.append([i, *shown, named, text.is_unpacked, text.damage])
        self._fill("_heads", rows)
        found = {
            file: Head(shape, keys, has_further, Refusal(*refusal) if refusal[0] else None)
            for file, shape, keys, has_further, *refusal in self._rows(self._reading.heads)
        }
        return [found[i] for i in range(len(texts))]

    def _described(self, text: Text) -> str:
        """Give the beginning of a text, or what says as much."""
        if self._reading.described is None:
            return text.head.decode(errors="replace")
        self._set(_files=[literal(text.path)])
        try:
            ((described,),) = self._rows(self._reading.described)
        except duckdb.Error:
            return ""
        return str(described)

    def read(self, texts: Sequence[Text]) -> Iterator[Part]:
        """Read texts, each the first way that holds for it, and note in each what is to be known of it."""
        plain: dict[Head, list[Text]] = {}
        others: list[tuple[Text, Head]] = []
        for text, head in zip(texts, self.heads(texts), strict=True):
            text.columns = head.keys
            if head.shape == "rows":
                text.rest = None
            if head.refusal and not text.extent.is_cut:
                text.refusal = head.refusal
            elif head.keys is not None:
                plain.setdefault(head, []).append(text)
            else:
                others.append((text, head))
        for head, group in plain.items():
            if self._is_plain(group, head):
                yield from self._good("SELECT * FROM _plain")
            else:
                others += [(text, head) for text in group]
        whole = [text for text, head in others if head.shape == "objects" and not text.extent.is_cut]
        lines = [text for text, _ in others if text not in whole]
        # Lines of large ones may be too long to be looked at.
        large = [text for text in whole if text.size > self._reading.piece_bytes]
        for group in [[text for text in whole if text not in large], *([text] for text in large)]:
            if not group or (yield from self._objects(group)):
                continue
            if self._reading.format == "parquet":
                group[0].refusal = Refusal("UNREADABLE_FILE", DAMAGED, is_fatal=True)
            else:
                lines += group
        yield from self._lines(lines)

    def shown(self, name: str) -> str:
        """Give the name of a file as it may be shown and kept."""
        query = f"SELECT {self._reading.shown_file} FROM (SELECT $1 AS file)"
        # Another query of the same connection would end what is being read from it.
        with closing(self._base.cursor()) as apart:
            ((shown,),) = apart.execute(query, [name]).fetchall()
        return str(shown)

    def verdict(self, counts: Sequence[int], first: Iterable[Refused]) -> str | None:
        """Say why a run that read the source fails, if it does, by rows of `_counts` and `_first`."""
        self._fill("_counts", [list(counts)])
        self._fill("_first", [list(refused) for refused in first])
        ((failure,),) = self._rows(self._reading.verdict)
        return None if failure is None else str(failure)

    def records(self, piece: Piece, columns: str | None) -> Iterator[Record]:
        """Give the records of a piece. `columns`: what `heads` said of them."""
        self._read_lines([piece], [columns])
        self._make("_judged", self._reading.judge, _by="line")
        good = self._judged_rows(
            f"SELECT * EXCLUDE (_line), NULL AS _record, NULL AS _text {_GOOD_LINES} UNION ALL BY NAME"
            " SELECT * EXCLUDE (_line), _line AS _n FROM _judged WHERE _reason IS NULL"
        )
        yield from self._places(f"SELECT *, _n AS _line FROM ({good})")
        # Not only as far as a quarantine would keep it.
        yield from self._places(self._judged_refused("_text"))

    def _places(self, records: str) -> Iterator[Record]:
        # What stands alone on its lines is as it is there, also what is no UTF-8.
        text = "CASE WHEN _record IS NOT NULL THEN _text END"
        query = f"SELECT _line, COALESCE(_last, _line), {text}, _theirs FROM ({records})"
        return (Record(*row) for row in self._rows(query))

    def without(self, text: Text, query: str, to: str) -> tuple[int, int]:
        """Write a text of Parquet without the rows of the forgotten. Give how many go, and how many stay."""
        self._make("_rest", self._reading.numbered, _files=[literal(text.path)])
        self._make("_judged", self._reading.judge, _by="record")
        self._make("_read", f"SELECT * FROM ({self._reading.objects}) WHERE _good")
        good = self._judged_rows(
            "SELECT * FROM _read UNION ALL BY NAME"
            " SELECT * EXCLUDE (_line, _file), _record AS _n FROM _judged WHERE _reason IS NULL"
        )
        self._make("_known", f"SELECT _n AS n, _theirs FROM ({good})")
        refused = self._judged_refused("_text")
        self._base.execute(f"INSERT INTO _known SELECT _record, _theirs FROM ({refused})")
        self._make("_gone", "SELECT n FROM _known WHERE _theirs")
        self._base.execute(f"COPY ({query}) TO '{to}' (FORMAT parquet)")
        ((theirs, others),) = self._rows(
            "SELECT count(*) FILTER (_theirs), count(*) FILTER (NOT _theirs) FROM _known"
        )
        return theirs, others

    def _judged_rows(self, query: str) -> str:
        if not self._has_forgotten:
            return query
        self._base.execute(f"CREATE OR REPLACE TEMP VIEW _landed AS {query}")
        return f"SELECT *, {self._reading.forgotten.rows} AS _theirs FROM _landed t"

    def _judged_refused(self, raw: str) -> str:
        refused = "FROM _judged WHERE _reason IS NOT NULL"
        if not self._has_forgotten:
            return refused
        self._base.execute(
            f"CREATE OR REPLACE TEMP VIEW _refused AS SELECT rowid AS id, {raw} AS raw {refused}"
        )
        return f"SELECT *, rowid IN (SELECT id FROM ({self._reading.forgotten.refused})) AS _theirs {refused}"

    def _is_plain(self, texts: Sequence[Text], head: Head) -> bool:
        reading = self._reading
        plain = reading.further if head.has_further else reading.plain
        marks = [text.marks(reading.counted_mark, reading.other_marks) for text in texts]
        if None in marks or not self._is_made("_plain", plain.rows, texts, _columns=head.keys):
            return False
        ((_, found),) = self._rows(plain.check)
        return bool(found == sum(count or 0 for count in marks))

    def _objects(self, texts: Sequence[Text]) -> Generator[Part, None, bool]:
        """Read texts whole, unless records of them have to be looked for by their lines."""
        if not self._is_made("_read", self._reading.objects, texts):
            return False
        self._make("_unnumbered", "SELECT _line AS line FROM _read WHERE NOT _good")
        is_odd = self._rows("SELECT 1 FROM _unnumbered LIMIT 1") != []
        if is_odd and texts[0].size <= self._reading.piece_bytes:
            return False
        yield from self._good("SELECT * FROM _read WHERE _good")
        if is_odd:
            texts[0].rest = None
            self._make("_rest", self._reading.numbered)
            yield from self._judged(texts, "record")
        return True

    def _is_made(self, table: str, query: str, texts: Sequence[Text], **variables: Any) -> bool:
        """Fill a table with what DuckDB reads of texts. Whether it can read them."""
        files = [literal(text.path) for text in texts]
        try:
            self._make(table, query, _files=files, **variables)
        except duckdb.Error as error:
            # Of a damaged page, the reader of Parquet knows no better name.
            if type(error) not in (duckdb.InvalidInputException, duckdb.IOException, duckdb.Error):
                raise
            return False
        return True

    def again(self, texts: Iterable[Text]) -> Iterator[Part]:
        """Judge the lines of texts that were read before, and noted as their `rest`."""
        for batch in self._batches(texts):
            yield from self._noted_lines(batch)

    def _noted_lines(self, batch: Sequence[tuple[Text, Piece]]) -> Iterator[Part]:
        rows = []
        for file, (text, piece) in enumerate(batch):
            data, broken = piece.text()
            lines = data.removesuffix(b"\n").split(b"\n")
            # Of a line that is too long the beginning may end amid a character.
            odd = set() if piece.skipped else set(broken)
            noted = [piece.first + 1] if piece.skipped else text.rest or ()
            places = [n - piece.first for n in noted if 0 < n - piece.first <= len(lines)]
            # Where a line begins with so many blanks, what stands behind them is no record, and not nothing.
            texts = {
                i: "{" if piece.skipped and not lines[i - 1].strip() else lines[i - 1].decode()
                for i in places
            }
            rows += [[file, piece.first + i, line, i in odd] for i, line in texts.items()]
        self._fill("_rest", rows)
        self._fill("_headers", [[i, text.columns] for i, (text, _) in enumerate(batch)])
        yield from self._judged([text for text, _ in batch], "line", batch[0][1].skipped)

    def _lines(self, texts: Iterable[Text]) -> Iterator[Part]:
        for batch in self._batches(texts):
            text, piece = batch[0]
            if piece.skipped:
                _note(text, piece.first + 1)
                yield from self._noted_lines(batch)
                continue
            self._read_lines([piece for _, piece in batch], [text.columns for text, _ in batch])
            for i, n in self._rows(f"SELECT file, n FROM _rest ORDER BY ALL LIMIT {MOST_NOTED + 1}"):
                _note(batch[i][0], n)
            yield from self._good(_GOOD_LINES)
            yield from self._judged([text for text, _ in batch], "line")

    def _read_lines(self, pieces: Iterable[Piece], columns: Iterable[str | None]) -> None:
        self._fill("_headers", [[i, text] for i, text in enumerate(columns)])
        rows = []
        for i, piece in enumerate(pieces):
            text, broken = piece.text()
            rows.append([i, text, piece.first, broken])
        self._fill("_piece", rows)
        self._make("_lines", self._reading.lines)
        self._make("_others", f"SELECT {_PLACED} FROM _lines WHERE NOT _good")
        self._make("_read", self._reading.careful)
        rest = "_file AS file, _n AS n, _line AS line, _broken AS broken"
        self._make("_rest", f"SELECT {rest} FROM _read WHERE NOT _good")

    def _batches(self, texts: Iterable[Text]) -> Iterator[list[tuple[Text, Piece]]]:
        """Give the pieces of texts, those of small ones together. A line that is too long is alone."""
        size = self._reading.piece_bytes
        batch: list[tuple[Text, Piece]] = []
        room = size
        for text in texts:
            with Path(text.path).open("rb") as opened:
                for piece in pieces_of(opened, size, self._reading.paired_mark):
                    text.lines = piece.first + piece.data.count(b"\n") + (piece.skipped > 0)
                    if batch and room < len(piece.data):
                        yield batch
                        batch, room = [], size
                    batch.append((text, piece))
                    room -= len(piece.data)
        if batch:
            yield batch

    def _judged(self, texts: Sequence[Text], by: str, skipped: int = 0) -> Iterator[Part]:
        if not self._rows("SELECT 1 FROM _rest LIMIT 1"):
            return
        self._make("_judged", self._reading.judge, _by=by)
        yield from self._good("SELECT * FROM _judged WHERE _reason IS NULL")
        refused = self._base.execute(
            f"SELECT * REPLACE (_bytes + {skipped} AS _bytes) FROM ({self._judged_refused('_raw')})"
            " ORDER BY _file, _line, _record, _detail"
        )
        for rows in refused.to_arrow_reader(_REFUSED_ROWS):
            yield Part(*self._kept(rows, _REFUSED), texts)

    def _good(self, query: str) -> Iterator[Part]:
        theirs = ", _theirs" if self._has_forgotten and self._select != "*" else ""
        select = f"SELECT {self._select}{theirs} FROM ({self._judged_rows(query)})"
        for rows in self._base.execute(select).to_arrow_reader(_BATCH_ROWS):
            if rows.num_rows > 0:
                yield Part(*self._kept(rows, self._columns))

    def _kept(self, rows: pa.RecordBatch, columns: Sequence[str]) -> tuple[pa.RecordBatch, int]:
        kept = rows.filter(pa.compute.invert(rows.column("_theirs"))) if self._has_forgotten else rows
        return kept.select(columns), rows.num_rows - kept.num_rows

    def _fill(self, table: str, rows: Sequence[Sequence[Any]]) -> None:
        self._base.execute(f"CREATE OR REPLACE TEMP TABLE {table} ({_TABLES[table]})")
        if rows:
            columns = [pa.array(column) for column in zip(*rows, strict=True)]
            self._base.register("_given", pa.table(columns, names=[str(i) for i in range(len(columns))]))
            self._base.execute(f"INSERT INTO {table} FROM _given")
            self._base.unregister("_given")


def _note(text: Text, number: int) -> None:
    if text.rest is not None:
        text.rest.append(number)


def literal(path: str) -> str:
    """Give a path that DuckDB takes as it is, and not for a pattern."""
    return re.sub(r"([\[*?])", r"[\1]", path)
