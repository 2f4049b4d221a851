"""A run of a job."""

from collections.abc import Mapping
from typing import ClassVar

from .context import GlueContext


class Job:
    """What a script says of its run. Glue keeps bookmarks by it; here it is written down."""

    told: ClassVar[list[str]] = []
    """By every job of the process, in order."""

    def __init__(self, glue_context: GlueContext) -> None:
        """Take the context that the script works in."""
        self._context = glue_context

    def init(self, job_name: str, args: Mapping[str, str] | None = None) -> None:
        """Begin the run."""
        self.told.append(f"init {job_name}")

    def commit(self) -> None:
        """End it well."""
        self.told.append("commit")
