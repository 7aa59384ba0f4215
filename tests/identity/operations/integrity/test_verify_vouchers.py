"""An audit with the keys of the deployment names every row that Onefold did not store as it is."""

from pathlib import Path

import pytest

from identity.operations.integrity.verify_space import verify
from identity.operations.spaces import manage_spaces
from identity.values.api_key_secrets import hash_of, new_secret
from tests.support.processes.writer_processes import Lab, ingesting

INSERT = """
INSERT INTO api_key (space_id, public_id, name, scopes, secret_hash)
SELECT space_id, %s, 'mine', '{admin}', %s FROM api_key ORDER BY id DESC LIMIT 1
"""


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


async def test_an_audit_names_the_foreign_keys_of_a_space(lab: Lab) -> None:
    """With the keys of the deployment; without them it checks everything else and says so."""
    async with ingesting(lab) as ingest:
        await manage_spaces.create_space(ingest.spaces, "shop")
        id_, secret = new_secret()
        lab.query(INSERT, id_, hash_of(secret))
    for keyring in (None, lab.keyring()):
        reports = [each async for each in verify(lab.url, (), lambda _what, _rows: None, lab.key_store, keyring)]
        found = [(finding.kind, finding.examples) for report in reports for finding in report.findings]
        assert found == ([("key_foreign", [id_])] if keyring else [])
        assert {report.found_macs for report in reports} == {bool(keyring)}
