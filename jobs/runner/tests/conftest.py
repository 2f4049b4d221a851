"""What the tests of the runner share."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from bucket import Bucket
from lakehouse_runner import files, local
from moto import mock_aws
from pyspark.sql import SparkSession


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """Start a local Spark once for all tests; it needs a Java 17. Without Iceberg, so it has no tables."""
    # Of the workers too.
    os.environ["PYTHONPATH"] = str(Path(__file__).parents[1])
    os.environ["PYSPARK_PYTHON"] = sys.executable
    warehouse = tmp_path_factory.mktemp("warehouse").as_uri()
    # Of the few rows of a test each partition costs more than it is worth, and so does compiling each plan.
    settings = {
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.sql.warehouse.dir": warehouse,
    }
    session = local.session(warehouse, "1g", settings, f"{local._JAVA_OPTIONS} -XX:TieredStopAtLevel=1")
    yield session
    session.stop()


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """A bucket in place of S3, whose listings have two entries a page."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "stand-in")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "2")
    with mock_aws():
        made = Bucket()
        monkeypatch.setattr(files, "s3", lambda: made.client)
        yield made
