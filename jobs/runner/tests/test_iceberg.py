"""Tests of what is published beside another run; what a run publishes, tests/spark tests."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from lakehouse_runner.errors import JobError
from lakehouse_runner.iceberg import IcebergTable


@pytest.mark.parametrize("audited", [None, SimpleNamespace(snapshotId=lambda: 2)])
def test_only_what_this_run_wrote_is_published(audited: Any) -> None:
    """Rows that another run put in its place are not audited, and may be of who was forgotten since."""
    table = IcebergTable.__new__(IcebergTable)
    table.written = 1
    table._table = cast(Any, SimpleNamespace(refresh=lambda: None, snapshot=lambda branch: audited))
    with pytest.raises(JobError, match="another run wrote the table meanwhile; nothing was published"):
        table.publish()
