"""Keyed hashes in place of what identifies a person."""

import hmac
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache, partial

import pyarrow as pa
from pyspark.sql import DataFrame

_REMEMBERED = 100_000


def with_pseudonyms(frame: DataFrame, columns: Sequence[str], key: bytes) -> DataFrame:
    """Replace texts by their pseudonyms: the hex digits of HMAC-SHA-256 (RFC 2104) over their UTF-8 bytes.

    In workers rather than in SQL, so that the key is in no plan, which Spark logs.
    """
    if not columns:
        return frame
    return frame.mapInArrow(_hider(frozenset(columns), key), frame.schema)


def _hider(
    columns: frozenset[str], key: bytes
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def hide(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        # Here, as a cache cannot be sent to a worker.
        pseudonym = lru_cache(_REMEMBERED)(partial(_pseudonym, key))

        def hidden(column: pa.Array) -> pa.Array:
            # The same few values come again and again.
            encoded = column.dictionary_encode()
            hashes = pa.array([pseudonym(value) for value in encoded.dictionary.to_pylist()], pa.string())
            return hashes.take(encoded.indices)

        for batch in batches:
            arrays = [
                hidden(column) if name in columns else column
                for name, column in zip(batch.schema.names, batch.columns, strict=True)
            ]
            yield pa.RecordBatch.from_arrays(arrays, names=batch.schema.names)

    return hide


def _pseudonym(key: bytes, value: str) -> str:
    return hmac.digest(key, value.encode(), "sha256").hex()
