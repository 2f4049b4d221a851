"""A job in Python: a function that makes the rows of its table of the rows of others.

from lakehouse_runner.job import Inputs, Parameters
from pyspark.sql import DataFrame


def transform(inputs: Inputs, parameters: Parameters) -> DataFrame:
    return inputs["order_trusted"].where("paid > 0")
"""

import re
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any, Generic, TypeAlias, TypeVar

from py4j.protocol import Py4JJavaError
from pyspark.cloudpickle import register_pickle_by_value
from pyspark.errors import PySparkException
from pyspark.errors.exceptions.captured import CapturedException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from .errors import JobError, tell
from .quoting import quoted
from .syntax import faults_in, undeclared

T = TypeVar("T")


class Declared(Generic[T]):
    """What a job declares, by name."""

    def __init__(self, kind: str, values: Mapping[str, T]) -> None:
        """Make it of the values. `kind`: what one of them is called."""
        self._kind = kind
        self._values = values

    def __getitem__(self, name: str) -> T:
        """Give one. Raise a JobError where the job does not declare it."""
        if name not in self._values:
            # The text was looked through: this name was put together, maybe of data.
            article = "an" if self._kind == "input" else "a"
            raise JobError(undeclared(f"{article} {self._kind}", self._kind, list(self._values)))
        return self._values[name]


Inputs: TypeAlias = Declared[DataFrame]
"""The rows of a job's inputs, by table, with the names and types that its SQL would see."""

Parameters: TypeAlias = Declared[str]
"""The values that a run gives to a job's parameters."""


def transformed(
    spark: SparkSession,
    job: str,
    code: str,
    inputs: Sequence[str],
    parameters: Mapping[str, str],
    schema: str,
) -> DataFrame:
    """Give the rows that a job's Python makes, with the columns of a schema in its order.

    Args:
        spark: A session in which the inputs are tables or views, by these names.
        job: The job's name.
        code: The text of its file.
        inputs: The tables that it declares.
        parameters: The values of those that it declares.
        schema: The columns of its table, as Spark spells them.

    Raises:
        JobError: The code is wrong, reads what the job does not declare, or gives other columns. What the
            code itself raises comes as it is; `told` says where it was raised.
    """
    file = file_of(job)
    faults = [f"{file}:{line}: {message}" for line, message in faults_in(code, inputs, list(parameters))]
    if faults:
        raise JobError("\n".join(faults))
    # It has no file that workers could import it from, so what they need of it is sent to them.
    module = ModuleType(f"_job_{job}")
    sys.modules[module.__name__] = module
    register_pickle_by_value(module)  # type: ignore[no-untyped-call]
    frames = {name: spark.table(name) for name in inputs}
    try:
        exec(compile(code, file, "exec"), module.__dict__)
        rows = module.transform(Declared("input", frames), Declared("parameter", parameters))
    except SystemExit:
        # Glue would call that a good run.
        raise JobError(f"{file}: it ends the program; raise an error where it cannot go on") from None
    if not isinstance(rows, DataFrame):
        raise JobError(f"{file}: transform returns {type(rows).__name__}; it returns a DataFrame")
    table = spark.createDataFrame([], schema)
    faults = [f"{file}: {fault}" for fault in (*_column_faults(rows, table), *_reading_faults(rows, inputs))]
    if faults:
        raise JobError("\n".join(faults))
    return rows.select([F.col(quoted(name)) for name in table.columns])


def file_of(job: str) -> str:
    """Give the name of the file of a job in Python."""
    return f"{job}.py"


def _column_faults(rows: DataFrame, table: DataFrame) -> Iterator[str]:
    """Hold the columns against those of the contract."""
    found, wanted = dict(rows.dtypes), dict(table.dtypes)
    for name, type_ in wanted.items():
        if name not in found:
            yield f'gives no column "{name}"; the contract has it as {type_}'
        elif found[name] != type_:
            is_ = f'column "{name}" is {found[name]}, and {type_} by the contract'
            yield f"{is_}; cast it, or change the contract"
    for name in found:
        if name not in wanted:
            yield f'gives a column "{name}", which the contract does not have; it has {", ".join(wanted)}'
        if rows.columns.count(name) > 1:
            yield f'gives the column "{name}" twice'


def _reading_faults(rows: DataFrame, inputs: Sequence[str]) -> Iterator[str]:
    """Find tables and files beside the inputs: nobody could be forgotten in what is made of them."""
    for leaf in leaves_of(rows):
        kind = leaf.getClass().getSimpleName()
        if kind == "DataSourceV2Relation":
            name = leaf.table().name().split(".")[-1]
            if name not in inputs:
                yield undeclared(f'"{name}"', "input", inputs)
        elif kind == "LogicalRelation":
            yield f"reads files itself; its inputs are {', '.join(inputs)}: declare a source, and read that"


def leaves_of(frame: DataFrame) -> Iterator[Any]:
    """Give what a query reads, as Spark has it, in its subqueries too."""
    plan: Any = frame._jdf.queryExecution().analyzed()
    inner = plan.subqueriesAll()
    for tree in (plan, *(inner.apply(i) for i in range(inner.size()))):
        leaves = tree.collectLeaves()
        yield from (leaves.apply(i) for i in range(leaves.size()))


_ABOUT_CODE = (NameError, AttributeError, ImportError)
"""Errors that name what stands in the code, and no value."""
_IN_WORKER = r'^  File "{file}", line (\d+), .*\n(?:  (?!File "{file}").*\n)*([\w.]+)'
"""The last line of a job in the stack trace of a worker, and the kind of the error, with which that ends."""


def place_in(error: Exception, job: str) -> str | None:
    """Give the file and the line of a job's Python where it went wrong. None: that was elsewhere."""
    file = file_of(job)
    lines = [str(at.lineno) for at in traceback.extract_tb(error.__traceback__) if at.filename == file]
    # What fails later fails in a worker, or in Spark, which knows who asked for it.
    patterns = (_IN_WORKER.format(file=re.escape(file)), rf"^{re.escape(file)}:(\d+)$")
    found = [re.search(pattern, str(error), re.MULTILINE) for pattern in patterns]
    line = next((match[1] for match in found if match), lines[-1] if lines else None)
    return None if line is None else f"{file}:{line}"


def told(error: Exception, job: str) -> str | None:
    """Say where in a job's Python it went wrong, and what, without data. None: that was elsewhere."""
    place = place_in(error, job)
    return None if place is None else f"{place}: {_what(error, job)}"


def _what(error: Exception, job: str) -> str:
    worker = re.search(_IN_WORKER.format(file=re.escape(file_of(job))), str(error), re.MULTILINE)
    if worker is None and isinstance(error, JobError | CapturedException | Py4JJavaError):
        return tell(error)
    if isinstance(error, _ABOUT_CODE):
        return f"{type(error).__name__}: {error}"
    # Of PySpark's own, which also quote what they found.
    condition = error.getCondition() if isinstance(error, PySparkException) and not worker else None
    kind = worker[2] if worker else type(error).__name__
    return f"{' '.join(filter(None, [kind, condition]))}; what it says is left out, as it may quote data"
