"""Who was forgotten: a list of keyed hashes, as engines/suppression.ts has it. SQL makes and asks them."""

import datetime
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

from . import files
from .errors import JobError

Kind = Literal["person", "device", "hint", "moment"]
_HASH = re.compile(r"[0-9a-f]{64}")
_SINCE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
_ATTEMPTS = 5
_MARK = ".written"
"""What stands beside a list that was written: without it a list that was deleted would be none."""
_FORMAT = 2
"""One of format 1 is read too, and has no moments."""


class Entry(NamedTuple):
    """One hash of the list."""

    kind: Kind
    hash: str
    since: str = ""
    """When it was entered, as ISO 8601 in UTC; empty before."""


@dataclass(frozen=True)
class Forgotten:
    """Whoever is on the list, as the manifest's SQL judges by it."""

    key: bytes
    """Of pseudonyms."""
    entries: tuple[Entry, ...] = ()
    subject: str | None = None
    """Who is being forgotten, if somebody is."""

    def __bool__(self) -> bool:
        """Whether anybody is on the list."""
        return bool(self.entries)


def read_forgotten(uri: str | None, key: Callable[[], bytes]) -> Forgotten | None:
    """Read the list of a lake. None where nobody is on it; only else is the key asked for.

    Raises:
        JobError: The list is damaged.
    """
    entries = read_list(uri) if uri is not None else []
    return Forgotten(key(), tuple(entries)) if entries else None


def read_list(uri: str) -> list[Entry]:
    """Read the list. Where it is missing, nobody is on it.

    Raises:
        JobError: It is damaged: nobody may be taken for not forgotten.
    """
    found = files.read_tagged(uri)
    if found is not None:
        return _parsed(uri, found.text)
    if files.read_tagged(uri + _MARK) is not None:
        path = uri.removeprefix("file:")
        raise JobError(f"{path} is gone, and people were forgotten, who would come back; restore it")
    return []


def add_to_list(uri: str, added: Iterable[Entry]) -> list[Entry]:
    """Enter hashes that are not on the list yet, and give the whole list as it is then.

    Raises:
        JobError: It is damaged, or others keep changing it.
    """
    wanted = {entry.hash: entry for entry in added}
    files.write_text(uri + _MARK, "{}\n")
    for _ in range(_ATTEMPTS):
        found = files.read_tagged(uri)
        entries = [] if found is None else _parsed(uri, found.text)
        since = f"{datetime.datetime.now(datetime.UTC):%Y-%m-%dT%H:%M:%SZ}"
        new = wanted.keys() - {entry.hash for entry in entries}
        if not new:
            return entries
        entries += [entry._replace(since=since) for entry in wanted.values() if entry.hash in new]
        text = json.dumps({"version": _FORMAT, "entries": [e._asdict() for e in entries]}, indent=2)
        try:
            files.replace(uri, f"{text}\n".encode(), None if found is None else found.tag)
        except files.Changed:
            continue
        return entries
    raise JobError(f"{uri} is changed by others again and again; call again")


def _parsed(uri: str, text: str) -> list[Entry]:
    path = uri.removeprefix("file:")
    try:
        value = json.loads(text)
        version = value["version"]
        if isinstance(version, int) and version not in (1, _FORMAT):
            of = f"{path} is of format {version}, and this version reads {_FORMAT}"
            raise JobError(f"{of}; use the version that wrote it")
        given = value["entries"]
        entries = [Entry(**one) for one in given]
        if isinstance(version, int) and isinstance(given, list) and all(map(_is_sound, entries)):
            return entries
    except (ValueError, KeyError, TypeError):
        pass
    raise JobError(
        f"{path} is no list of who was forgotten; restore it. Without it the forgotten would come back"
    )


def _is_sound(entry: Entry) -> bool:
    hashed, since = _HASH.fullmatch(entry.hash), _SINCE.fullmatch(entry.since)
    return entry.kind in get_args(Kind) and hashed is not None and since is not None
