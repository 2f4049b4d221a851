"""Which landing files are found to be delivered twice."""

from pathlib import Path

from lakehouse_runner.copies import copies_among
from lakehouse_runner.files import list_files


def test_copies_by_all_of_their_bytes(tmp_path: Path) -> None:
    """The same as of the embedded engine, in engines/landing/copies.test.ts."""
    head = "x" * 10_000
    contents = {
        "a.json": f"{head}1",
        "b.json": f"{head}2",
        "c.json": f"y{head}",
        "d.json": f"{head}1",
        "e/a.json": f"{head}1",
        "f.json": f"{head}11",
        "g.json": "short",
        "h.json": "short",
        "i.json": "",
        "j.json": "",
    }
    (tmp_path / "e").mkdir()
    for name, content in contents.items():
        (tmp_path / name).write_text(content)
    copies = copies_among(list_files(f"file:{tmp_path}/"))
    assert [(copy.file.name, copy.same_as.name) for copy in copies] == [
        ("d.json", "a.json"),
        ("e/a.json", "a.json"),
        ("h.json", "g.json"),
    ]
