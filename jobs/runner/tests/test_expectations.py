"""Tests of what is said of checks, without Spark."""

import json
from pathlib import Path
from typing import Any

import pytest
from lakehouse_runner.expectations import Finding, _masked
from lakehouse_runner.manifest import Shown
from lakehouse_runner.plain import plain

CASES = json.loads((Path(__file__).parents[3] / "engines" / "finding-cases.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=[case["text"] for case in CASES])
def test_a_finding_is_a_line_of_text(case: dict[str, Any]) -> None:
    """The same that `lake` prints."""
    finding = Finding(**case["finding"], samples=[])
    assert finding.text(case["tables"]) == case["text"]
    assert finding.failure() == case["failure"]


def test_what_json_cannot_say_is_text() -> None:
    """Else nobody could read the summary that it stands in."""
    values = [float("nan"), float("inf"), float("-inf"), 0.5]
    assert [plain(value) for value in values] == ["NaN", "Infinity", "-Infinity", 0.5]


@pytest.mark.parametrize(
    ("name", "value", "is_shown"),
    [
        ("x", 0.5, True),
        ("x", "a text", True),
        ("email", "anna@example.com", False),
        ("email", None, True),
        ("records", 12, True),
        ("records", "12", False),
        ("records", 1.5, False),
        ("records", True, False),
        ("X", 0.5, False),
    ],
)
def test_what_may_not_be_shown_is_masked(name: str, value: object, is_shown: bool) -> None:
    """By the names of columns; of those that count, only whole numbers are shown."""
    shown = Shown(columns=("x",), counts=("records",))
    # Whole numbers are text in JSON.
    told = "12" if value == 12 else value
    assert _masked(shown, {name: value}) == {name: told if is_shown else "•••"}
