"""Judges lines for tests/readers-agree.test.ts: a request is a line on stdin, its answer one on stdout."""

import base64
import json
import sys
from pathlib import Path
from typing import TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

sys.path.insert(0, str(Path(__file__).parents[1]))

from lakehouse_runner.lines import LineJudge, Record, Refusal, raw_of
from lakehouse_runner.manifest import Column
from lakehouse_runner.plain import PlainReader

Answer: TypeAlias = dict[str, object]


def _answers(columns: dict[str, Column], lines: list[bytes]) -> list[Answer]:
    judge, plain = LineJudge(columns), PlainReader(columns)
    verdicts = [judge.judge(line) for line in lines]
    rows, others = plain.read(pa.array(lines, pa.binary()))
    odd = set(others)
    plain_rows = iter(_values(rows))
    answers = []
    for i, (line, verdict) in enumerate(zip(lines, verdicts, strict=True)):
        row = None if i in odd else next(plain_rows)
        answers.append(_answer(plain, line, verdict, row))
    return answers


def _answer(plain: PlainReader, line: bytes, verdict: Record | Refusal | None, row: object) -> Answer:
    """Tell what `LineJudge` says of a line, and the row of the plain reader, if it takes the line."""
    if verdict is None:
        return {"blank": True, "plain": row}
    if isinstance(verdict, Refusal):
        return {"reason": verdict.reason, "detail": verdict.detail, "raw": raw_of(line), "plain": row}
    return {"values": verdict, "row": _values(plain.rows([verdict]))[0], "plain": row}


def _values(rows: pa.RecordBatch) -> list[list[object]]:
    """Rows with microseconds and days as numbers."""
    columns = [_numbers(column).to_pylist() for column in rows.columns]
    return [list(row) for row in zip(*columns, strict=True)]


def _numbers(column: pa.Array) -> pa.Array:
    if pa.types.is_timestamp(column.type):
        # More digits than JavaScript keeps.
        return pc.cast(column.cast(pa.int64()), pa.string())
    return column.cast(pa.int32()) if pa.types.is_date32(column.type) else column


def main() -> None:
    """Answer until stdin ends."""
    for request in map(json.loads, sys.stdin):
        columns = {
            name: Column(**{**column, "aliases": tuple(column["aliases"])})
            for name, column in request["columns"].items()
        }
        lines = [base64.b64decode(line) for line in request["lines"]]
        sys.stdout.write(json.dumps(_answers(columns, lines)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
