"""What a table was made of, which stands with it: while that is the same, a run leaves the table as it is."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .files import File

PROVENANCE = "lakehouse.provenance"
"""The property of a table that holds it. `engines/provenance.ts` reads it too, and makes the same digests."""
_FORMAT = 1
_CLOCK_SECONDS = 0.02
"""How far the clock of a file system may be behind: a change within that may leave a file's times."""


@dataclass(frozen=True)
class Provenance:
    """What a run made a table of. `since` and `until` are None where the job does not ask for the time."""

    run: str
    rows: str
    """The first of the runs that made just these rows: another one says that whoever reads them has to."""
    content: str
    """Tells whether another run makes the same rows."""
    of: Mapping[str, str]
    """Digests and values, by what they are of, such as `table customer_trusted`."""
    since: str | None
    """The run's own time."""
    until: str | None
    """When the job may give other rows of the same."""
    tables: Sequence[Mapping[str, Any]]
    """The part of the run's summary about the table and the sources that were read for it."""

    def holds(self, of: Mapping[str, str], time: str | None) -> bool:
        """Whether a run by these, at this time of its own, would make the same rows."""
        is_due = time is not None and not (
            self.since is not None and self.since <= time and (self.until is None or time < self.until)
        )
        return self.of == of and not is_due

    def text(self) -> str:
        """Give what the property holds."""
        return json.dumps({"version": _FORMAT, **asdict(self)})


def read_provenance(text: str | None) -> Provenance | None:
    """Read the property. None: there is none, or it is of another format, so that the table is made again."""
    value = json.loads(text) if text else {}
    return Provenance(**value) if value.pop("version", None) == _FORMAT else None


def digest(text: str) -> str:
    """Give a hash, as names of a stack's files have it."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def digest_of_files(listed: Sequence[File], began: float) -> str | None:
    """Give what changes if a file does. None: that cannot be told, as one changed just before it was listed.

    `began`: when the listing did, in seconds since 1970.
    """
    if any(file.changed >= began - _CLOCK_SECONDS for file in listed if file.stamp is not None):
        return None
    return digest("\n".join(f"{file.name}\0{_state(file)}" for file in listed))


def _state(file: File) -> str:
    state = (file.size, file.etag) if file.stamp is None else file.stamp
    return " ".join(map(str, state))
