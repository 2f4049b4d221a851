"""How scripts read their arguments."""

import argparse
from collections.abc import Sequence
from typing import NoReturn

# What Glue gives every run besides its name. A script that asks for one of them is stopped.
_RESERVED = [
    "continuation-option",
    "job-bookmark-option",
    "job-bookmark-from",
    "job-bookmark-to",
    "JOB_ID",
    "JOB_RUN_ID",
    "SECURITY_CONFIGURATION",
    "encryption-type",
]


class GlueArgumentError(Exception):
    """The arguments are not those that the script asks for."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise GlueArgumentError(message)


def getResolvedOptions(args: Sequence[str], options: Sequence[str]) -> dict[str, str]:
    """Give the value of each option. A name gets underscores for its hyphens.

    Names are whole, from Glue 6.0 on, and what no option is for is passed over.

    Raises:
        GlueArgumentError: An option was not given, or has no value.
        RuntimeError: An option has a name that is Glue's own.
    """
    parser = _Parser(allow_abbrev=False)
    for name in _RESERVED:
        if name in options:
            raise RuntimeError(f"Using reserved arguments {name}")
        parser.add_argument(f"--{name}")
    for name in options:
        parser.add_argument(f"--{name}", required=True)
    return vars(parser.parse_known_args(list(args[1:]))[0])
