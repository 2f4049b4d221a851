"""Who was forgotten: a list of keyed hashes, as engines/suppression.ts has it."""

import datetime
import hmac
import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, get_args

from . import files
from .errors import JobError

Kind = Literal["person", "device", "hint", "moment"]
Hash = tuple[Kind, str]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
_HASH = re.compile(r"[0-9a-f]{64}")
_SINCE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")

_SPACES = (
    "".join(
        map(
            chr,
            (*range(9, 14), 32, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F),
        )
    )
    + "\u3000\ufeff"
)
_ATTEMPTS = 5
_MARK = ".written"
"""What stands beside a list that was written: without it a list that was deleted would be none."""
_FORMAT = 2
"""One of format 1 is read too, and has no moments."""


class Entry(NamedTuple):
    """One hash of the list."""

    kind: Kind
    hash: str
    since: str
    """When it was entered, as ISO 8601 in UTC."""


def normalised(value: str) -> str:
    """Give a value as it is compared; model/refine.ts says how."""
    # Character by character, as Greek has another small sigma at a word's end; and one letter becomes two.
    lower = ("i" if character == "\u0130" else character.lower() for character in value.strip(_SPACES))
    return unicodedata.normalize("NFC", "".join(lower))


def hash_of(key: bytes, kind: Kind, value: str) -> str:
    """Hash a value of a kind; not as pseudonyms are hashed, which are themselves to be forgotten."""
    return hmac.digest(key, _bytes(f"{kind}:{normalised(value)}"), "sha256").hex()


def _bytes(text: str) -> bytes:
    """UTF-8; half a surrogate pair as JavaScript writes it."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()


@dataclass(frozen=True)
class Forgotten:
    """Whoever is on the list, as the manifest's SQL judges by it."""

    key: bytes
    """Of pseudonyms."""
    entries: tuple[Hash, ...] = ()
    email: str = ""
    """Of who is being forgotten, if somebody is."""

    def __bool__(self) -> bool:
        """Whether anybody is on the list."""
        return bool(self.entries)


def forgotten_of(entries: Iterable[Entry], key: bytes) -> Forgotten:
    """Make what workers judge by of a list."""
    return Forgotten(key, tuple((entry.kind, entry.hash) for entry in entries))


def read_forgotten(uri: str | None, key: Callable[[], bytes]) -> Forgotten | None:
    """Read the list of a lake. None where nobody is on it; only else is the key asked for.

    Raises:
        JobError: The list is damaged.
    """
    entries = read_list(uri) if uri is not None else []
    return forgotten_of(entries, key()) if entries else None


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


def add_to_list(uri: str, added: Iterable[Hash]) -> list[Entry]:
    """Enter hashes that are not on the list yet, and give the whole list as it is then.

    Raises:
        JobError: It is damaged, or others keep changing it.
    """
    wanted = list(dict.fromkeys(added))
    files.write_text(uri + _MARK, "{}\n")
    for _ in range(_ATTEMPTS):
        found = files.read_tagged(uri)
        entries = [] if found is None else _parsed(uri, found.text)
        known = {(entry.kind, entry.hash) for entry in entries}
        since = f"{datetime.datetime.now(datetime.UTC):%Y-%m-%dT%H:%M:%SZ}"
        new = [Entry(kind, hash_, since) for kind, hash_ in wanted if (kind, hash_) not in known]
        if not new:
            return entries
        entries += new
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
        if not isinstance(version, int):
            raise ValueError
        if version in (1, _FORMAT):
            return list(_entries(value))
    except (ValueError, KeyError, TypeError):
        raise JobError(
            f"{path} is no list of who was forgotten; restore it. Without it the forgotten would come back"
        ) from None
    raise JobError(
        f"{path} is of format {version}, and this version reads {_FORMAT}; use the version that wrote it"
    )


def _entries(value: Mapping[str, object]) -> Iterator[Entry]:
    entries = value["entries"]
    if not isinstance(entries, list) or value != {"version": value["version"], "entries": entries}:
        raise ValueError
    for given in entries:
        entry = Entry(**given)
        if entry.kind not in KINDS or not _HASH.fullmatch(entry.hash) or not _SINCE.fullmatch(entry.since):
            raise ValueError
        yield entry
