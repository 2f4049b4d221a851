"""Tests of how records are taken out of landing files: what is left is a record a line."""

import gzip
import json
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bucket import Bucket
from contract import Contract, source_of
from lakehouse_runner import files
from lakehouse_runner.files import File
from lakehouse_runner.rewrite import rewritten
from listed import listed

KEY = b"key"
COLUMNS = {
    "user": Contract("text", identifies="person"),
    "at": Contract("int", min=0),
}
SOURCE = source_of(Path("/nowhere"), COLUMNS)
CSV = {"kind": "csv", "header": True, "delimiter": ",", "quote": '"'}
LISTED = listed(KEY, "ann@x.org", subject="ann@x.org")

THEIRS = [
    b'{"user":"ann@x.org","at":1}',
    b'{"at":2, "USER":"\\u0061nn@X.org "}',
    b'{"user":"ann@x.org","at":-1}',
    b"ann@x.org,7\xff",
    b'{"user":"ann@x.',
]
OTHERS = [b'{"user":"bob@x.org","at":1}', b'{"at":2,"user":"ann@x.orgs"}', b"bad \xe9", b"{"]
ANN, BOB, CLEO = (f'{{"user":"{name}@x.org","at":1}}' for name in ("ann", "bob", "cleo"))


def write(folder: Path, name: str, content: bytes) -> File:
    """Write a file."""
    (folder / name).write_bytes(content)
    (file,) = [f for f in files.list_files(f"file:{folder}") if f.name == name]
    return file


@pytest.mark.parametrize("name", ["a.json", "a.json.gz"])
def test_others_bytes_stay(tmp_path: Path, name: str) -> None:
    """Also of what is no UTF-8; a file that holds nothing of theirs is not touched."""
    pack = gzip.compress if name.endswith(".gz") else bytes
    content = b"\n".join([OTHERS[0], *THEIRS, *OTHERS[1:]])
    assert rewritten(write(tmp_path, name, pack(content)), SOURCE, LISTED)
    after = (tmp_path / name).read_bytes()
    lines = (gzip.decompress(after) if name.endswith(".gz") else after).splitlines()
    assert sorted(lines) == sorted(OTHERS)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    others = pack(b"\r\n".join(OTHERS))
    assert rewritten(write(tmp_path, name, others), SOURCE, LISTED)
    assert (tmp_path / name).read_bytes() == others


@pytest.mark.parametrize(
    ("content", "left"),
    [
        (f"{BOB}{ANN}{CLEO}", [BOB, CLEO]),
        (f"{BOB},{ANN}\n{CLEO}", [BOB, CLEO]),
        (f"[{ANN},{BOB},{ANN}]\n", [BOB]),
        (f"[\n{ANN},\n{BOB}\n]\n", [f"{BOB}"]),
        (f"{BOB}\n" + json.dumps(json.loads(ANN), indent=2) + f"\n{CLEO}\n", [BOB, CLEO]),
        (f"{BOB},{{bad ann@x.org}},{CLEO}", [BOB, CLEO]),
        (f"[\n{ANN}\n]\n", None),
    ],
)
def test_only_their_records_go(tmp_path: Path, content: str, left: list[str] | None) -> None:
    """Wherever they stand. A file with nothing else is deleted: an empty one would be told as damaged."""
    assert rewritten(write(tmp_path, "a.json", content.encode()), SOURCE, LISTED)
    path = tmp_path / "a.json"
    found = (
        sorted(json.loads(line)["user"] for line in path.read_text().splitlines()) if path.exists() else None
    )
    assert found == (None if left is None else [json.loads(line)["user"] for line in left])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json.gz", gzip.compress(b"\n".join(THEIRS))[:-9]),
        ("a.json.gz", b"\n".join(THEIRS)),
        ("a.json", gzip.compress(b"x")),
        ("a.json", "ann@x.org".encode("utf-16")),
        ("a.json", b"PAR1ann@x.org"),
    ],
)
def test_what_cannot_be_looked_into_is_told(tmp_path: Path, name: str, content: bytes) -> None:
    """And stays as it is."""
    assert not rewritten(write(tmp_path, name, content), SOURCE, LISTED)
    assert (tmp_path / name).read_bytes() == content


@pytest.mark.parametrize("written_as", ["json", CSV])
def test_a_file_is_looked_into_piece_by_piece(tmp_path: Path, written_as: object) -> None:
    """One of which a line is longer than a piece cannot be looked into, and stays as it is."""
    made = source_of(Path("/nowhere"), COLUMNS, written_as=written_as)
    source = replace(made, records=replace(made.records, piece_bytes=100))
    header, line = ("", '{{"user":"{}","at":{}}}\n') if written_as == "json" else ("user,at\n", "{},{}\n")
    others = [line.format(f"bob{i}@x.org", i) for i in range(20)]
    text = header + "".join(other + line.format("ann@x.org", i) for i, other in enumerate(others))
    assert rewritten(write(tmp_path, "a", text.encode()), source, LISTED)
    assert (tmp_path / "a").read_text() == header + "".join(others)
    long = text + line.format("ann@x.org" + " " * 100, 1)
    assert not rewritten(write(tmp_path, "a", long.encode()), source, LISTED)
    assert (tmp_path / "a").read_text() == long


def test_what_holds_no_record_is_looked_into(tmp_path: Path) -> None:
    """A run refuses it and goes on."""
    assert rewritten(write(tmp_path, "a.json", b""), SOURCE, LISTED)


def test_an_object_that_others_write_meanwhile_is_theirs(bucket: Bucket) -> None:
    """It is replaced as it was read or not at all."""
    bucket.put("landing/a.json", b"\n".join([*THEIRS, *OTHERS]))
    (file,) = files.list_files("s3://lake/landing/")
    bucket.before("PutObject", lambda: bucket.put("landing/a.json", b"new"))
    with pytest.raises(files.Changed, match=r"s3://lake/landing/a\.json was changed meanwhile; call again"):
        rewritten(file, SOURCE, LISTED)
    assert bucket.objects == {"landing/a.json": b"new"}


def test_records_of_elements(tmp_path: Path) -> None:
    """Each record is written once, however many elements its array has."""
    columns = {"user": Contract("text", identifies="person"), "sku": Contract("text", from_="items.sku")}
    source = source_of(tmp_path, columns, each="items")

    def record(user: str, *skus: object) -> str:
        return json.dumps({"user": user, "items": [{"sku": sku} for sku in skus]})

    others = [record("bob@x.org"), record("bob@x.org", "a", "b"), record("cleo@x.org", 1, "c")]
    theirs = [record("ann@x.org", "a", "b"), record("ann@x.org", 1)]
    content = "\n".join([*others[:2], *theirs, others[2]])
    assert rewritten(write(tmp_path, "a.json", content.encode()), source, LISTED)
    assert sorted((tmp_path / "a.json").read_text().splitlines()) == sorted(others)


def test_csv_keeps_its_header(tmp_path: Path) -> None:
    """And every byte of others; a file of a header alone is deleted."""
    source = source_of(Path("/nowhere"), COLUMNS, written_as=CSV)
    theirs = b'ann@x.org,1\r\n"ANN@x.org ",2\r\n"x\ny",ann@x.org\r\nann@x.org,many\r\n'
    others = b'"bob\n@x.org",1\r\n\r\nb\xff,2\r\nbob@x.org,3'
    write(tmp_path, "a.csv", b"user,at\r\n" + theirs + others)
    write(tmp_path, "b.csv", b"user,at\r\n" + theirs)
    for file in files.list_files(f"file:{tmp_path}"):
        assert rewritten(file, source, LISTED)
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
    assert (tmp_path / "a.csv").read_bytes() == b"user,at\r\n" + others


def test_parquet_keeps_its_columns(tmp_path: Path) -> None:
    """And the rows of others; a damaged file is as it was."""
    source = source_of(Path("/nowhere"), COLUMNS, written_as="parquet")
    users = ["bob@x.org", "ann@x.org", "Ann@X.org", "cleo@x.org"]
    table = pa.table({"user": users, "at": [1, 2, -1, -1], "more": [1.5, 2, 3, 4]})
    pq.write_table(table, tmp_path / "a.parquet")
    whole = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "b.parquet").write_bytes(whole[:-9])
    # Its footer is sound.
    (tmp_path / "c.parquet").write_bytes(whole[:4] + bytes(40) + whole[44:])
    first, *damaged = files.list_files(f"file:{tmp_path}")
    assert rewritten(first, source, LISTED)
    assert pq.read_table(tmp_path / "a.parquet").to_pydict() == {
        "user": ["bob@x.org", "cleo@x.org"],
        "at": [1, -1],
        "more": [1.5, 4.0],
    }
    for file in damaged:
        before = (tmp_path / file.name).read_bytes()
        assert not rewritten(file, source, LISTED)
        assert (tmp_path / file.name).read_bytes() == before
