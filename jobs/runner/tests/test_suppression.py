"""Tests of the list of who was forgotten."""

import json
import re
from pathlib import Path

import pytest
from bucket import Bucket
from lakehouse_runner import files
from lakehouse_runner.errors import JobError
from lakehouse_runner.suppression import Entry, add_to_list, read_forgotten, read_list

KEY = b"key"
PERSON = Entry("person", "0" * 64)


def test_nobody_is_on_a_list_that_is_not_there(tmp_path: Path) -> None:
    """And nobody asks for the key."""

    def key() -> bytes:
        raise AssertionError

    uri = f"file:{tmp_path}/suppressed.json"
    assert read_forgotten(None, key) is None
    assert read_forgotten(uri, key) is None
    files.write_text(uri, '{"version":1,"entries":[]}')
    assert read_forgotten(uri, key) is None


def test_hashes_are_entered_once(tmp_path: Path, bucket: Bucket) -> None:
    """On a disk and in S3; those that were there keep their day."""
    for uri in (f"file:{tmp_path}/deep/suppressed.json", "s3://lake/suppressed/list.json"):
        (first,) = add_to_list(uri, [PERSON, PERSON])
        again = add_to_list(uri, [PERSON, Entry("device", "1" * 64)])
        assert [e.hash for e in again] == ["0" * 64, "1" * 64]
        assert again[0] == first
        assert read_list(uri) == again
    names = ["suppressed.json", "suppressed.json.written"]
    assert sorted(p.name for p in (tmp_path / "deep").iterdir()) == names


def test_a_list_that_was_deleted_is_told(tmp_path: Path) -> None:
    """Else the forgotten would come back."""
    uri = f"file:{tmp_path}/suppressed.json"
    add_to_list(uri, [PERSON])
    (tmp_path / "suppressed.json").unlink()
    with pytest.raises(JobError, match=r"suppressed\.json is gone, and people were forgotten"):
        read_list(uri)


def test_what_others_enter_meanwhile_stays(bucket: Bucket) -> None:
    """The object is only replaced where it is as it was read."""
    uri = "s3://lake/list.json"
    entered = Entry("person", "1" * 64, "2026-01-01T00:00:00Z")
    other = json.dumps({"version": 1, "entries": [entered._asdict()]})
    bucket.before("PutObject", lambda: bucket.put("list.json", other.encode()))
    entries = add_to_list(uri, [PERSON])
    assert [e.hash for e in entries] == ["1" * 64, "0" * 64] == [e.hash for e in read_list(uri)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"version":"2","entries":[]}',
        '{"entries":[]}',
        '{"version":1}',
        '{"version":2,"entries":{}}',
        '{"version":2,"entries":""}',
        '{"version":1,"entries":[{"kind":"person","hash":"x","since":"2026-11-25T16:00:00Z"}]}',
        '{"version":1,"entries":[{"kind":"pet","hash":"' + "0" * 64 + '","since":"2026-11-25T16:00:00Z"}]}',
        '{"version":1,"entries":[{"kind":"person","hash":"' + "0" * 64 + '","since":"today"}]}',
        '{"version":1,"entries":[{"kind":"person","hash":"' + "0" * 64 + '"}]}',
    ],
)
def test_a_damaged_list_is_told(tmp_path: Path, text: str) -> None:
    """Else the forgotten would come back."""
    path = tmp_path / "suppressed.json"
    path.write_text(text)
    with pytest.raises(JobError, match=r"suppressed\.json is no list of who was forgotten; restore it"):
        read_forgotten(f"file:{path}", lambda: KEY)


def test_a_list_of_another_format_is_named(tmp_path: Path) -> None:
    """It is not damaged, and nobody should try to restore it."""
    path = tmp_path / "suppressed.json"
    path.write_text('{"version":3,"people":[]}')
    uri = f"file:{path}"
    told = f"{path} is of format 3, and this version reads 2; use the version that wrote it"
    with pytest.raises(JobError, match=re.escape(told)):
        read_list(uri)
    with pytest.raises(JobError, match=re.escape(told)):
        add_to_list(uri, [PERSON])
    assert path.read_text() == '{"version":3,"people":[]}'
