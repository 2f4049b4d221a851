"""Who was forgotten: a list of keyed hashes, and which rows and refused lines are theirs.

A port of engines/suppression.ts: both give the same verdicts, by `tests/suppression_cases.json`.
"""

import datetime
import hmac
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from . import files
from .errors import JobError
from .manifest import Column, Identifies

Kind = Literal["person", "device", "hint"]
Mask = npt.NDArray[np.bool_]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
_HASH = re.compile(r"[0-9a-f]{64}")
_ASCII_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
_SINCE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")

# The same in engines/suppression.ts. The quantifiers never give back: a text is passed over in one go.
_PIECES = re.compile(r'(?:[^"\\]++|\\.?)++', re.DOTALL)
"""What stands between double quotes that no backslash escapes, and what stands outside them."""
_SINGLE_QUOTED = re.compile("[^']+")
_FIELDS = re.compile(r"[^,;\t|]+")
_SEPARATORS = r"""\x00-\x20\x7f"'<>(){}\[\],;:|"""
_WORDS = re.compile(rf"[^{_SEPARATORS}\\]+")
_PLAIN_WORDS = re.compile(r"[A-Za-z0-9._%+@-]+")
"""Bytes that are no UTF-8 may stand right behind a value."""
_EMAIL = re.compile(rf"[^{_SEPARATORS}\\]@[^{_SEPARATORS}\\]")
_SPACES = " \t\n\v\f\r"
_SEPARATOR = re.compile(f"[{_SEPARATORS}]")
_ESCAPE = re.compile(r'\\(?:u([0-9a-fA-F]{4})|(["\\/bfnrt]))')
_ESCAPED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_QUOTES = re.compile(r'\\.?|"', re.DOTALL)
_LEAST_CUT = 6
"""Shorter beginnings are those of many."""
_ATTEMPTS = 5


class Entry(NamedTuple):
    """One hash of the list."""

    kind: Kind
    hash: str
    since: str
    """When it was entered, as ISO 8601 in UTC."""


def normalised(value: str) -> str:
    """Give a value as it is compared: without white space around, and without the case of A to Z.

    Of ASCII only: of what else there is, languages have views of their own.
    """
    return value.strip(_SPACES).translate(_ASCII_LOWER)


def hash_of(key: bytes, kind: Kind, value: str) -> str:
    """Hash a value of a kind; not as pseudonyms are hashed, which are themselves to be forgotten."""
    return hmac.digest(key, _bytes(f"{kind}:{normalised(value)}"), "sha256").hex()


def pseudonym_of(key: bytes, value: str) -> str:
    """Give the pseudonym of a value."""
    return hmac.digest(key, _bytes(value), "sha256").hex()


def _bytes(text: str) -> bytes:
    """UTF-8; half a surrogate pair as JavaScript writes it."""
    return _joined(text, "replace").encode()


def _joined(text: str, errors: str = "surrogatepass") -> str:
    """Make one character of both halves of a pair."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", errors)


def tokens_of(raw: str) -> set[str]:
    """Give every text of a line that may be a whole value, normalised.

    What is between quotes, seen from the line's beginning or from within a text, since a line may lack its
    first half; between single quotes; between the separators of CSV; and words. Of texts with escapes also
    what they hold, so that JSON in JSON is read too.
    """
    found: set[str] = set()
    texts = [raw]
    while texts:
        text = texts.pop()
        for pattern in (_PIECES, _SINGLE_QUOTED, _FIELDS, _WORDS, _PLAIN_WORDS):
            for token in pattern.findall(text):
                plain = _unescaped(token)
                found.add(normalised(plain))
                # Each is shorter than the text that it is from.
                if pattern is _PIECES and plain != token:
                    texts.append(plain)
                if pattern is _PLAIN_WORDS:
                    # A full stop behind an e-mail is no part of it.
                    found.add(normalised(token.strip(".-")))
    found.discard("")
    return found


def _unescaped(text: str) -> str:
    """Replace the escapes of JSON one by one, as a cut text has no whole literal; what is no escape stays."""
    if "\\" not in text:
        return text
    return _joined(
        _ESCAPE.sub(lambda e: chr(int(e[1], 16)) if e[1] is not None else _ESCAPED.get(e[2], e[2]), text)
    )


def _without_edges(raw: str) -> str:
    """Give a line without its first and its last word, which may be cut off."""
    text = raw.strip(_SPACES)
    first = _SEPARATOR.search(text)
    last = _SEPARATOR.search(text[::-1])
    return text[first.start() : len(text) - last.start()] if first and last else ""


def _is_cut(raw: str, person: str) -> bool:
    """Whether a line breaks off in a text that may become the name: in what follows its last quote."""
    if _QUOTES.findall(raw).count('"') % 2 == 0:
        return False
    pieces = _PIECES.findall(raw)
    last = normalised(_unescaped(pieces[-1]).removesuffix("\\")) if pieces else ""
    return len(last) >= _LEAST_CUT and normalised(person).startswith(last)


@dataclass(frozen=True)
class Forgotten:
    """Whoever is on the list, as workers judge by it."""

    key: bytes
    """Of pseudonyms."""
    hashes: Mapping[Kind, frozenset[str]] = field(default_factory=dict)
    pseudonyms: frozenset[str] = frozenset()
    """Theirs; known only while somebody is being forgotten."""
    email: str = ""
    """Of who is being forgotten, if somebody is."""

    def __bool__(self) -> bool:
        """Whether anybody is on the list."""
        return any(self.hashes.values())

    def has(self, kind: Kind, value: str) -> bool:
        """Whether a value is on the list."""
        return hash_of(self.key, kind, value) in self.hashes.get(kind, ())

    def rows(self, rows: pa.RecordBatch, columns: Mapping[str, Column]) -> Mask | None:
        """Tell which rows are theirs; None: no row is.

        A device may be another's by now, so it only tells of rows that name no person.
        """
        theirs = self._rows(rows, columns, "person")
        of_devices = self._rows(rows, columns, "device")
        if of_devices is not None:
            for name in _of(columns, "person"):
                of_devices = of_devices & ~is_named(rows.column(name))
            if of_devices.any():
                theirs = of_devices if theirs is None else theirs | of_devices
        return theirs

    def _rows(self, rows: pa.RecordBatch, columns: Mapping[str, Column], kind: Identifies) -> Mask | None:
        theirs: Mask | None = None
        if self.hashes.get(kind):
            for name in _of(columns, kind):
                mask = self.values(rows.column(name), kind)
                if mask is not None:
                    theirs = mask if theirs is None else theirs | mask
        return theirs

    def values(self, values: pa.Array, kind: Kind) -> Mask | None:
        """Tell which values of a kind are on the list; None: none is."""
        mask = _by_value(values, lambda value: self.has(kind, value))
        return mask if mask.any() else None

    def line(self, raw: str) -> bool:
        """Whether a refused line is theirs.

        It has a name of theirs, or where no other person can be read, of their device or a value that points
        to them. An e-mail at the very edge of a line may be cut off, and is nobody's that can be read.
        """
        tokens = tokens_of(raw)
        if self._any("person", tokens):
            return True
        if self.email and (not self.pseudonyms.isdisjoint(tokens) or _is_cut(raw, self.email)):
            return True
        if not self._any("device", tokens) and not self._any("hint", tokens):
            return False
        return not any(map(_EMAIL.search, tokens_of(_without_edges(raw))))

    def _any(self, kind: Kind, tokens: Iterable[str]) -> bool:
        return bool(self.hashes.get(kind)) and any(self.has(kind, token) for token in tokens)


def is_named(values: pa.Array) -> Mask:
    """Tell which values name somebody: neither NULL nor blank."""
    return _by_value(values, lambda value: normalised(value) != "")


def _by_value(values: pa.Array, judge: Callable[[str], bool]) -> Mask:
    # The same few values come again and again. NULL is nobody's.
    encoded = values.dictionary_encode()
    verdicts = np.array([*map(judge, encoded.dictionary.to_pylist()), False])
    mask: Mask = verdicts[encoded.indices.fill_null(len(verdicts) - 1).to_numpy()]
    return mask


def _of(columns: Mapping[str, Column], kind: Identifies) -> list[str]:
    return [name for name, column in columns.items() if column.identifies == kind]


def forgotten_of(entries: Iterable[Entry], key: bytes) -> Forgotten:
    """Make what workers judge by of a list."""
    listed = list(entries)
    return Forgotten(key, {kind: frozenset(e.hash for e in listed if e.kind == kind) for kind in KINDS})


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
    return [] if found is None else _parsed(uri, found.text)


def add_to_list(uri: str, added: Iterable[tuple[Kind, str]]) -> list[Entry]:
    """Enter hashes that are not on the list yet, and give the whole list as it is then.

    Raises:
        JobError: It is damaged, or others keep changing it.
    """
    wanted = list(dict.fromkeys(added))
    for _ in range(_ATTEMPTS):
        found = files.read_tagged(uri)
        entries = [] if found is None else _parsed(uri, found.text)
        known = {(entry.kind, entry.hash) for entry in entries}
        since = f"{datetime.datetime.now(datetime.UTC):%Y-%m-%dT%H:%M:%SZ}"
        new = [Entry(kind, hash_, since) for kind, hash_ in wanted if (kind, hash_) not in known]
        if not new:
            return entries
        entries += new
        text = json.dumps({"version": 1, "entries": [e._asdict() for e in entries]}, indent=2)
        try:
            files.replace(uri, f"{text}\n".encode(), None if found is None else found.tag)
        except files.Changed:
            continue
        return entries
    raise JobError(f"{uri} is changed by others again and again; call again")


def _parsed(uri: str, text: str) -> list[Entry]:
    try:
        return list(_entries(json.loads(text)))
    except (ValueError, KeyError, TypeError):
        path = uri.removeprefix("file:")
        raise JobError(
            f"{path} is no list of who was forgotten; restore it. Without it the forgotten would come back"
        ) from None


def _entries(value: Mapping[str, object]) -> Iterator[Entry]:
    entries = value["entries"]
    if value["version"] != 1 or not isinstance(entries, list) or len(value) > len(("version", "entries")):
        raise ValueError
    for given in entries:
        entry = Entry(**given)
        if entry.kind not in KINDS or not _HASH.fullmatch(entry.hash) or not _SINCE.fullmatch(entry.since):
            raise ValueError
        yield entry
