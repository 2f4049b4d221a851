"""What people read of an error."""

import pytest
from lakehouse_runner.errors import tell
from pyspark.sql import SparkSession


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        # The data is a text, a number, and a number that only Java reports.
        ("SELECT CAST(concat(id, 'ab') AS BIGINT)", "[CAST_INVALID_INPUT] The value '…'"),
        ("SELECT CAST(id + 5550000 AS SMALLINT)", "[CAST_OVERFLOW] The value … of the type '…'"),
        ("SELECT CAST(id + 5550000 AS DECIMAL(3, 1))", "[NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION]  … "),
        ("SELECT id + 9223372036854775807", "[ARITHMETIC_OVERFLOW] long overflow. Use '…'"),
    ],
)
def test_no_value_is_quoted(spark: SparkSession, sql: str, told: str) -> None:
    """Neither a text nor a number; and nothing of what Spark says to machines."""
    with pytest.raises(Exception, match="SQLSTATE") as error:
        spark.sql(f"{sql} FROM range(100, 101)").collect()
    said = tell(error.value)
    assert said.startswith(told)
    assert "100" not in said
    assert "SQLSTATE" not in said


def test_a_mistake_in_sql_has_its_place(spark: SparkSession) -> None:
    """To find it Spark saw no row."""
    with pytest.raises(Exception, match="nope") as error:
        spark.sql("SELECT\nnope FROM range(1)")
    assert "`nope`" in tell(error.value)
    assert "line 2 pos 0" in tell(error.value)
