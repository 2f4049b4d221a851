"""What a job's runner is told: the manifest, made by the program from the definition."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

from .provenance import digest

T = TypeVar("T")

Severity = Literal["fail", "quarantine", "warn"]
Language = Literal["sql", "python"]
LANGUAGES: Mapping[Language, str] = {"sql": "SQL", "python": "Python"}
"""As people call them."""

PiiClass = Literal["direct", "quasi"]
Identifies = Literal["person", "device", "moment"]


@dataclass(frozen=True)
class Column:
    """What is to be known of a column; what its values must be, SQL says."""

    type: str
    """As the contract calls it."""
    pii: PiiClass | None = None
    identifies: Identifies | None = None
    """Whose a row is: what people are forgotten by."""


@dataclass(frozen=True)
class Moves:
    """Queries of the rows that go to quarantine, and of those that stay."""

    gone: str
    kept: str


@dataclass(frozen=True)
class Shown:
    """Columns of bad rows that people may see; of those that count, only whole numbers."""

    columns: tuple[str, ...] = ()
    counts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Check:
    """What must hold of a table; `Check` in model/audit.ts says what each text gives."""

    name: str
    severity: Severity
    shown: Shown
    count: str
    samples: str
    moves: Moves | None = None
    only_empty: bool = False
    """A table that has rows passes."""


@dataclass(frozen=True)
class Unmatched:
    """The SQL that counts rows that gave none; `Unmatched` in model/audit.ts says what each text gives."""

    keys: str
    count: str


@dataclass(frozen=True)
class Due:
    """The SQL that says when the same inputs give other rows; `dueOf` in model/increment.ts makes it."""

    when: Mapping[str, str]
    """Values of parameters for which it holds."""
    next: str


@dataclass(frozen=True)
class PlainReading:
    """How texts are read of which every key is accounted for."""

    rows: str
    check: str


@dataclass(frozen=True)
class ForgottenSql:
    """The SQL that says what is of people who were forgotten; `model/forgotten.ts` says how to ask it."""

    macro: str
    rows: str
    refused: str
    found: str | None = None


@dataclass(frozen=True)
class Reading:
    """The SQL that reads the files of a source; `Reading` in model/reading.ts says what each text gives."""

    format: Literal["json", "csv", "parquet"]
    head_bytes: int
    piece_bytes: int
    heads: str
    plain: PlainReading
    further: PlainReading
    counted_mark: str
    other_marks: tuple[str, ...]
    objects: str
    numbered: str
    lines: str
    careful: str
    judge: str
    verdict: str
    first_count: int
    first_order: str
    shown_file: str
    refined: str
    landed_schema: str
    refined_schema: str
    forgotten: ForgottenSql
    paired_mark: str | None = None
    described: str | None = None
    without: str | None = None


@dataclass(frozen=True)
class Source:
    """A table of landing files."""

    location: str
    """URI of the folder of the files."""
    quarantine: str
    """URI of the folder that refused lines go to."""
    columns: Mapping[str, Column]
    reading: Reading
    records: Reading
    """How records are placed in files and whose they are; another one where a row is an element of one."""
    audit: tuple[Check, ...]


@dataclass(frozen=True)
class Output:
    """The table that the job makes."""

    table: str
    schema: str
    """The columns as Spark takes them."""
    columns: Mapping[str, Column]
    partition_by: tuple[str, ...]
    """Columns by whose day the rows are partitioned."""
    audit: tuple[Check, ...]
    quarantine: str | None = None
    """URI of the folder that rows go to which an expectation moves out."""


@dataclass(frozen=True)
class Manifest:
    """All that a job's runner is told besides its code."""

    job: str
    database: str
    driving: str
    """The input whose rows count as read."""
    sources: Mapping[str, Source]
    tables: tuple[str, ...]
    """The other inputs, whose schema is the catalog's."""
    output: Output
    parameters: Mapping[str, tuple[str, ...]]
    """The values that each parameter may have, the default first; none of one that is the run's own time."""
    runs: str
    """URI of the folder that the summary of each run goes to."""
    metrics_namespace: str
    unmatched: Unmatched | None = None
    """None: rows that gave none are those that are missing in number."""
    suppressed: str | None = None
    """URI of the list of who was forgotten; there where a source says whose its rows are."""
    language: Language = "sql"
    """What its code is."""
    due: tuple[Due, ...] = ()
    """Of a job that asks for the time. Empty: it may always give other rows."""
    digest: str = ""
    """Of its text."""

    @property
    def asks_time(self) -> str | None:
        """The parameter that is the run's own time."""
        return next((name for name, values in self.parameters.items() if not values), None)


@dataclass(frozen=True)
class PeopleSql:
    """The SQL that says what points to a person; `model/forgotten.ts` says how to ask it."""

    macro: str
    entries: str
    shared_devices: str


@dataclass(frozen=True)
class ErasureJob:
    """A job that makes its table again."""

    manifest: str
    """URI."""
    code: str
    """URI."""
    parameters: Mapping[str, str]
    """Values for a table that does not say with which it was made."""


@dataclass(frozen=True)
class Erasure:
    """How every table is made again without a person."""

    jobs: tuple[ErasureJob, ...]
    """In the order in which tables are made."""
    people: PeopleSql
    suppressed: str
    """URI of the list of who was forgotten."""
    receipts: str
    """URI of the folder that receipts go to."""


class ManifestError(ValueError):
    """A manifest that this version of the runner cannot read."""


_FORMAT = 4
"""The format of manifests that is read; `FORMATS` in model/format.ts is what is written."""


def read_manifest(text: str) -> Manifest:
    """The manifest of a JSON text.

    Raises:
        ManifestError: It is none, or of another format.
    """
    return replace(_read(text, _manifest), digest=digest(text))


def read_erasure(text: str) -> Erasure:
    """The erasure manifest of a JSON text.

    Raises:
        ManifestError: It is none, or of another format.
    """
    return _read(text, _erasure)


def _read(text: str, make: Callable[[Mapping[str, Any]], T]) -> T:
    """Read what the program wrote, which checked it: only the format may be another."""
    try:
        value = json.loads(text)
    except ValueError as error:
        raise ManifestError(f"the manifest is no JSON: {error}; deploy the stack again") from None
    version = value.get("version") if isinstance(value, dict) else None
    if version != _FORMAT:
        raise ManifestError(
            f"the manifest is of format {version}, and this runner reads {_FORMAT}; deploy the stack again"
        )
    try:
        return make(value)
    except (AttributeError, KeyError, TypeError) as error:
        raise ManifestError(f"the manifest is not whole: {error}; deploy the stack again") from error


def _erasure(value: Mapping[str, Any]) -> Erasure:
    return Erasure(
        jobs=tuple(ErasureJob(**job) for job in value["jobs"]),
        people=read_people(value["people"]),
        suppressed=value["suppressed"],
        receipts=value["receipts"],
    )


def read_people(value: Mapping[str, str]) -> PeopleSql:
    """The SQL of people, as JSON has it."""
    return PeopleSql(value["macro"], value["entries"], value["sharedDevices"])


def _manifest(value: Mapping[str, Any]) -> Manifest:
    output = value["output"]
    return Manifest(
        job=value["job"],
        database=value["database"],
        driving=value["driving"],
        sources={name: read_source(source) for name, source in value["sources"].items()},
        tables=tuple(value["tables"]),
        output=Output(
            table=output["table"],
            schema=output["schema"],
            columns=_columns(output["columns"]),
            partition_by=tuple(partition["column"] for partition in output["partitionBy"]),
            audit=_audit(output["audit"]),
            quarantine=output.get("quarantine"),
        ),
        parameters={name: tuple(values) for name, values in value["parameters"].items()},
        runs=value["runs"],
        metrics_namespace=value["metricsNamespace"],
        unmatched=Unmatched(**value["unmatched"]) if "unmatched" in value else None,
        suppressed=value.get("suppressed"),
        language=value.get("language", "sql"),
        due=tuple(Due(**due) for due in value.get("due", ())),
    )


def read_source(value: Mapping[str, Any]) -> Source:
    """One of a manifest's sources, as JSON has it."""
    return Source(
        location=value["location"],
        quarantine=value["quarantine"],
        columns=_columns(value["columns"]),
        reading=_reading(value["reading"]),
        records=_reading(value.get("records", value["reading"])),
        audit=_audit(value["audit"]),
    )


def _reading(value: Mapping[str, Any]) -> Reading:
    return Reading(
        format=value["format"],
        head_bytes=value["headBytes"],
        piece_bytes=value["pieceBytes"],
        heads=value["heads"],
        plain=PlainReading(**value["plain"]),
        further=PlainReading(**value["further"]),
        counted_mark=value["countedMark"],
        other_marks=tuple(value["otherMarks"]),
        objects=value["objects"],
        numbered=value["numbered"],
        lines=value["lines"],
        careful=value["careful"],
        judge=value["judge"],
        verdict=value["verdict"],
        first_count=value["firstCount"],
        first_order=value["firstOrder"],
        shown_file=value["shownFile"],
        refined=value["refined"],
        landed_schema=value["landedSchema"],
        refined_schema=value["refinedSchema"],
        forgotten=ForgottenSql(**value["forgotten"]),
        paired_mark=value.get("pairedMark"),
        described=value.get("described"),
        without=value.get("without"),
    )


def _columns(values: Mapping[str, Any]) -> dict[str, Column]:
    return {name: Column(**value) for name, value in values.items()}


def _audit(values: list[Mapping[str, Any]]) -> tuple[Check, ...]:
    return tuple(
        Check(
            name=value["name"],
            severity=value["severity"],
            shown=Shown(tuple(value["shown"]["columns"]), tuple(value["shown"]["counts"])),
            count=value["count"],
            samples=value["samples"],
            moves=Moves(**value["moves"]) if "moves" in value else None,
            only_empty=value.get("onlyEmpty", False),
        )
        for value in values
    )
