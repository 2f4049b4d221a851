"""Contracts of tests, with the SQL that TypeScript compiles of them."""

import functools
import json
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from lakehouse_runner.manifest import Column, PeopleSql, Source, read_people, read_source

READING: dict[str, Any] = {
    "format": "json",
    "headBytes": 1,
    "pieceBytes": 2,
    "heads": "h",
    "plain": {"rows": "p", "check": "c"},
    "further": {"rows": "q", "check": "d"},
    "countedMark": "m",
    "otherMarks": ["x"],
    "objects": "o",
    "numbered": "n",
    "lines": "l",
    "careful": "ca",
    "judge": "j",
    "verdict": "v",
    "firstCount": 3,
    "firstOrder": "f",
    "shownFile": "s",
    "refined": "r",
    "landedSchema": "a bigint",
    "refinedSchema": "a date",
    "forgotten": {"macro": "a", "rows": "r", "refused": "t"},
}
"""A reading as a manifest has it, where none of it is run."""
_COMPILER = Path(__file__).parents[1] / "reading.ts"
_ROOT = Path(__file__).parents[4]


MANIFEST: dict[str, Any] = {
    "version": 3,
    "job": "t",
    "database": "d",
    "driving": "s",
    "sources": {},
    "tables": ["s"],
    "output": {"table": "t", "schema": "a int", "columns": {}, "partitionBy": [], "audit": []},
    "parameters": {},
    "runs": "s3://lake/runs/",
    "metricsNamespace": "m",
}
"""The manifest of a job of which nothing is run."""


@dataclass(frozen=True)
class Contract(Column):
    """A column as a contract declares it."""

    nullable: bool = False
    aliases: tuple[str, ...] = ()
    min: float | None = None
    max: float | None = None
    precision: int | None = None
    scale: int | None = None
    from_: str | None = None


def source_of(
    folder: Path,
    columns: Mapping[str, Contract],
    share: float = 1,
    each: str | None = None,
    written_as: object = "json",
) -> Source:
    """Make a source of the files in a folder."""
    contracts = {
        name: {
            **{key.rstrip("_"): value for key, value in asdict(column).items() if value is not None},
            "aliases": list(column.aliases),
        }
        for name, column in columns.items()
    }
    return read_source(
        {
            "location": folder.as_uri().replace("file://", "file:"),
            "quarantine": "file:/nowhere",
            "maxQuarantinedShare": share,
            "columns": {
                name: {f.name: contract[f.name] for f in fields(Column) if f.name in contract}
                for name, contract in contracts.items()
            },
            **_compiled(
                json.dumps(
                    {
                        "columns": contracts,
                        "share": share,
                        "format": written_as,
                        **({"each": each} if each else {}),
                    }
                )
            ),
            "audit": [],
        }
    )


def people() -> PeopleSql:
    """Give the SQL of what points to a person."""
    return read_people(_compiled("null"))


@functools.cache
def _compiled(asked: str) -> Any:
    command = ["node", "--require", "./cli/typescript.js", str(_COMPILER)]
    return json.loads(
        subprocess.run(command, cwd=_ROOT, input=asked.encode(), capture_output=True, check=True).stdout
    )
