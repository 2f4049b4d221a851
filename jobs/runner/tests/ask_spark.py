"""One local Spark for many tests, as tests/support/spark.ts asks it.

It takes the requests that `lakehouse_runner.local` takes, and the cases of a job.
"""

import datetime
import functools
from typing import Any

from lakehouse_runner import local
from lakehouse_runner.quoting import quoted
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

_CASE = "_case"


def answer(spark: SparkSession, request: dict[str, Any], say: local.Tell) -> None:
    """Answer a request as a process of its own would: in a new session, with the request's own warehouse."""
    fresh = spark.newSession()
    fresh.conf.set("spark.sql.catalog.lake.warehouse", request["warehouse"])
    fresh.conf.set("spark.sql.adaptive.enabled", bool(request.get("isAdaptive")))
    if request["kind"] == "cases":
        for rows in run_cases(fresh, request):
            say({"kind": "rows", "rows": rows})
    else:
        local.handle(fresh, request, say)


def run_cases(spark: SparkSession, request: dict[str, Any]) -> list[list[dict[str, Any]] | str]:
    """Give the rows that a job's SQL makes of each case, or what is wrong with it.

    All of them by one query: each takes Spark a second, however few rows it has.
    """
    tables = {name: _types(spark.createDataFrame([], schema)) for name, schema in request["tables"].items()}
    output = _types(spark.createDataFrame([], request["output"]))
    made: list[list[dict[str, Any]] | str] = []
    frames = []
    for i, case in enumerate(request["cases"]):
        try:
            for name, types in tables.items():
                _fill(spark, name, types, case["given"][name])
            frame = spark.sql(request["sql"], args=case["parameters"])
            if _types(frame) != output:
                raise ValueError(f"the columns are {_types(frame)}, by the contract {output}")
            frames.append(frame.select(F.lit(i).alias(_CASE), *map(quoted, output)))
            made.append([])
        except Exception as error:
            made.append(f"{type(error).__name__}: {error}")
    if frames:
        for row in functools.reduce(DataFrame.unionAll, frames).collect():
            values = {name: _text(value) for name, value in row.asDict().items()}
            rows = made[values.pop(_CASE)]
            assert isinstance(rows, list)
            rows.append(values)
    return made


def _fill(spark: SparkSession, table: str, types: dict[str, str], rows: list[dict[str, Any]]) -> None:
    """Make a view of rows, with the types in which a job sees the table; by SQL, which needs no worker."""
    args: dict[str, Any] = {}
    lines = []
    for row in rows or [dict.fromkeys(types)]:
        values = []
        for name, type_ in types.items():
            key = f"v{len(args)}"
            args[key] = row[name]
            values.append(f"CAST(:{key} AS {type_})")
        lines.append(f"({', '.join(values)})")
    names = ", ".join(quoted(name) for name in types)
    text = f"SELECT * FROM VALUES {', '.join(lines)} AS given({names}){'' if rows else ' WHERE false'}"
    spark.sql(text, args=args).createOrReplaceTempView(table)


def _types(frame: DataFrame) -> dict[str, str]:
    return {field.name: field.dataType.simpleString() for field in frame.schema}


def _text(value: object) -> object:
    if isinstance(value, datetime.datetime):
        return value.isoformat(timespec="milliseconds") + "Z"
    return value.isoformat() if isinstance(value, datetime.date) else value


if __name__ == "__main__":
    local.serve(answer)
