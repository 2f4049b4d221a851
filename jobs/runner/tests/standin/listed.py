"""The list of the forgotten as tests make it, beside the SQL that makes it."""

import hmac

from lakehouse_runner.suppression import Entry, Forgotten, Kind


def entry(key: bytes, kind: Kind, value: str) -> Entry:
    """Give what is entered of a value, which is in lower case and without white space around."""
    return Entry(kind, hmac.digest(key, f"{kind}:{value}".encode(), "sha256").hex())


def listed(key: bytes, *people: str, subject: str | None = None) -> Forgotten:
    """Make a list of people."""
    return Forgotten(key, tuple(entry(key, "person", who) for who in people), subject)
