"""Holds calls of AWS's API against botocore's models: names, types, enums, lengths and patterns."""

import json
import sys
from collections.abc import Iterator
from typing import Any

import botocore.session
import regex

SESSION = botocore.session.get_session()


def faults_in(shape: Any, value: Any, path: str) -> Iterator[str]:
    """What the shape of a parameter does not allow in a value."""
    kind = shape.type_name
    limits = shape.metadata
    if limits.get("document"):
        # Any JSON.
        return
    if kind == "structure":
        yield from faults_of_structure(shape, value, path)
        return
    size: float
    if kind == "list":
        if not isinstance(value, list):
            yield f"{path}: is no list"
            return
        for index, one in enumerate(value):
            yield from faults_in(shape.member, one, f"{path}[{index}]")
        size = len(value)
    elif kind == "map":
        if not isinstance(value, dict):
            yield f"{path}: is no map"
            return
        for key, one in value.items():
            yield from faults_in(shape.key, key, f"{path}.{key}")
            yield from faults_in(shape.value, one, f"{path}.{key}")
        size = len(value)
    elif kind in ("string", "blob"):
        if not isinstance(value, str):
            yield f"{path}: is no text"
            return
        size = len(value)
        if getattr(shape, "enum", None) and value not in shape.enum:
            yield f"{path}: {value!r} is none of {', '.join(shape.enum)}"
        pattern = limits.get("pattern")
        if pattern and not matches(pattern, value):
            yield f"{path}: {value!r} does not match {pattern}"
    elif kind == "boolean":
        if not isinstance(value, bool):
            yield f"{path}: is neither true nor false"
        return
    else:
        if isinstance(value, bool) or not isinstance(value, int | float):
            yield f"{path}: is no number"
            return
        size = value
    if "min" in limits and size < limits["min"]:
        yield f"{path}: {size} is less than {limits['min']}"
    if "max" in limits and size > limits["max"]:
        yield f"{path}: {size} is more than {limits['max']}"


def faults_of_structure(shape: Any, value: Any, path: str) -> Iterator[str]:
    """Names that the service does not know, names that are missing, and the faults of each member."""
    if not isinstance(value, dict):
        yield f"{path}: is no structure"
        return
    for name in shape.required_members:
        if name not in value:
            yield f"{path}.{name}: is missing"
    for name, one in value.items():
        if name in shape.members:
            yield from faults_in(shape.members[name], one, f"{path}.{name}")
        else:
            yield f"{path}.{name}: is no parameter"


def matches(pattern: str, value: str) -> bool:
    """Whether all of a value matches. Java writes characters beyond the first plane as two."""
    beyond = pattern.replace(r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010FFFF")
    return regex.fullmatch(beyond, value) is not None


def main() -> None:
    """Reads calls as JSON, and prints their faults as JSON."""
    faults: list[str] = []
    for call in json.load(sys.stdin):
        model = SESSION.get_service_model(call["service"])
        shape = model.operation_model(call["operation"]).input_shape
        faults.extend(faults_in(shape, call["params"], call["name"]))
    json.dump(faults, sys.stdout)


if __name__ == "__main__":
    main()
