"""Files under URIs, by Hadoop's file systems: S3 on Glue, folders on a laptop."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from pyspark.sql import SparkSession


@dataclass(frozen=True)
class File:
    """A file in a folder."""

    name: str
    """From the folder, its names divided by slashes."""
    path: str
    """Where it is, as Hadoop spells it: `file:/a/b.json`, `s3://bucket/b.json`."""
    size: int
    """Bytes."""


def read_text(spark: SparkSession, uri: str) -> str:
    """Read a file of UTF-8 text that fits into memory. Raises what Hadoop raises where it is missing."""
    path, system = _open(spark, uri)
    stream = system.open(path)
    try:
        return bytes(_jvm(spark).org.apache.commons.io.IOUtils.toByteArray(stream)).decode()
    finally:
        stream.close()


def write_text(spark: SparkSession, uri: str, text: str) -> None:
    """Write a file of UTF-8 text, in place of the one that may be there."""
    path, system = _open(spark, uri)
    stream = system.create(path, True)
    try:
        stream.write(bytearray(text.encode()))
    finally:
        stream.close()


def list_files(spark: SparkSession, folder: str) -> list[File]:
    """List the files in a folder and those below, but for hidden ones and those in hidden folders.

    Spark lists them: many folders by many tasks, and without a call to Java for every file.
    """
    path, system = _open(spark, folder)
    if not system.exists(path):
        return []
    root = system.makeQualified(path)
    reader = spark.read.format("binaryFile").option("recursiveFileLookup", True)
    listed = reader.load(as_pattern(folder))
    sized = listed.select("path", "length").coalesce(spark.sparkContext.defaultParallelism)
    prefix = root.toString().rstrip("/") + "/"
    sizes = {row.path.removeprefix(prefix): row.length for row in sized.collect()}
    # Spark lists empty files, and reads none.
    start = root.toUri().getPath().rstrip("/") + "/"
    names = [unquote(urlsplit(uri).path).removeprefix(start) for uri in listed.inputFiles()]
    files = [File(name, prefix + name, sizes.get(name, 0)) for name in names]
    shown = [f for f in files if not any(part.startswith((".", "_")) for part in f.name.split("/"))]
    return sorted(shown, key=lambda file: file.name)


def as_pattern(path: str) -> str:
    """Spell a path where Spark takes patterns."""
    return re.sub(r"([\\{}\[\]*?])", r"\\\1", path)


def delete_others(spark: SparkSession, folder: str, keep: str) -> None:
    """Delete what is in a folder, but for the file or folder of the name `keep`."""
    path, system = _open(spark, folder)
    for status in system.listStatus(path):
        if status.getPath().getName() != keep:
            system.delete(status.getPath(), True)


def _open(spark: SparkSession, uri: str) -> tuple[Any, Any]:
    path = _jvm(spark).org.apache.hadoop.fs.Path(uri)
    return path, path.getFileSystem(spark._jsc.hadoopConfiguration())


def _jvm(spark: SparkSession) -> Any:
    return spark.sparkContext._jvm
