"""Glue's context."""

from pyspark import SparkContext
from pyspark.sql import SparkSession


class GlueContext:
    """Holds the session that scripts work with."""

    def __init__(self, spark_context: SparkContext) -> None:
        """Take a context that is there."""
        self.spark_session = SparkSession(spark_context)
