"""What the tests of the runner share."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from lakehouse_runner import files, local
from pyspark.sql import SparkSession
from s3_standin import Bucket, ClientError


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
        "spark.sql.warehouse.dir": warehouse,
    }
    session = local.session(warehouse, "1g", settings, f"{local._JAVA_OPTIONS} -XX:TieredStopAtLevel=1")
    yield session
    session.stop()


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """A bucket in place of S3."""
    made = Bucket({})
    monkeypatch.setattr(files, "s3", lambda: made)
    exceptions = ModuleType("botocore.exceptions")
    exceptions.ClientError = ClientError  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "botocore", ModuleType("botocore"))
    monkeypatch.setitem(sys.modules, "botocore.exceptions", exceptions)
    return made
