"""Errors as a person may read them."""

import re

from py4j.protocol import Py4JJavaError
from pyspark.errors import AnalysisException, PySparkException

_NUMBER = re.compile(r"-?\b\d[\w.+-]*")


class JobError(Exception):
    """The job cannot make its table. The message says what was wrong and what to do."""


def tell(error: Exception) -> str:
    """Say in one line what went wrong, without the data that an engine may quote."""
    if isinstance(error, JobError):
        return str(error)
    if isinstance(error, PySparkException | Py4JJavaError):
        text = plain_text(error)
        # What a worker says stands at the end of its stack trace.
        told = re.search(rf"^{__package__}\.(?:errors\.JobError|files\.Changed): (.*)$", text, re.MULTILINE)
        if told:
            return told[1]
        if not isinstance(error, AnalysisException):
            # It saw rows. What Spark says begins with the kind of the error, and quotes numbers as they are.
            # What the job itself raises may be anything.
            text = re.sub(r"(\[USER_RAISED_EXCEPTION\]).*", r"\1 …", text)
            text = re.sub(r"(\[[A-Z_.]+\])(.*)", lambda found: found[1] + _NUMBER.sub("…", found[2]), text)
    else:
        text = f"{type(error).__name__}: {error}"
    first = text.strip().split("\n")[0]
    # A value may hold quotes itself, so all from the first to the last goes.
    return re.sub(r"['\"](?:.*['\"]|.*$)", "'…'", first)


def plain_text(error: PySparkException | Py4JJavaError) -> str:
    """Give what Spark says, without the code of the SQL standard that it adds."""
    text = str(error.java_exception if isinstance(error, Py4JJavaError) else error)
    return re.sub(r" SQLSTATE: \w{5}", "", text)
