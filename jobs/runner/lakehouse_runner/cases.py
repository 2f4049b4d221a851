"""The cases of a job: what its SQL makes of rows that are given."""

import datetime
import decimal
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from .quoting import quoted


def run_case(
    spark: SparkSession, request: dict[str, Any], case: dict[str, Any]
) -> list[dict[str, Any]] | str:
    """Give the rows that a job's SQL makes of a case, or what is wrong with it."""
    try:
        for table, schema in request["tables"].items():
            _fill(spark, table, schema, case["given"][table])
        made = spark.sql(request["sql"], args=case["parameters"])
        found, wanted = _types(made), _types(spark.createDataFrame([], request["output"]))
        if found != wanted:
            return f"the columns are {found}, by the contract {wanted}"
        rows = made.select([quoted(name) for name in wanted]).collect()
        return [{name: _text(value) for name, value in row.asDict().items()} for row in rows]
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def _fill(spark: SparkSession, table: str, schema: str, rows: list[dict[str, Any]]) -> None:
    """Make a view of rows, with the types in which a job sees the table; by SQL, which needs no worker."""
    types = _types(spark.createDataFrame([], schema))
    args: dict[str, Any] = {}
    selects = []
    for row in rows or [dict.fromkeys(types)]:
        values = []
        for name, type_ in types.items():
            key = f"v{len(args)}"
            args[key] = row[name]
            values.append(f"CAST(:{key} AS {type_}) AS {quoted(name)}")
        selects.append(f"SELECT {', '.join(values)}{'' if rows else ' WHERE false'}")
    spark.sql(" UNION ALL ".join(selects), args=args).createOrReplaceTempView(table)


def _types(frame: DataFrame) -> dict[str, str]:
    return {field.name: field.dataType.simpleString() for field in frame.schema}


def _text(value: object) -> object:
    if isinstance(value, datetime.datetime):
        return value.isoformat(timespec="milliseconds") + "Z"
    if isinstance(value, decimal.Decimal):
        return float(value)
    return value.isoformat() if isinstance(value, datetime.date) else value
