"""Tests of what a job takes over from those before it in the same run; what it makes, tests/spark tests."""

from typing import Any, cast

import pytest
from lakehouse_runner.run import Options, _Run


@pytest.mark.parametrize(("read", "known"), [("same", {"written": 7}), ("other", None), (None, None)])
def test_a_source_is_judged_again_unless_its_files_are_known_to_be_the_same(
    read: str | None, known: dict[str, int] | None
) -> None:
    """What landed since the job before is judged; of files that changed just now nobody can tell."""
    accounts = {("s", "same"): {"written": 7}}
    options = Options("lake", "run", "version", lambda: b"", accounts=accounts)
    job = _Run(cast(Any, None), cast(Any, None), "", {}, options)
    job._read = {"s": read}
    assert job._known("s") == known
