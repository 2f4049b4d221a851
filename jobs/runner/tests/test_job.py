"""Tests of jobs in Python."""

import re
import sys
from pathlib import Path
from textwrap import dedent

import pytest
from lakehouse_runner.errors import JobError
from lakehouse_runner.job import place_in, told, transformed
from lakehouse_runner.syntax import faults_in
from pyspark.sql import DataFrame, SparkSession

CANARY = "ada@example.com"
PEOPLE = f"SELECT * FROM VALUES (1, '{CANARY}'), (2, NULL) AS given(id, who)"
SCHEMA = "`id` int, `who` string"


@pytest.fixture
def session(spark: SparkSession) -> SparkSession:
    """A session that has the rows of an input."""
    spark.sql(PEOPLE).createOrReplaceTempView("people")
    return spark


def code(body: str, head: str = "") -> str:
    """The code of a job, whose function begins on the fifth line at the earliest."""
    return (
        f"from __future__ import annotations\nfrom pyspark.sql import functions as F\n{head}\n\n"
        f"def transform(inputs, parameters):\n    people = inputs['people']\n{body}\n"
    )


def rows_of(session: SparkSession, text: str, **parameters: str) -> DataFrame:
    """What a job of this code makes."""
    return transformed(session, "adults", text, ["people"], parameters, SCHEMA)


def test_it_makes_the_rows_with_the_columns_in_the_order_of_the_contract(session: SparkSession) -> None:
    """What it has of its own, classes too, reaches the workers."""
    head = dedent(
        """
        from dataclasses import dataclass

        @dataclass
        class Person:
            id: int

        def next_of(value):
            return Person(value).id + 1
        """
    )
    made = "    return people.select('who', F.udf(next_of, 'int')('id').alias('id'))"
    rows = rows_of(session, code(made, head))
    assert rows.dtypes == [("id", "int"), ("who", "string")]
    assert sorted(rows.collect()) == [(2, CANARY), (3, None)]


def test_it_has_the_values_of_its_parameters(session: SparkSession) -> None:
    """By name, as text."""
    made = "    return people.where(F.col('id') == int(parameters['least']))"
    assert [row.id for row in rows_of(session, code(made), least="2").collect()] == [2]


def test_it_takes_no_other_modules_place(session: SparkSession) -> None:
    """Neither the runner's nor Python's: its name is that of a table."""
    before = {name: sys.modules.get(name) for name in ("files", "json", "lakehouse_runner.files")}
    for job in ("files", "json"):
        transformed(session, job, code("    return people"), ["people"], {}, SCHEMA)
    assert {name: sys.modules.get(name) for name in before} == before


@pytest.mark.parametrize(
    ("made", "faults"),
    [
        ("people.select('id')", ['gives no column "who"; the contract has it as string']),
        (
            "people.withColumn('id', F.col('id').cast('bigint'))",
            ['column "id" is bigint, and int by the contract; cast it, or change the contract'],
        ),
        (
            "people.withColumn('more', F.lit(1)).withColumnRenamed('id', 'Id')",
            [
                'gives no column "id"; the contract has it as int',
                'gives a column "Id", which the contract does not have; it has id, who',
                'gives a column "more", which the contract does not have; it has id, who',
            ],
        ),
        ("people.select('*', 'who')", ['gives the column "who" twice']),
        ("None", ["transform returns NoneType; it returns a DataFrame"]),
        ("exit()", ["it ends the program; raise an error where it cannot go on"]),
    ],
)
def test_other_columns_than_the_contracts_are_named(
    session: SparkSession, made: str, faults: list[str]
) -> None:
    """All of them, before a row is made."""
    with pytest.raises(JobError) as error:
        rows_of(session, code(f"    return {made}"))
    assert str(error.value).split("\n") == [f"adults.py: {fault}" for fault in faults]


def test_a_program_that_ends_as_it_is_loaded_is_no_good_run(session: SparkSession) -> None:
    """Glue would take it for one."""
    with pytest.raises(JobError, match="it ends the program"):
        rows_of(session, code("    return people", "exit(0)"))


def test_it_reads_no_file_itself(session: SparkSession, tmp_path: Path) -> None:
    """Whoever is in it could not be forgotten. A subquery hides nothing."""
    (tmp_path / "a.json").write_text('{"id": 1, "who": "b"}\n')
    session.read.schema(SCHEMA).json(str(tmp_path)).createOrReplaceTempView("hidden")
    for made in (
        f"people.sparkSession.read.schema('{SCHEMA}').json('{tmp_path}')",
        "people.where('EXISTS (SELECT 1 FROM hidden h WHERE h.id = people.id)')",
    ):
        with pytest.raises(JobError, match="reads files itself; its inputs are people: "):
            rows_of(session, code(f"    return {made}"))


UNDECLARED = "which the job does not declare: its inputs are people, cities; add it to them, or mend the name"


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("def transform(inputs, parameters):\n    return inputs['people']", []),
        ("def transform(a, b):\n    return (a['people'], b['mode'], a[b['mode']], c['nobody'])", []),
        (
            "def transform(a, b):\n    x = a['peple']\n    return a['x'], b['mod']",
            [
                (2, f'reads "peple", {UNDECLARED}'),
                (3, f'reads "x", {UNDECLARED}'),
                (3, 'reads "mod", which the job does not declare: its parameters are mode; '),
            ],
        ),
        (
            "\ndef transform(inputs):\n    pass",
            [(2, "transform takes two arguments, inputs and parameters; here it has 1")],
        ),
        ("import x\nclass A:\n    def transform(self, b):\n        pass", [(1, "has no function transform")]),
        ("x = 1\n\nx = = 2", [(3, "is not Python that can be read: invalid syntax")]),
        ("x = '\0'", [(1, "is not Python that can be read: source code string cannot contain null bytes")]),
    ],
)
def test_faults_of_the_text(text: str, faults: list[tuple[int, str]]) -> None:
    """Each with its line, without running anything."""
    found = list(faults_in(text, ["people", "cities"], ["mode"]))
    assert [line for line, _ in found] == [line for line, _ in faults]
    for (_, message), (_, start) in zip(found, faults, strict=True):
        assert message.startswith(start)


def test_faults_of_the_text_come_before_anything_runs(session: SparkSession) -> None:
    """As `lake check` says them."""
    with pytest.raises(JobError) as error:
        rows_of(session, "raise SystemExit\ndef transform(a, b):\n    return a['cities']")
    declared = "its inputs are people; add it to them, or mend the name"
    assert str(error.value) == f'adults.py:3: reads "cities", which the job does not declare: {declared}'


LEFT_OUT = "; what it says is left out, as it may quote data"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("    raise ValueError(people.first().who)", f"adults.py:7: ValueError{LEFT_OUT}"),
        ("    return people.slect('id')", "adults.py:7: PySparkAttributeError: [ATTRIBUTE_NOT_SUPPORTED] "),
        ("\n    return peple", "adults.py:8: NameError: name 'peple' is not defined"),
        ("    import pandsa", "adults.py:7: ModuleNotFoundError: No module named 'pandsa'"),
        ("    return people.select('nam')", "adults.py:7: [UNRESOLVED_COLUMN.WITH_SUGGESTION] "),
        (
            "    return people.sparkSession.createDataFrame(people.select('who').collect(), 'id int')",
            f"adults.py:7: PySparkTypeError FIELD_DATA_TYPE_UNACCEPTABLE_WITH_NAME{LEFT_OUT}",
        ),
        (
            "    return inputs[people.first().who]",
            "adults.py:7: reads an input, which the job does not declare: its inputs are people; ",
        ),
        # What fails later.
        (
            "    def fail(value):\n        raise ValueError(f'bad {value}\\nKeyError: {value}')\n"
            "    return people.select('id', F.udf(fail, 'string')('who').alias('who'))",
            f"adults.py:8: ValueError{LEFT_OUT}",
        ),
        (
            "    return people.select('id', F.col('who').cast('int').cast('string').alias('who'))",
            "adults.py:7: [CAST_INVALID_INPUT] The value '…'",
        ),
        (
            "    return people.select('id', F.raise_error('who').cast('string').alias('who'))",
            "[USER_RAISED_EXCEPTION] …",
        ),
    ],
)
def test_what_goes_wrong_has_its_line_and_no_data(session: SparkSession, body: str, said: str) -> None:
    """Also what a worker says, and what Spark finds only as it makes the rows."""
    from lakehouse_runner.errors import tell

    with pytest.raises(Exception, match=re.compile(".")) as error:
        rows_of(session, code(body)).collect()
    found = told(error.value, "adults") or tell(error.value)
    assert found.startswith(said)
    assert "\n" not in found
    assert CANARY not in found


def test_what_goes_wrong_elsewhere_is_not_the_jobs(session: SparkSession) -> None:
    """Nor another job's of which the name is a part."""
    with pytest.raises(Exception, match="not") as error:
        session.sql("SELECT nope")
    assert place_in(error.value, "adults") is None
    assert told(error.value, "adults") is None
