"""What the published course scripts do, as one plain PySpark program: JSON in, inner joins, JSON out.

    python plain_spark.py DATA OUT

DATA holds ``<entity>/landing/*.json``; each table goes to ``OUT/<table>`` and the next step reads it from
there, as the course's jobs do. Prints one line of JSON: the rows of each table.
"""

import json
import sys
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.functions import col


def customer_trusted(customers: DataFrame) -> DataFrame:
    """Customers who agreed to share for research."""
    consent = col("shareWithResearchAsOfDate")
    return customers.where(consent.isNotNull() & (consent != 0))


def accelerometer_trusted(readings: DataFrame, customers: DataFrame) -> DataFrame:
    """Readings of these customers, without the columns that the join brings in."""
    return readings.join(customers, readings["user"] == customers["email"], "inner").drop(*customers.columns)


def customers_curated(customers: DataFrame, readings: DataFrame) -> DataFrame:
    """These customers, where they have readings; the join gives each once a reading."""
    joined = customers.join(readings, customers["email"] == readings["user"], "inner")
    return joined.drop(*readings.columns).dropDuplicates()


def step_trainer_trusted(steps: DataFrame, customers: DataFrame) -> DataFrame:
    """Step readings of these customers' devices."""
    devices = customers.select("serialNumber").dropDuplicates()
    return steps.join(devices, "serialNumber", "inner")


def machine_learning_curated(steps: DataFrame, readings: DataFrame, customers: DataFrame) -> DataFrame:
    """Pairs of the same instant and the same customer.

    The course pairs by time alone. Copies of one data set share their instants, so that would give the square
    of the rows; the join by customer gives what the lake gives, and one side writes what the other does.
    """
    owners = customers.select("serialNumber", "email").dropDuplicates()
    same = (col("email") == col("user")) & (col("sensorReadingTime") == col("timestamp"))
    return steps.join(owners, "serialNumber", "inner").join(readings, same, "inner").drop("email")


def run(spark: SparkSession, data: Path, out: Path) -> dict[str, int]:
    """Run the five steps, and give the rows of each table."""
    rows: dict[str, int] = {}

    def landing(entity: str) -> DataFrame:
        return spark.read.json(str(data / entity / "landing"))

    def written(table: str, frame: DataFrame) -> DataFrame:
        path = str(out / table)
        frame.write.json(path)
        back = spark.read.json(path)
        rows[table] = back.count()
        return back

    trusted = written("customer_trusted", customer_trusted(landing("customer")))
    readings = written("accelerometer_trusted", accelerometer_trusted(landing("accelerometer"), trusted))
    curated = written("customers_curated", customers_curated(trusted, readings))
    steps = written("step_trainer_trusted", step_trainer_trusted(landing("step_trainer"), curated))
    written("machine_learning_curated", machine_learning_curated(steps, readings, curated))
    return rows


def main() -> None:
    """Read the arguments, run, print."""
    data, out = (Path(argument) for argument in sys.argv[1:3])
    spark = (
        SparkSession.builder.master("local[*]")
        .appName("plain")
        .config("spark.driver.memory", "4g")
        .getOrCreate()
    )
    rows = run(spark, data, out)
    print(json.dumps({"rows": rows}))
    spark.stop()


if __name__ == "__main__":
    main()
