"""Checks JSON against the part of JSON Schema that the manifest's needs, as Glue has no library for it."""

import json
import math
from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

_KEYWORDS = {
    "$schema",
    "type",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "enum",
    "const",
    "minLength",
    "minimum",
    "maximum",
}
_TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "number": (int, float),
}


def faults_of(value: object, schema: Schema, path: str = "") -> list[str]:
    """Every fault of a value, each with its path. A value of a wrong type is one fault, whatever it holds.

    Raises:
        NotImplementedError: The schema uses a keyword or a type that is not known here.
    """
    unknown = sorted(schema.keys() - _KEYWORDS)
    if unknown:
        raise NotImplementedError(f"the schema of {path or 'the whole'} has {', '.join(unknown)}")
    if not _is(schema["type"], value):
        return [_fault(path, f"{_told(value)} is no {schema['type']}")]
    if "const" in schema and value != schema["const"]:
        return [_fault(path, f"{_told(value)} is not {_told(schema['const'])}")]
    if "enum" in schema and value not in schema["enum"]:
        return [_fault(path, f"{_told(value)} is none of {', '.join(schema['enum'])}")]
    if isinstance(value, str) and len(value) < schema.get("minLength", 0):
        return [_fault(path, "is empty" if value == "" else f"{_told(value)} is too short")]
    if isinstance(value, int | float):
        return _range_faults(value, schema, path)
    if isinstance(value, list):
        return [
            fault
            for i, each in enumerate(value)
            for fault in faults_of(each, schema["items"], f"{path}[{i}]")
        ]
    if isinstance(value, dict):
        return _member_faults(value, schema, path)
    return []


def _is(kind: str, value: object) -> bool:
    if kind not in _TYPES:
        raise NotImplementedError(f"the schema has the type {kind}")
    if isinstance(value, bool):
        # In Python it is a number too.
        return kind == "boolean"
    return isinstance(value, _TYPES[kind]) and not (isinstance(value, int | float) and _is_endless(value))


def _is_endless(value: float) -> bool:
    """Whether a number is beyond those that JavaScript has."""
    try:
        return math.isinf(float(value))
    except OverflowError:
        return True


def _range_faults(value: float, schema: Schema, path: str) -> list[str]:
    if "minimum" in schema and value < schema["minimum"]:
        return [_fault(path, f"{value} is below {schema['minimum']}")]
    if "maximum" in schema and value > schema["maximum"]:
        return [_fault(path, f"{value} is above {schema['maximum']}")]
    return []


def _member_faults(value: Mapping[str, object], schema: Schema, path: str) -> list[str]:
    properties: Mapping[str, Schema] = schema.get("properties", {})
    others: Schema | bool = schema.get("additionalProperties", True)
    faults = [
        _fault(_member(path, name), "is missing") for name in schema.get("required", []) if name not in value
    ]
    for name, each in value.items():
        if name in properties:
            faults += faults_of(each, properties[name], _member(path, name))
        elif isinstance(others, Mapping):
            faults += faults_of(each, others, _member(path, name))
        elif not others:
            faults.append(_fault(_member(path, name), f"is none of {', '.join(properties)}"))
    return faults


def _member(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _fault(path: str, message: str) -> str:
    return f"{path or 'the manifest'}: {message}"


def _told(value: object) -> str:
    """A value as JSON, without what it holds."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "an array"
    return json.dumps(value)
