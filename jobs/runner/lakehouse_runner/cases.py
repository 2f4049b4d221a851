"""The cases of a job: what its code makes of rows that are given."""

import datetime
import decimal
import functools
from collections.abc import Iterable
from typing import Any

from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from .errors import JobError
from .job import place_in, transformed
from .quoting import quoted

_CASE = "_case"


def run_cases(spark: SparkSession, request: dict[str, Any]) -> list[list[dict[str, Any]] | str]:
    """Give the rows that a job's code makes of each case, or what is wrong with it."""
    tables = {name: _types(spark.createDataFrame([], schema)) for name, schema in request["tables"].items()}
    output = _types(spark.createDataFrame([], request["output"]))
    made: list[list[dict[str, Any]] | str] = [[] for _ in request["cases"]]
    frames: dict[int, DataFrame] = {}
    for i, case in enumerate(request["cases"]):
        try:
            for table, types in tables.items():
                _fill(spark, table, types, case["given"][table])
            if request["language"] == "python":
                frame = transformed(
                    spark, request["job"], request["code"], [*tables], case["parameters"], request["output"]
                )
            else:
                frame = spark.sql(request["code"], args=case["parameters"])
            if _types(frame) == output:
                frames[i] = frame.select(F.lit(i).alias(_CASE), *map(quoted, output))
            else:
                made[i] = f"the columns are {_types(frame)}, by the contract {output}"
        except Exception as error:
            made[i] = _told(error, request["job"])
    try:
        # Each query takes Spark about a second, however few rows it has.
        rows = functools.reduce(DataFrame.unionAll, frames.values()).collect() if frames else []
        for i in frames:
            made[i] = _texts(row for row in rows if row[_CASE] == i)
    except Exception:
        # Each is asked on its own then, and that one is told.
        for i, frame in frames.items():
            try:
                made[i] = _texts(frame.collect())
            except Exception as error:
                made[i] = _told(error, request["job"])
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
    names = ", ".join(map(quoted, types))
    text = f"SELECT * FROM VALUES {', '.join(lines)} AS given({names}){'' if rows else ' WHERE false'}"
    spark.sql(text, args=args).createOrReplaceTempView(table)


def _types(frame: DataFrame) -> dict[str, str]:
    return {field.name: field.dataType.simpleString() for field in frame.schema}


def _texts(rows: Iterable[Row]) -> list[dict[str, Any]]:
    return [{name: _text(value) for name, value in row.asDict().items() if name != _CASE} for row in rows]


def _told(error: Exception, job: str) -> str:
    """Say what went wrong. Cases hold nobody's data, so errors are as they come."""
    place = place_in(error, job)
    said = str(error) if isinstance(error, JobError) else f"{type(error).__name__}: {error}"
    return f"{place}: {said}" if place else said


def _text(value: object) -> object:
    if isinstance(value, datetime.datetime):
        return value.isoformat(timespec="milliseconds") + "Z"
    if isinstance(value, decimal.Decimal):
        return float(value)
    return value.isoformat() if isinstance(value, datetime.date) else value
