"""Tests of how files are cut into blocks of lines, and how their text is fetched."""

import gzip
import io
import random
from itertools import pairwise
from pathlib import Path

import pytest
from bucket import Bucket
from lakehouse_runner import blocks, files
from lakehouse_runner.blocks import Block, Extent, Text, extents_of, fetched, pieces_of
from lakehouse_runner.errors import JobError
from lakehouse_runner.files import File

PIECES = [b"\n", b"\n{", b"a", b"bc", "é".encode(), b"d" * 9, b"e" * 40]


def listed(path: Path) -> File:
    """Give a file as a listing has it."""
    (file,) = [file for file in files.list_files(f"file:{path.parent}/") if file.name == path.name]
    return file


def some_text(rng: random.Random) -> bytes:
    """Write lines of any length."""
    return b"".join(rng.choices(PIECES, [rng.random() ** 3 for _ in PIECES], k=rng.randint(1, 30)))


def test_any_file_in_blocks_of_any_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bucket: Bucket
) -> None:
    """Each line is in one block, on a disk and on S3."""
    rng = random.Random(3)
    for i in range(500):
        content = some_text(rng)
        monkeypatch.setattr(blocks, "BLOCK_BYTES", rng.randint(4, 50))
        monkeypatch.setattr(blocks, "_AHEAD_BYTES", rng.randint(1, 9))
        path = tmp_path / f"{i}.json"
        path.write_bytes(content)
        places = [listed(path)]
        # A request takes longer than a read.
        if i % 100 == 0:
            bucket.put("a.json", content)
            places += files.list_files("s3://lake/")
        for file in places:
            parts = []
            with fetched(extents_of(file, is_cut=True), 16) as texts:
                for text in texts:
                    part = Path(text.path).read_bytes()
                    assert (text.size, text.head) == (len(part), part[:16])
                    parts.append(part)
            assert b"".join(parts) == content
            ends = [part.endswith(b"\n") for part in parts if part]
            assert all(ends[:-1])
        path.unlink()


def test_any_text_in_pieces_of_any_size() -> None:
    """A piece ends with a line; of a line that is too long there is the beginning."""
    rng = random.Random(4)
    for _ in range(3000):
        content = some_text(rng)
        size = rng.randint(1, 60)
        before = 0
        for piece in pieces_of(io.BytesIO(content), size):
            assert piece.first == content.count(b"\n", 0, before)
            assert content.startswith(piece.data, before)
            before += len(piece.data) + piece.skipped
            if piece.skipped:
                assert len(piece.data) == size + 1
            assert content[before - 1 : before] == b"\n" or before == len(content)
            # The end of a line counts for nothing.
            assert len(piece.data) <= size + 1
        assert before == len(content)


def test_a_piece_ends_before_a_record() -> None:
    """So that one of several lines is not cut."""
    text = b'{\n"a":1\n}\n{\n"a":2\n}\n'
    assert [piece.data for piece in pieces_of(io.BytesIO(text), 14)] == [text[:10], text[10:]]


def test_lines_that_are_no_text_are_told() -> None:
    """All others of the piece are as they were."""
    (piece,) = pieces_of(io.BytesIO(b"a\n\xff\n\xc3\n\xc3\xa9"), 99)
    assert piece.text() == ("a\n\ufffd\n\ufffd\né".encode(), [2, 3])


def test_blocks_have_sizes_and_an_empty_file_one() -> None:
    """Whatever is read again is cut alike."""
    size = 2 * blocks.BLOCK_BYTES + 1
    whole = [0, blocks.BLOCK_BYTES, 2 * blocks.BLOCK_BYTES, size]
    file = File("a", "file:/a", size)
    assert extents_of(file, is_cut=True) == [Extent(Block("a", s), file, e) for s, e in pairwise(whole)]
    assert extents_of(file, is_cut=False) == [Extent(Block("a", 0), file, size)]
    empty = File("a", "file:/a", 0)
    assert extents_of(empty, is_cut=False) == [Extent(Block("a", 0), empty, 0)]


def fetch(path: Path) -> Text:
    """Fetch a file."""
    with fetched(extents_of(listed(path), is_cut=False), 16) as (text,):
        return text


@pytest.mark.parametrize(
    ("name", "content", "damage"),
    [
        ("a.gz", gzip.compress(b"a\n" * 999)[:-9], "it is cut off"),
        ("a.gz", gzip.compress(b"a\n")[:5], "it is cut off"),
        ("a.gz", gzip.compress(b"a\n")[:-8] + b"\0" * 8, "its bytes are damaged"),
        ("a.gz", gzip.compress(b"a\n") + b"b", "its bytes are damaged"),
        ("a.gz", gzip.compress(b"a\n") + gzip.compress(b"b\n") + bytes(9), None),
        ("a.gz", b"a\n", None),
        ("a.GZ", gzip.compress(b"a\n"), None),
    ],
)
def test_damaged_files(tmp_path: Path, name: str, content: bytes, damage: str | None) -> None:
    """A file that is packed by its name and its beginning is unpacked as far as that goes."""
    (tmp_path / name).write_bytes(content)
    text = fetch(tmp_path / name)
    assert text.damage == damage
    assert text.is_unpacked == (name == "a.gz" and content != b"a\n")


@pytest.mark.parametrize("name", ["a.json", "a.json.gz"])
def test_a_file_that_shrinks_is_no_shorter_file(tmp_path: Path, name: str) -> None:
    """What was listed is read, or nothing."""
    path = tmp_path / name
    path.write_bytes(gzip.compress(random.Random(1).randbytes(9999)) if name.endswith("gz") else b"a\n" * 999)
    extents = extents_of(listed(path), is_cut=False)
    path.write_bytes(path.read_bytes()[:80])
    with pytest.raises(JobError, match=r"a\.json.* was changed while it was read"), fetched(extents, 16):
        pass


def test_nothing_that_was_fetched_stays(bucket: Bucket) -> None:
    """Nor is it open to others meanwhile."""
    bucket.put("a.json", b"a\n")
    (file,) = files.list_files("s3://lake/")
    with fetched(extents_of(file, is_cut=False), 16) as (text,):
        folder = Path(text.path).parent
        assert folder.stat().st_mode & 0o777 == 0o700
    assert not folder.exists()


def test_a_piece_ends_with_pairs_of_marks() -> None:
    """Where it can; else it ends with a line."""
    text = b'a"\nb"\nc"\nd"\ne\nf\n"g\nh\n"long"\n'
    assert [piece.data for piece in pieces_of(io.BytesIO(text), 8, '"')] == [
        b'a"\nb"\n',
        b'c"\nd"\ne\n',
        b"f\n",
        b'"g\nh\n',
        b'"long"\n',
    ]
