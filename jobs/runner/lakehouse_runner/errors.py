"""Errors as a person may read them."""

import re

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException


class JobError(Exception):
    """The job cannot make its table. The message says what was wrong and what to do."""


def tell(error: Exception) -> str:
    """Say in one line what went wrong, without the data that an engine may quote."""
    if isinstance(error, JobError):
        return str(error)
    if isinstance(error, PySparkException):
        text = error.desc if hasattr(error, "desc") and error.desc else str(error)
        # What a worker says stands at the end of its stack trace.
        told = re.search(rf"^{__package__}\.(?:errors\.JobError|files\.Changed): (.*)$", text, re.MULTILINE)
        if told:
            return told[1]
    elif isinstance(error, Py4JJavaError):
        text = str(error.java_exception)
    else:
        text = f"{type(error).__name__}: {error}"
    first = str(text).strip().split("\n")[0]
    # A value may hold quotes itself, so all from the first to the last goes.
    return re.sub(r"['\"](?:.*['\"]|.*$)", "'…'", first)
