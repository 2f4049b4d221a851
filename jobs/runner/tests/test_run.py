"""Tests of what a job takes over from those before it in the same run; what it makes, tests/spark tests."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from lakehouse_runner.run import Accounts, Options, _Run


@pytest.mark.parametrize(
    ("orders", "items", "is_known"),
    [
        ("same", "same", True),
        ("same", "other", False),
        ("other", "same", False),
        ("same", None, False),
        (None, "same", False),
    ],
)
def test_a_source_is_judged_again_unless_its_files_are_known_to_be_the_same(
    orders: str | None, items: str | None, is_known: bool
) -> None:
    """And those that its expectations read. Of what changed just now nobody can tell."""
    check = SimpleNamespace(count="SELECT 1 FROM items t WHERE NOT EXISTS (FROM orders)")
    audits = {"items": [check], "orders": [], "unread": []}
    manifest = SimpleNamespace(sources={name: SimpleNamespace(audit=audits[name]) for name in audits})

    def job(**read: str | None) -> _Run:
        options = Options("lake", "run", "version", lambda: b"", accounts=accounts)
        made = _Run(cast(Any, None), cast(Any, manifest), "", {}, options)
        made._read = read
        return made

    accounts: Accounts = {}
    key = job(items="same", orders="same", unread="more")._judged_by("items")
    assert key
    accounts[key] = {"written": 7}
    assert job(orders=orders, items=items)._known("items") == ({"written": 7} if is_known else None)
