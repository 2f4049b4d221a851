"""Keyed hashes in place of what identifies a person.

They are the hex digits of HMAC-SHA-256 (RFC 2104) over the UTF-8 bytes of a value. Workers make them, not
SQL: so the key is in no plan, which Spark logs.
"""

import hmac
from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from .quoting import quoted

_MOST_KNOWN = 500_000
"""More pseudonyms than these are not sent to every worker."""
_UNKNOWN = "~"
"""Sorts after every pseudonym, so that a file without it is known by its bounds."""


class Pseudonyms:
    """Replaces values by their pseudonyms, those that are known beforehand by a join.

    To hash a value once and look it up takes a fraction of handing every row to Python and back.
    """

    def __init__(self, spark: SparkSession, key: bytes, values: Sequence[DataFrame]) -> None:
        """Hash the distinct values of frames of one text column. `key`: at most 64 bytes."""
        self._key = key
        self._known: DataFrame | None = None
        if values:
            every = values[0].toDF("value")
            for frame in values[1:]:
                every = every.unionAll(frame.toDF("value"))
            distinct = every.where("value IS NOT NULL").distinct()
            pairs = distinct.select("value", F.col("value").alias("pseudonym"))
            known = self.hashed(pairs, ["pseudonym"]).persist()
            if known.count() <= _MOST_KNOWN:
                self._known = known
            else:
                known.unpersist()

    def hashed(self, frame: DataFrame, columns: Sequence[str]) -> DataFrame:
        """Replace the values of text columns, each by hashing it."""
        return frame.mapInArrow(_Hider(frozenset(columns), self._key), frame.schema)

    def looked_up(self, frame: DataFrame, columns: Sequence[str]) -> DataFrame:
        """Replace the values of text columns. Whether all were known, `is_whole` tells of the result."""
        if self._known is None:
            return self.hashed(frame, columns)
        names = frame.columns
        for i, column in enumerate(columns):
            known = self._known.select(
                F.col("value").alias(f"_value{i}"), F.col("pseudonym").alias(f"_pseudonym{i}")
            )
            own = F.col(quoted(column))
            frame = frame.join(F.broadcast(known), own == F.col(f"_value{i}"), "left")
            found = F.when(own.isNotNull(), F.coalesce(F.col(f"_pseudonym{i}"), F.lit(_UNKNOWN)))
            frame = frame.select(
                [found.alias(name) if name == column else F.col(quoted(name)) for name in names]
            )
        return frame

    def is_whole(self, frame: DataFrame, columns: Sequence[str]) -> bool:
        """Tell whether every value of a frame that was looked up was known."""
        unknown = [f"{quoted(column)} = '{_UNKNOWN}'" for column in columns]
        return self._known is None or frame.where(" OR ".join(unknown)).isEmpty()

    def close(self) -> None:
        """Forget the pseudonyms."""
        if self._known is not None:
            self._known.unpersist()


class _Hider:
    """Hashes columns of Arrow's batches."""

    def __init__(self, columns: frozenset[str], key: bytes) -> None:
        self._columns = columns
        self._key = key

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            arrays = [
                self._hidden(column) if name in self._columns else column
                for name, column in zip(batch.schema.names, batch.columns, strict=True)
            ]
            yield pa.RecordBatch.from_arrays(arrays, names=batch.schema.names)

    def _hidden(self, column: pa.Array) -> pa.Array:
        # The same few values come again and again.
        encoded = column.dictionary_encode()
        values = encoded.dictionary.to_pylist()
        hashes = [hmac.digest(self._key, value.encode(), "sha256").hex() for value in values]
        return pa.array(hashes, pa.string()).take(encoded.indices)
