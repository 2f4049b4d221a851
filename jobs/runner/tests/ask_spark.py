"""One local Spark for many tests, as tests/support/spark.ts asks it."""

from typing import Any

from lakehouse_runner import local
from pyspark.sql import SparkSession


def answer(spark: SparkSession, request: dict[str, Any], say: local.Tell) -> None:
    """Answer a request as a process of its own would: in a new session, with the request's own warehouse."""
    fresh = spark.newSession()
    fresh.conf.set("spark.sql.catalog.lake.warehouse", request["warehouse"])
    fresh.conf.set("spark.sql.adaptive.enabled", bool(request.get("isAdaptive")))
    if request["kind"] == "others":
        # What only somebody else does to the lake's tables.
        fresh.sql(request["sql"])
        return
    local.handle(fresh, request, say)


if __name__ == "__main__":
    # Code for hours of use is worth nothing to tests: a fifth of their time goes by making it. Of the other
    # Java keeps 48 MB, and makes what it has thrown away again and again: that takes a third.
    local._JAVA_OPTIONS += " -XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m"
    local.serve(answer)
