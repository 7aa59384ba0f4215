"""An audit with the keys of the deployment names every row that Onefold did not store as it is."""

from pathlib import Path

import pytest

from identity.operations.corrections.remove_identifier import remove_identifier
from identity.operations.integrity.verify_space import verify
from identity.operations.keys import rotate_index_key
from identity.operations.privacy.manage_suppressions import lift_suppressions, suppress_identifiers
from identity.operations.privacy.request_erasure import request_erasure
from identity.operations.spaces import manage_spaces
from identity.planning.privacy.privacy_requests import NewRequest
from identity.store.ledger.ledger import append, entry
from identity.values.api_key_secrets import hash_of, new_secret
from identity.values.calls import Source
from identity.values.enums import Law, RequestInterface, RequestKind
from identity.values.stamps import wall_time
from tests.support.processes.writer_processes import Lab, ingesting

WHO = Source(1, server=True)
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


async def test_attack_162_the_suppression_list_is_compared_with_the_journal(lab: Lab) -> None:
    """A deleted, a demoted and an inserted suppression are found; suppressed, lifted and erased people are not."""
    async with ingesting(lab) as ingest:
        space = ingest.space
        await ingest.send(*({"type": "identify", "userId": name} for name in ("ann", "bob", "cyd")))
        await suppress_identifiers(space, ["user_id:ann", "user_id:x"], "t")
        await suppress_identifiers(space, ["user_id:bob"], "t")
        await lift_suppressions(space, ["user_id:bob"], "t")
        for kind, name in ((RequestKind.DELETE_ONLY, "bob"), (RequestKind.SUPPRESS_WITH_DELETE, "cyd")):
            await request_erasure(
                space,
                NewRequest(
                    front=RequestInterface.NATIVE, kind=kind, regulation=Law.NONE, identifiers=[f"user_id:{name}"],
                    actor="t",
                ),
            )  # fmt: skip
    assert await found(lab) == []
    ann = space.keys.suppression("user_id", "ann")
    lab.query("DELETE FROM suppression WHERE key = %s", ann)
    lab.query("UPDATE suppression SET whole = false WHERE key = %s", space.keys.suppression("user_id", "x"))
    lab.query("UPDATE suppression SET whole = true WHERE key = %s", space.keys.suppression("user_id", "bob"))
    assert await found(lab) == [("suppression_missing", 2), ("suppression_foreign", 1)]


async def test_attack_166_a_forged_or_repeated_lift_hides_no_deleted_suppression(lab: Lab) -> None:
    """The entry of a genuine lift counts once, at its place; a new one needs its MAC."""
    async with ingesting(lab) as ingest:
        space = ingest.space
        for _ in range(2):
            await suppress_identifiers(space, ["user_id:ann"], "t")
            await lift_suppressions(space, ["user_id:ann"], "t")
        await suppress_identifiers(space, ["user_id:ann"], "t")
        assert await found(lab) == []
        lab.query("DELETE FROM suppression")
        lifted = lab.query("SELECT entry FROM ledger WHERE position('suppress.lift'::bytea IN entry) > 0 LIMIT 1")[0][0]
        hash_ = space.keys.suppression("user_id", "ann").hex()
        forged = entry("t", "suppress.lift", None, wall_time(), {"hashes": [hash_]})[1]
        async with space.database.transaction() as connection:
            for raw in (bytes(lifted), forged):
                await append(connection, space.tenant.id, wall_time(), raw)
        await space.publish()
    assert await found(lab) == [("suppression_missing", 1)]


async def test_attack_168_a_block_that_somebody_deletes_is_named(lab: Lab) -> None:
    """Before and after a rotation of the index key, after which only the number of blocks is compared."""
    async with ingesting(lab) as ingest:
        space = ingest.space
        for name in ("ann", "bob"):
            await remove_identifier(space, f"email:{name}@example.org", block=True, source=WHO, actor="t")
        assert await found(lab) == []
        lab.query("DELETE FROM blocked_key WHERE key = %s", space.keys.identifier("email", "ann@example.org"))
        assert await found(lab) == [("block_missing", 1)]
        await remove_identifier(space, "email:ann@example.org", block=True, source=WHO, actor="t")
        await rotate_index_key.begin(ingest.spaces, space)
        assert await found(lab) == []
        await remove_identifier(space, "email:ann@example.org", block=True, source=WHO, actor="t")
        assert await found(lab) == []
        lab.query("DELETE FROM blocked_key WHERE key <> %s", space.keys.identifier("email", "ann@example.org"))
        assert await found(lab) == [("block_missing", 1)]
        lab.query("DELETE FROM blocked_key")
        assert await found(lab) == [("block_missing", 1)]


async def test_a_journal_that_contradicts_the_ledger_is_named(lab: Lab) -> None:
    """Altered, missing or newer than the ledger: such a space is not served, and the audit says why."""
    async with ingesting(lab) as ingest:
        await suppress_identifiers(ingest.space, ["user_id:ann"], "t")
        lab.query("CREATE TABLE former AS SELECT * FROM ledger; CREATE TABLE former_head AS SELECT * FROM ledger_head")
        await suppress_identifiers(ingest.space, ["user_id:bob"], "t")
    assert await found(lab) == []
    (journal,) = lab.key_store.rglob("journal")
    head = journal.with_name("journal-head")
    content = head.read_bytes()
    for altered in (content.replace(b'"sig":"', b'"sig":"A'), None):
        head.write_bytes(altered) if altered else head.unlink()
        assert await found(lab) == [("journal_broken", 1)]
        head.write_bytes(content)
    lab.query("DELETE FROM ledger; INSERT INTO ledger SELECT * FROM former")
    lab.query("DELETE FROM ledger_head; INSERT INTO ledger_head SELECT * FROM former_head")
    assert ("journal_broken", 1) in await found(lab)


async def found(lab: Lab) -> list[tuple[str, int]]:
    """The kinds that an audit with the keys finds, with their counts."""
    reports = [each async for each in verify(lab.url, (), lambda _w, _r: None, lab.key_store, lab.keyring())]
    return [(finding.kind, finding.count) for report in reports for finding in report.findings]
