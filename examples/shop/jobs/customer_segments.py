"""Which third of those who bought something each customer is in, by what they paid in all."""

from lakehouse_runner.job import Inputs, Parameters
from pyspark.sql import DataFrame
from pyspark.sql import functions as F


def transform(inputs: Inputs, parameters: Parameters) -> DataFrame:
    """Find the two values that part the buyers, and say of each customer between which they are."""
    customers = inputs["customer_orders"].withColumn("value", F.col("lifetimeValue").cast("double"))
    bounds = customers.where("value > 0").approxQuantile("value", [1 / 3, 2 / 3], 0.0)
    segment = F.when(F.col("value") <= 0, "none")
    for name, bound in zip(["low", "middle"], bounds, strict=False):
        segment = segment.when(F.col("value") <= bound, name)
    return customers.select("customerId", segment.otherwise("top").alias("segment"), "lifetimeValue")
