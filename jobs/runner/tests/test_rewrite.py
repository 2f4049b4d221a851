"""Tests of how lines are taken out of files: every other byte stays."""

import gzip
import json
import random
from dataclasses import replace
from pathlib import Path

import pytest
from contract import Contract, source_of
from lakehouse_runner import files
from lakehouse_runner.files import File
from lakehouse_runner.rewrite import LandingSieve, QuarantineSieve, Sifted, sift
from lakehouse_runner.suppression import Entry, Forgotten, forgotten_of, hash_of
from s3_standin import Bucket

KEY = b"key"
COLUMNS = {
    "user": Contract("text", identifies="person"),
    "at": Contract("int", min=0),
}
LISTED = forgotten_of([Entry("person", hash_of(KEY, "person", "ann@x.org"), "")], KEY)
READING = source_of(Path("/nowhere"), COLUMNS).reading
SIEVE = LandingSieve(Forgotten(KEY, LISTED.hashes, email="ann@x.org"), COLUMNS, READING)

THEIRS = [
    b'{"user":"ann@x.org","at":1}',
    b'{"at":2, "USER":"\\u0061nn@X.org "}',
    b'{"user":"ann@x.org","at":-1}',
    b"ann@x.org,7\xff",
    b'{"user":"ann@x.',
]
OTHERS = [b'{"user":"bob@x.org","at":1}', b"", b" \t", b'{"at":2,"user":"ann@x.orgs"}', b"bad \xe9", b"{"]


def write(folder: Path, name: str, content: bytes) -> File:
    """Write a file."""
    (folder / name).write_bytes(content)
    (file,) = [f for f in files.list_files(f"file:{folder}") if f.name == name]
    return file


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("packed", [False, True])
def test_all_other_bytes_stay(tmp_path: Path, end: bytes, packed: bool) -> None:
    """However a file is read, whatever its lines end in, and with a byte-order mark."""
    rng = random.Random(3)
    for size in (50, 200, 1 << 20):
        sieve = LandingSieve(SIEVE._forgotten, COLUMNS, replace(READING, piece_bytes=size))
        mark = rng.choice([b"", b"\xef\xbb\xbf"])
        lines = [mark + OTHERS[0] + end, *(rng.choice(THEIRS + OTHERS) + end for _ in range(40)), OTHERS[0]]
        name = f"{size}.json.gz" if packed else f"{size}.json"
        content = b"".join(lines)
        file = write(tmp_path, name, gzip.compress(content) if packed else content)
        kept = [line for line in lines if line.removesuffix(end) not in THEIRS]
        assert sift(file, sieve, rewrite=False) == Sifted(len(lines) - len(kept))
        assert (tmp_path / name).stat().st_size == file.size
        assert sift(file, sieve, rewrite=True) == Sifted(len(lines) - len(kept))
        after = (tmp_path / name).read_bytes()
        assert (gzip.decompress(after) if packed else after) == b"".join(kept)
        assert sorted(path.name for path in tmp_path.iterdir()) == [name]
        (tmp_path / name).unlink()


ANN, BOB, CLEO = (f'{{"user":"{name}@x.org","at":1}}' for name in ("ann", "bob", "cleo"))


@pytest.mark.parametrize(
    ("content", "removed", "left"),
    [
        (f"{BOB}{ANN}{CLEO}", 1, f"{BOB}\n{CLEO}\n"),
        (f"{BOB},{ANN}\n{CLEO}", 1, f"{BOB}\n{CLEO}"),
        (f"[{ANN},{BOB},{ANN}]\n", 2, f"{BOB}\n"),
        (f"[\n{ANN},\n{BOB}\n]\n", 1, f"[\n{BOB}\n]\n"),
        (f"{BOB}\n" + json.dumps(json.loads(ANN), indent=2) + f"\n{CLEO}\n", 1, f"{BOB}\n{CLEO}\n"),
        (
            json.dumps([json.loads(r) for r in (BOB, ANN)], indent=2),
            1,
            '[\n  {\n    "user": "bob@x.org",\n    "at": 1\n  },\n',
        ),
        (f"{BOB},{{bad ann@x.org}},{CLEO}", 1, f"{BOB}\n{CLEO}\n"),
        (f"[\n{ANN}\n]\n", 1, None),
    ],
)
def test_only_their_records_go(tmp_path: Path, content: str, removed: int, left: str | None) -> None:
    """Wherever they stand; others on the same lines get a line each."""
    file = write(tmp_path, "a.json", content.encode())
    assert sift(file, SIEVE, rewrite=True) == Sifted(removed)
    path = tmp_path / "a.json"
    assert (path.read_text() if path.exists() else None) == left


def test_a_file_with_nothing_else_is_deleted(tmp_path: Path) -> None:
    """An empty one would be told as damaged ever after. Hadoop's checksum goes with it."""
    file = write(tmp_path, "a.json", b"\n".join(THEIRS))
    (tmp_path / ".a.json.crc").touch()
    assert sift(file, SIEVE, rewrite=True) == Sifted(len(THEIRS))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("a.json.gz", gzip.compress(b"\n".join(THEIRS))[:-9], "cannot be unpacked to its end"),
        ("a.json.gz", b"\n".join(THEIRS), "its name ends in .gz, but it is not packed with gzip"),
        ("a.json", gzip.compress(b"x"), "it is packed with gzip, but its name does not end in .gz"),
        ("a.json", "ann@x.org".encode("utf-16"), "it is UTF-16 text"),
        ("a.json", b"PAR1ann@x.org", "it is Parquet"),
        ("a.json", b"{" * 100, "has a line longer than"),
    ],
)
def test_what_cannot_be_looked_into_is_told(tmp_path: Path, name: str, content: bytes, why: str) -> None:
    """And stays as it is."""
    sieve = LandingSieve(SIEVE._forgotten, COLUMNS, replace(READING, piece_bytes=90))
    file = write(tmp_path, name, content)
    for told in (False, True):
        found = sift(file, sieve, rewrite=told)
        assert found.removed == 0
        assert found.unread is not None
        assert why in found.unread
    assert (tmp_path / name).read_bytes() == content


def test_what_was_refused_is_judged_by_its_raw_text(tmp_path: Path) -> None:
    """Spark's JSON around it, half a line of a writer that was killed, and whole files, which have none."""
    kept = [
        json.dumps({"file": "ann@x.json", "line": 1, "reason": "TRUNCATED", "raw": '{"user":"bob@x.org'}),
        json.dumps({"file": "a.json", "line": 0, "reason": "EMPTY_FILE", "raw": ""}),
        json.dumps({"file": "a.json", "line": 0, "reason": "EMPTY_FILE"}),
    ]
    theirs = [
        json.dumps({"file": "a.json", "line": 2, "reason": "NOT_JSON", "raw": raw.decode("latin-1")})
        for raw in THEIRS
    ]
    half = [theirs[0][:-3]]
    file = write(tmp_path, "part.json", "\n".join([*kept, *theirs, *half]).encode())
    sieve = QuarantineSieve(SIEVE._forgotten, READING.forgotten)
    assert sift(file, sieve, rewrite=True) == Sifted(len(THEIRS) + 1)
    assert (tmp_path / "part.json").read_text().splitlines() == kept


def test_an_object_that_others_write_meanwhile_is_theirs(bucket: Bucket) -> None:
    """It is replaced as it was read or not at all."""
    content = b"\n".join([*THEIRS, *OTHERS])
    bucket.objects = {"landing/a.json": content}
    (file,) = files.list_files("s3://lake/landing/")
    bucket.before_put = [lambda: bucket.objects.update({"landing/a.json": b"new"})]
    with pytest.raises(files.Changed, match=r"s3://lake/landing/a\.json was changed meanwhile; call again"):
        sift(file, SIEVE, rewrite=True)
    assert bucket.objects == {"landing/a.json": b"new"}
    bucket.objects = {"landing/a.json": content}
    assert sift(file, SIEVE, rewrite=True).removed == len(THEIRS)
    assert bucket.objects == {"landing/a.json": b"\n".join(OTHERS)}
