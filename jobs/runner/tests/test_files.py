"""Tests of files under URIs: folders, and S3 as its client in Python is documented."""

import datetime
import os
from pathlib import Path
from typing import Any

import pytest
from lakehouse_runner import files
from lakehouse_runner.errors import JobError
from lakehouse_runner.files import File
from s3_standin import Bucket

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
    bucket.objects = {f"landing/{name}": name.encode() for name in NAMES} | {
        "landing/": b"",
        "landing/deep/": b"",
        "other/a.json": b"",
    }
    listed = files.list_files("s3://lake/landing/")
    assert [file.name for file in listed] == SHOWN
    assert listed[2].uri == "s3://lake/landing/c d/%41é [x].json"
    for file in listed:
        assert files.read_range(file, 0, 99).decode() == file.name
        assert files.read_range(file, 1, 3).decode() == file.name[1:3]
    assert files.list_files("s3://lake/missing/") == []


def test_an_object_that_changes_is_not_read_half(bucket: Bucket) -> None:
    """Neither another one of its name, nor one that is gone."""
    bucket.objects = {"a.json": b"first"}
    (file,) = files.list_files("s3://lake/")
    bucket.objects["a.json"] = b"other"
    with pytest.raises(
        JobError, match=r"^s3://lake/a\.json was changed while it was read; run the job again$"
    ):
        files.read_range(file, 0, 5)
    bucket.objects = {}
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
    bucket.objects = {f"q/{name}": b"" for name in names} | {"qq/run1/a": b""}
    files.delete_others(f"file:{tmp_path}/q/", "run2")
    # Without its last slash a folder is no other one.
    for folder in ("s3://lake/q", "s3://lake/q/"):
        files.delete_others(folder, "run2")
    assert [p.name for p in (tmp_path / "q").iterdir()] == ["run2"]
    assert sorted(bucket.objects) == ["q/run2/part-0.json", "qq/run1/a"]
    files.delete_others(f"file:{tmp_path}/missing/", "run2")
    bucket.locked = {"q/run2/part-0.json"}
    with pytest.raises(JobError, match=r"s3://lake/q/run2/part-0\.json cannot be deleted: AccessDenied"):
        files.delete_others("s3://lake/q/", "run3")


def test_many_are_deleted_a_thousand_at_once(bucket: Bucket) -> None:
    """As S3 takes no more."""
    bucket.objects = {f"q/run1/{i}": b"" for i in range(2001)}
    files.delete_others("s3://lake/q/", "run2")
    assert bucket.objects == {}


def old(key: str, count: int, deleted: bool = False) -> list[dict[str, Any]]:
    """Make old versions of an object, and the mark of a deleted one."""
    versions = [
        {"Key": key, "VersionId": f"{key} {i}", "IsLatest": False, "mark": False} for i in range(count)
    ]
    mark = {"Key": key, "VersionId": f"{key} gone", "IsLatest": True, "mark": True}
    return [mark, *versions] if deleted else versions


def test_old_versions_go_before_what_marks_them_deleted(bucket: Bucket, tmp_path: Path) -> None:
    """Else what was deleted would be back. Objects stay, and so do the versions of other folders."""
    bucket.objects = {"t/a": b"", "tt/a": b""}
    others = old("tt/a", 2)
    bucket.old = [*old("t/a", 3), *old("t/b", 1500, deleted=True), *others]
    assert files.old_versions("s3://lake/t/", delete=False) == 1504
    assert len(bucket.old) == 1506
    bucket.locked = {"t/b"}
    with pytest.raises(JobError, match=r"s3://lake/t/b cannot be deleted: AccessDenied"):
        files.old_versions("s3://lake/t/", delete=True)
    bucket.locked = set()
    assert files.old_versions("s3://lake/t", delete=True) > 0
    assert (bucket.old, sorted(bucket.objects)) == (others, ["t/a", "tt/a"])
    assert files.old_versions("s3://lake/t/", delete=True) == 0
    assert files.old_versions(f"file:{tmp_path}/", delete=True) == 0


def test_of_a_file_no_version_stays(bucket: Bucket, tmp_path: Path) -> None:
    """But of others whose name begins alike."""
    (tmp_path / "a").touch()
    files.delete_with_versions(f"file:{tmp_path}/a")
    assert list(tmp_path.iterdir()) == []
    bucket.objects = {"r/a": b"", "r/ab": b""}
    bucket.old = [*old("r/a", 2, deleted=True), *old("r/ab", 1)]
    files.delete_with_versions("s3://lake/r/a")
    assert (sorted(bucket.objects), bucket.old) == (["r/ab"], old("r/ab", 1))
    files.delete_with_versions("s3://lake/r/none")


def test_what_killed_writers_left_is_found(bucket: Bucket, tmp_path: Path) -> None:
    """That of Spark, and that of a file that was being replaced."""
    names = ["q/run/_temporary/0/a.json", "q/.a.json.x.tmp", "q/a.json", "q/_SUCCESS", "q/.a.json.crc"]
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    bucket.objects = dict.fromkeys(names, b"")
    for folder in ("s3://lake/q/", f"file:{tmp_path}/q/"):
        found = sorted(file.name for file in files.list_unfinished(folder))
        assert found == [".a.json.x.tmp", "run/_temporary/0/a.json"]


def test_young_objects_are_found(bucket: Bucket) -> None:
    """By when they were written."""
    bucket.objects = {"t/a": b"", "t/b": b""}
    bucket.written = {"t/b": datetime.datetime.fromtimestamp(50, datetime.UTC)}
    assert [file.name for file in files.list_written_since("s3://lake/t/", 49)] == ["b"]
