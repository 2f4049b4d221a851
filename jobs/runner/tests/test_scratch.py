"""Tests of where a local Spark spills: what a process leaves there, and what others leave alone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from lakehouse_runner.scratch import remove_left

PROGRAM = """
import os, sys, tempfile
from lakehouse_runner.scratch import Scratch
scratch = Scratch(sys.argv[1])
tempfile.NamedTemporaryFile(delete=False)
print(scratch.folder, os.getcwd(), os.environ["TMPDIR"], scratch.java_options, sep="|", flush=True)
if sys.stdin.readline():
    scratch.remove()
"""


class Other:
    """Another process with a scratch folder."""

    def __init__(self, root: Path) -> None:
        """Start it, and wait until it has its folder."""
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(root)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        )
        assert self._process.stdout is not None
        self.said = self._process.stdout.readline().strip().split("|")
        self.folder = Path(self.said[0])

    def end(self) -> None:
        """Have it end as it should."""
        self._process.communicate("end\n")

    def kill(self) -> None:
        """Kill it."""
        self._process.kill()
        self._process.communicate()


def test_what_is_left_goes_and_who_lives_keeps_theirs(tmp_path: Path) -> None:
    """Whoever holds the lake cleans up; queries go on meanwhile."""
    root = tmp_path / "tmp"
    killed, living = Other(root), Other(root)
    assert [path.stat().st_mode & 0o777 for path in (root, killed.folder, living.folder)] == [0o700] * 3
    assert len(list(living.folder.iterdir())) == 1
    remove_left(str(root))
    assert sorted(root.iterdir()) == sorted([killed.folder, living.folder])
    killed.kill()
    remove_left(str(root))
    assert list(root.iterdir()) == [living.folder]
    assert len(list(living.folder.iterdir())) == 1
    living.end()
    remove_left(str(root))
    assert not root.exists() or list(root.iterdir()) == []
    remove_left(str(tmp_path / "missing"))


@pytest.mark.parametrize("name", ["lake", 'a, "b" c\\d'])
def test_all_that_is_written_beside_the_lake_is_there(tmp_path: Path, name: str) -> None:
    """However the lake is called; and where there was no lake, none is left."""
    root = tmp_path / name / "spark" / "tmp"
    process = Other(root)
    folder = str(process.folder)
    assert process.folder.parent == root
    assert process.said[1:3] == [folder, folder]
    escaped = folder.replace("\\", "\\\\").replace('"', '\\"')
    assert process.said[3].strip() == f'"-Djava.io.tmpdir={escaped}"'
    process.end()
    assert list(tmp_path.iterdir()) == []
    root.parent.mkdir(parents=True)
    process = Other(root)
    (root.parent / "runs").mkdir()
    process.end()
    assert list(root.parent.iterdir()) == [root.parent / "runs"]
