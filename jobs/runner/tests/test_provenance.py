"""Tests of what a table was made of, and of when a run leaves it as it is."""

import json
import os
from pathlib import Path

import pytest
from lakehouse_runner import files
from lakehouse_runner.provenance import Provenance, digest_of_files, read_provenance

OF = {"code": "c", "files readings": "f"}
NOON, LATER, EVENING = "2026-01-01 12:00:00.000", "2026-01-01 12:00:00.001", "2026-01-01 18:00:00"


def made(since: str | None = None, until: str | None = None) -> Provenance:
    """What a run left."""
    return Provenance("run-1", "run-1", "c", OF, since, until, [{"table": "t", "written": 1}])


@pytest.mark.parametrize(
    ("since", "until", "time", "holds"),
    [
        (None, None, None, True),
        (NOON, None, NOON, True),
        (NOON, EVENING, LATER, True),
        (NOON, EVENING, "2026-01-01 18:00:00.000", False),
        (NOON, NOON, NOON, False),
        (LATER, None, NOON, False),
        (None, None, NOON, False),
    ],
)
def test_time(since: str | None, until: str | None, time: str | None, holds: bool) -> None:
    """A table is as it would be from the run's own time until something comes due, if the job asks for it."""
    assert made(since, until).holds(OF, time) == holds


@pytest.mark.parametrize("of", [{}, {**OF, "code": "d"}, {**OF, "key": "k"}, {"code": "c"}])
def test_another_basis(of: dict[str, str]) -> None:
    """Whatever is more, less or other than it was."""
    assert not made().holds(of, None)


def test_it_is_read_as_it_is_written() -> None:
    """One of another format, or none, says nothing."""
    text = made(NOON, EVENING).text()
    assert read_provenance(text) == made(NOON, EVENING)
    assert read_provenance(json.dumps({**json.loads(text), "version": 0})) is None
    assert read_provenance(None) is None


def test_files(tmp_path: Path) -> None:
    """Their digest changes with a name, a size, or a time; of one that may still be written there is none."""
    path = tmp_path / "a.json"
    path.write_text("{}")
    (tmp_path / "b.json").write_text("{}")
    listed = files.list_files(f"file:{tmp_path}/")
    began = max(file.changed for file in listed) + 0.021
    first = digest_of_files(listed, began)
    assert first == digest_of_files(files.list_files(f"file:{tmp_path}/"), began)
    assert digest_of_files(listed, began - 0.002) is None
    os.utime(path, ns=(0, 1))
    others = [files.list_files(f"file:{tmp_path}/"), listed[:1], []]
    assert len({first, *(digest_of_files(other, began + 600) for other in others)}) == 4


def test_objects() -> None:
    """Of S3 the etag says what is in them, and no clock is asked."""
    objects = [[files.File("a", "s3://b/a", 1, etag)] for etag in ('"1"', '"2"')]
    assert digest_of_files(objects[0], 0) not in (None, digest_of_files(objects[1], 0))
