"""The formats of what is stored and read again, maybe by another version: as model/format.ts has them."""

from typing import Final

SUMMARY: Final = 1
SUPPRESSION: Final = 1


def format_fault(value: object, known: int) -> str | None:
    """Say why a value is not read here: it is of another format. One that says none is of the first."""
    version = value.get("version", 1) if isinstance(value, dict) else known
    if isinstance(version, bool) or not isinstance(version, int | float) or version == known:
        return None
    return f"is of format {version}, and this version reads {known}"
