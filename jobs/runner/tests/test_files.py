"""Tests of files under URIs: folders, and S3 as its client in Python is documented."""

import os
from pathlib import Path

import pytest
from bucket import Bucket
from lakehouse_runner import files
from lakehouse_runner.errors import JobError
from lakehouse_runner.files import File

NAMES = [
    "b.json",
    "a.json",
    "c d/%41é [x].json",
    "deep/er/a.json",
    "_SUCCESS",
    ".hidden/a.json",
    "_temporary/0/a.json",
    "deep/.a.json.crc",
    "a.json._COPYING_",
]
SHOWN = ["a.json", "b.json", "c d/%41é [x].json", "deep/er/a.json"]


def test_a_folder_is_listed_as_spark_lists_it(tmp_path: Path) -> None:
    """Folders below too; what is hidden is not there, whatever is in it."""
    for name in NAMES:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (tmp_path / ".hidden" / "broken").symlink_to("nowhere")
    listed = files.list_files(f"file:{tmp_path}/")
    assert [file.name for file in listed] == SHOWN
    for file in listed:
        assert files.read_range(file, 0, 99).decode() == file.name
    assert files.list_files(f"file://{tmp_path}/c d") == [
        File("%41é [x].json", f"file:{tmp_path}/c d/%41é [x].json", 18)
    ]
    assert files.list_files(f"file:{tmp_path}/missing/") == []


def test_a_link_is_followed_and_a_broken_one_told(tmp_path: Path) -> None:
    """A row must not be lost because its file has moved. What is outside, or no file, is named only."""
    (tmp_path / "a.json").write_text("x")
    folder = tmp_path / "landing"
    (folder / "real").mkdir(parents=True)
    (folder / "real" / "a.json").write_text("x")
    (folder / "linked").symlink_to(folder / "real")
    (folder / "itself").symlink_to(folder)
    (folder / "out.json").symlink_to(tmp_path / "a.json")
    (folder / "out").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe.json")
    skipped: list[str] = []
    listed = files.list_files(f"file:{folder}/", skipped)
    assert [file.name for file in listed] == ["linked/a.json", "real/a.json"]
    assert sorted(skipped) == ["itself/", "out.json", "out/", "pipe.json"]
    (folder / "b.json").symlink_to("nowhere")
    with pytest.raises(JobError, match=r"b\.json is a link that leads nowhere"):
        files.list_files(f"file:{folder}/")


def test_a_prefix_is_listed_alike(bucket: Bucket) -> None:
    """Page by page; what a console makes of a folder is no file."""
    for name in NAMES:
        bucket.put(f"landing/{name}", name.encode())
    for key in ("landing/", "landing/deep/", "other/a.json"):
        bucket.put(key, b"")
    listed = files.list_files("s3://lake/landing/")
    assert [file.name for file in listed] == SHOWN
    assert listed[2].uri == "s3://lake/landing/c d/%41é [x].json"
    for file in listed:
        assert files.read_range(file, 0, 99).decode() == file.name
        assert files.read_range(file, 1, 3).decode() == file.name[1:3]
    assert files.list_files("s3://lake/missing/") == []


def test_an_object_that_changes_is_not_read_half(bucket: Bucket) -> None:
    """Neither another one of its name, nor one that is gone."""
    bucket.put("a.json", b"first")
    (file,) = files.list_files("s3://lake/")
    bucket.put("a.json", b"other")
    with pytest.raises(
        JobError, match=r"^s3://lake/a\.json was changed while it was read; run the job again$"
    ):
        files.read_range(file, 0, 5)
    files.delete("s3://lake/a.json")
    with pytest.raises(JobError, match="was changed"):
        files.read_range(file, 0, 5)


def test_text_is_written_and_read(bucket: Bucket, tmp_path: Path) -> None:
    """In place of what was there, also in a folder that was not."""
    for uri in ("s3://lake/runs/a.json", f"file:{tmp_path}/runs/a.json"):
        for text in ("first, and long", "é"):
            files.write_text(uri, text)
            assert files.read_text(uri) == text
    assert bucket.objects == {"runs/a.json": "é".encode()}


def test_all_but_one_are_deleted(bucket: Bucket, tmp_path: Path) -> None:
    """Hidden ones too, and nothing of another folder; a folder that is missing has nothing."""
    names = ["run1/part-0.json", "run1/.part-0.json.crc", "run2/part-0.json", "run22/_SUCCESS"]
    for name in names:
        path = tmp_path / "q" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    for key in [*(f"q/{name}" for name in names), "qq/run1/a"]:
        bucket.put(key, b"")
    files.delete_others(f"file:{tmp_path}/q/", "run2")
    # Without its last slash a folder is no other one.
    for folder in ("s3://lake/q", "s3://lake/q/"):
        files.delete_others(folder, "run2")
    assert [p.name for p in (tmp_path / "q").iterdir()] == ["run2"]
    assert sorted(bucket.objects) == ["q/run2/part-0.json", "qq/run1/a"]
    files.delete_others(f"file:{tmp_path}/missing/", "run2")


def test_what_killed_writers_left_is_found(bucket: Bucket, tmp_path: Path) -> None:
    """That of Spark, and that of a file that was being replaced."""
    names = ["q/run/_temporary/0/a.json", "q/.a.json.x.tmp", "q/a.json", "q/_SUCCESS", "q/.a.json.crc"]
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    for name in names:
        bucket.put(name, b"")
    for folder in ("s3://lake/q/", f"file:{tmp_path}/q/"):
        found = sorted(file.name for file in files.list_unfinished(folder))
        assert found == [".a.json.x.tmp", "run/_temporary/0/a.json"]


def test_young_objects_are_found(bucket: Bucket) -> None:
    """By when they were written."""
    bucket.put("t/a", b"")
    (file,) = files.list_files("s3://lake/t/")
    assert files.list_written_since("s3://lake/t/", file.written) == [file]
    assert files.list_written_since("s3://lake/t/", file.written + 1) == []
