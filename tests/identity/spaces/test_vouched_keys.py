"""API keys get their MACs when Onefold stores them, and those of an older version once."""

from pathlib import Path

import pytest

from identity.operations.spaces import manage_spaces
from identity.values.api_key_secrets import hash_of, new_secret
from identity.values.errors import Unauthorised
from tests.support.processes.writer_processes import Lab, ingesting

INSERT = """
INSERT INTO api_key (space_id, public_id, name, scopes, secret_hash)
SELECT space_id, %s, 'mine', '{admin}', %s FROM api_key LIMIT 1
"""


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


def insert(lab: Lab) -> tuple[str, str]:
    """Insert a key as a database writer would; its id and its secret."""
    id_, secret = new_secret()
    lab.query(INSERT, id_, hash_of(secret))
    return id_, secret


async def test_the_keys_of_an_older_version_work_after_the_first_start_of_this_one(lab: Lab) -> None:
    """Without the mark in the key store, the first start gives MACs to the rows that have none."""
    async with ingesting(lab) as ingest:
        made = await manage_spaces.create_space(ingest.spaces, "old")
    lab.query("UPDATE api_key SET mac = NULL")
    (lab.key_store / "vouched").unlink()
    async with ingesting(lab) as ingest:
        for secret in made.keys.values():
            await manage_spaces.KeyCheck(ingest.spaces).caller(secret)
    assert lab.query("SELECT count(*) FROM api_key WHERE mac IS NULL AND revoked_at IS NULL") == [(0,)]
    assert (lab.key_store / "vouched").exists()


async def test_no_later_start_vouches_for_a_row_that_was_inserted(lab: Lab) -> None:
    """Attack 153: a database writer inserts a row, and waits for a start or makes one happen."""
    async with ingesting(lab) as ingest:
        await manage_spaces.create_space(ingest.spaces, "shop")
    id_, secret = insert(lab)
    refused: list[str] = []
    async with ingesting(lab) as ingest:
        check = manage_spaces.KeyCheck(ingest.spaces, on_foreign_key=lambda: refused.append(id_))
        with pytest.raises(Unauthorised):
            await check.caller(secret)
    assert lab.query("SELECT mac FROM api_key WHERE public_id = %s", id_) == [(None,)]
    assert refused == [id_]
