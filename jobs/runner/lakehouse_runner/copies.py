"""Finds landing files that were delivered twice."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from . import files
from .files import File

_HEAD_BYTES = 4096
_ASKED_AT_ONCE = 32


class Copy(NamedTuple):
    """A file that is the same as another, byte for byte."""

    file: File
    same_as: File


def copies_among(listed: Sequence[File]) -> list[Copy]:
    """Say which of the files are the same as one before them.

    Cheap where none is: of files of a size the beginnings are read, and of those that begin alike the rest.
    Empty files hold no records, and are no copies.
    """
    groups = [[file for file in listed if file.size > 0]]
    marks: tuple[Callable[[File], Hashable], ...] = (_size, _head, _digest)
    with ThreadPoolExecutor(_ASKED_AT_ONCE) as pool:
        for mark in marks:
            groups = [alike for group in groups for alike in _alike(group, pool.map(mark, group))]
    return [Copy(file, first) for first, *others in groups for file in others]


def _alike(group: Sequence[File], marks: Iterable[Hashable]) -> list[list[File]]:
    """Give the groups of several files with the same mark."""
    by_mark: defaultdict[Hashable, list[File]] = defaultdict(list)
    for file, mark in zip(group, marks, strict=True):
        by_mark[mark].append(file)
    return [alike for alike in by_mark.values() if len(alike) > 1]


def _size(file: File) -> int:
    return file.size


def _head(file: File) -> bytes:
    return files.read_range(file, 0, _HEAD_BYTES)


def _digest(file: File) -> bytes:
    digest = hashlib.sha256()
    for start in range(0, file.size, files.RANGE_BYTES):
        digest.update(files.read_range(file, start, start + files.RANGE_BYTES))
    return digest.digest()
