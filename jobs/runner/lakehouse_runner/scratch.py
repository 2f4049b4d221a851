"""Where a local Spark spills: rows of people, which must not stay behind in the machine's own folders."""

import contextlib
import fcntl
import os
import shutil
import tempfile
from pathlib import Path


class Scratch:
    """A folder of this process in the lake, open to nobody else, which other processes leave alone.

    Whoever may clean up knows by its lock that the process lives; the number of a process says nothing in
    another container.
    """

    def __init__(self, root: str) -> None:
        """Make it in `root`, and make it the place for whatever is written beside the lake."""
        # In a folder that turns out to be no lake nothing stays.
        self._made = [path for path in (Path(root), *Path(root).parents) if not path.exists()]
        self.folder = _locked(Path(root))
        self.java_options = f' "-Djava.io.tmpdir={_escaped(self.folder)}"'
        tempfile.tempdir = os.environ["TMPDIR"] = str(self.folder)
        # Spark takes folders with commas between them, which a path may hold itself. And what Java writes
        # where it is started, as it crashes, is here too.
        os.environ["SPARK_LOCAL_DIRS"] = "."
        os.chdir(self.folder)

    def remove(self) -> None:
        """Remove it with all that is in it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        for path in self._made:
            with contextlib.suppress(OSError):
                path.rmdir()


def _locked(root: Path) -> Path:
    while True:
        try:
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder = Path(tempfile.mkdtemp(dir=root)).resolve()
            fcntl.flock(os.open(folder, os.O_RDONLY), fcntl.LOCK_EX)
        except FileNotFoundError:
            # Another process cleans up.
            continue
        if folder.exists():
            return folder


def remove_left(root: str) -> None:
    """Remove what processes that were killed left in `root`. Those that live keep theirs."""
    for folder in Path(root).iterdir() if Path(root).exists() else ():
        with contextlib.suppress(FileNotFoundError):
            handle = os.open(folder, os.O_RDONLY)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)
            except BlockingIOError:
                continue
            finally:
                os.close(handle)


def _escaped(path: Path) -> str:
    """Spell a path between the quotes of Java's options."""
    return str(path).replace("\\", "\\\\").replace('"', '\\"')
