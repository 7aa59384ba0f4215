"""A withdrawal of consent has one entry in the ledger, and the entry names neither a person nor a purpose."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes.writer_processes import Ingest, Lab, ingesting

ENTRIES = """
SELECT entry FROM ledger WHERE space_id = %s AND position('consent.withdraw'::bytea IN entry) > 0 ORDER BY seq
"""


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


def call(name: str, **decisions: bool) -> dict[str, Any]:
    """A call of a browser that states every category."""
    return {
        "type": "identify",
        "userId": name,
        "traits": {"plan": "pro"},
        "context": {"ip": "192.0.2.7", "consent": {"categoryPreferences": decisions}},
    }


def entries(ingest: Ingest) -> list[dict[str, Any]]:
    """The entries about withdrawals."""
    return [json.loads(bytes(entry)) for (entry,) in ingest.lab.query(ENTRIES, ingest.space.tenant.id)]


async def test_each_withdrawal_has_one_entry(lab: Lab) -> None:
    """The first statements of a person, grants and repeated denials have none, so a usual call costs no entry."""
    async with ingesting(lab) as ingest:
        steps: list[tuple[list[dict[str, Any]], int]] = [
            ([call("ann", Marketing=False)], 0),
            ([call("ann", Marketing=False)], 0),
            ([call("ann", Marketing=True)], 0),
            ([call("ann", Marketing=False)], 1),
            ([call("ann", Marketing=False)], 1),
            ([call("bob", Marketing=True), call("bob", Marketing=False)], 1),
            ([call("ann", Marketing=True), call("ann", Marketing=False), call("cyd")], 2),
            ([call("cyd", Marketing=True), call("ann", Marketing=False)], 2),
        ]
        for calls, expected in steps:
            await ingest.send(*calls, server=False)
            assert len(entries(ingest)) == expected, calls


async def test_the_entry_shows_neither_person_nor_purpose(lab: Lab) -> None:
    """Ids, blind indexes and times are in clear; the statements are sealed, and what is no statement is not there."""
    async with ingesting(lab) as ingest:
        await ingest.send(call("ann", Marketing=True), server=False)
        await ingest.send(call("ann", Marketing=False), server=False)
        (entry,) = entries(ingest)
        assert entry.keys() == {
            "action", "actor", "at", "evidence", "indexes", "mac", "origin", "server", "stamp", "subject",
        }  # fmt: skip
        assert entry["indexes"] == [ingest.space.keys.identifier("user_id", "ann").hex()]
        assert "Marketing" not in json.dumps(entry)
        assert len(entry["evidence"]) < 512
