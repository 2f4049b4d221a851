"""Tests of how files are cut into blocks of lines."""

import gzip
import random
from itertools import pairwise
from pathlib import Path

import pytest
from lakehouse_runner import blocks
from lakehouse_runner.blocks import Block, Extent, extents_of, read_lines, without_end
from lakehouse_runner.errors import JobError
from lakehouse_runner.files import File

LONGEST = 12
"""Longer lines are refused by their beginning, so that the rest of them may be missing."""
PIECES = [b"\n", b"\r", b"\r\n", b"a", b"bc", "é".encode(), b"\xef\xbb\xbf", b"d" * 9, b"e" * 40]


def listed(path: Path) -> File:
    """Give a file as a listing has it."""
    return File(path.name, f"file:{path}", path.stat().st_size)


def lines_of(path: Path) -> list[bytes]:
    """Read a file block by block, and give its lines."""
    found = []
    for extent in extents_of(listed(path)):
        for part in read_lines(extent):
            assert part.damage is None
            found += part.lines.to_pylist()
    return found


def expected(content: bytes) -> list[bytes]:
    """Give the lines of a file by Python's own reading of them."""
    return content.removeprefix(b"\xef\xbb\xbf").splitlines(keepends=True)


def shown(line: bytes) -> bytes:
    """A line as far as it must be read."""
    line = without_end(line)
    return line if len(line) <= LONGEST else line[: LONGEST + 1]


@pytest.mark.parametrize("packed", [False, True])
def test_any_file_in_blocks_of_any_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packed: bool
) -> None:
    """Each line is in one block, and a line end never in two."""
    rng = random.Random(3)
    monkeypatch.setattr(blocks, "MAX_LINE_BYTES", LONGEST)
    for i in range(3000):
        weights = [rng.random() ** 3 for _ in PIECES]
        content = b"".join(rng.choices(PIECES, weights, k=rng.randint(1, 30)))
        monkeypatch.setattr(blocks, "BLOCK_BYTES", rng.randint(4, 50))
        monkeypatch.setattr(blocks, "_AHEAD_BYTES", rng.randint(1, 9))
        path = tmp_path / f"{i}.json{'.gz' if packed else ''}"
        path.write_bytes(gzip.compress(content, 1) if packed else content)
        found = [shown(line) for line in lines_of(path)]
        assert found == [shown(line) for line in expected(content)], (content, blocks.BLOCK_BYTES)
        path.unlink()


def test_blocks_have_sizes_and_an_empty_file_none() -> None:
    """Whatever is read again is cut alike."""
    size = 2 * blocks.BLOCK_BYTES + 1
    whole = [0, blocks.BLOCK_BYTES, 2 * blocks.BLOCK_BYTES, size]
    file = File("a", "file:/a", size)
    assert extents_of(file) == [Extent(Block("a", start), file, end) for start, end in pairwise(whole)]
    assert extents_of(File("a", "file:/a", 0)) == []
    assert len(extents_of(File("a.gz", "file:/a.gz", size))) == 1


@pytest.mark.parametrize(
    ("name", "content", "damage"),
    [
        ("a.gz", gzip.compress(b"a\n" * 999)[:-9], "it is cut off"),
        ("a.gz", gzip.compress(b"a\n")[:5], "it is cut off"),
        ("a.gz", gzip.compress(b"a\n")[:-8] + b"\0" * 8, "its bytes are damaged"),
        ("a.gz", gzip.compress(b"a\n") + b"b", "its bytes are damaged"),
        ("a.gz", b"a\n", "is not packed"),
        ("a.gz", b"a", "is not packed"),
        ("a.json", gzip.compress(b"a\n"), "does not end in .gz"),
        ("a.GZ", gzip.compress(b"a\n"), "does not end in .gz"),
    ],
)
def test_damaged_files(tmp_path: Path, name: str, content: bytes, damage: str) -> None:
    """A file that is refused as a whole says why."""
    (tmp_path / name).write_bytes(content)
    (extent,) = extents_of(listed(tmp_path / name))
    assert damage in str(list(read_lines(extent))[-1].damage)


@pytest.mark.parametrize("name", ["a.json", "a.json.gz"])
def test_a_file_that_shrinks_is_no_shorter_file(tmp_path: Path, name: str) -> None:
    """What was listed is read, or nothing."""
    path = tmp_path / name
    path.write_bytes(gzip.compress(random.Random(1).randbytes(9999)) if name.endswith("gz") else b"a\n" * 999)
    (extent,) = extents_of(listed(path))
    path.write_bytes(path.read_bytes()[:80])
    with pytest.raises(JobError, match=r"a\.json.* was changed while it was read"):
        list(read_lines(extent))
