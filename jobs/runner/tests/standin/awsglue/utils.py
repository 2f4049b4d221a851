"""How scripts read their arguments."""

import argparse
from collections.abc import Sequence
from typing import NoReturn

_BOOKMARKS = ["job-bookmark-enable", "job-bookmark-pause", "job-bookmark-disable"]
_CONTINUATIONS = ["continuation-enabled", "continuation-readonly", "continuation-ignore"]
_BOOKMARK_RANGE = ["job-bookmark-from", "job-bookmark-to"]
# What Glue gives every run besides its name. A script that asks for one of them is stopped.
_RESERVED = [
    "continuation-option",
    "job-bookmark-option",
    *_BOOKMARK_RANGE,
    "JOB_ID",
    "JOB_RUN_ID",
    "SECURITY_CONFIGURATION",
    "encryption-type",
]
_CHOICES = {
    "continuation-option": _CONTINUATIONS,
    "job-bookmark-option": _BOOKMARKS,
    "encryption-type": ["sse-s3"],
}
_TEMPORARY = ["RedshiftTempDir", "TempDir"]


class GlueArgumentError(Exception):
    """The arguments are not those that the script asks for."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise GlueArgumentError(message)


def getResolvedOptions(args: Sequence[str], options: Sequence[str]) -> dict[str, str]:
    """Give the value of each option, and what Glue adds. A name gets underscores for its hyphens.

    Names are whole, from Glue 6.0 on, and what no option is for is passed over.

    Raises:
        GlueArgumentError: An option was not given, or has no value.
        RuntimeError: An option has a name that is Glue's own, or bookmarks have half a range.
    """
    parser = _Parser(allow_abbrev=False)
    for name in _RESERVED:
        if name in options:
            raise RuntimeError(f"Using reserved arguments {name}")
        parser.add_argument(f"--{name}", choices=_CHOICES.get(name))
    for name in _TEMPORARY:
        parser.add_argument(f"--{name}")
    for name in options:
        if name not in _TEMPORARY:
            parser.add_argument(f"--{name}", required=True)
    values = vars(parser.parse_known_args(list(args[1:]))[0])

    temporary = values["TempDir"] or values["RedshiftTempDir"]
    if temporary is not None:
        values.update(dict.fromkeys(_TEMPORARY, temporary))
    continuation = values.pop("continuation_option")
    if values["job_bookmark_option"] is None:
        values["job_bookmark_option"] = _BOOKMARKS[
            _CONTINUATIONS.index(continuation or "continuation-ignore")
        ]
    missing = [name for name in _BOOKMARK_RANGE if values[name.replace("-", "_")] is None]
    if values["job_bookmark_option"] == "job-bookmark-pause":
        if len(missing) == 1:
            raise RuntimeError(f"Missing option or value for --{missing[0]}")
    elif not missing:
        raise RuntimeError(f"Invalid option(s) {' '.join(f'--{name}' for name in _BOOKMARK_RANGE)}")
    return values
