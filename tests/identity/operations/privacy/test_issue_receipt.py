"""A receipt is signed over the journal: what somebody writes into the database is not in it."""

from pathlib import Path

import msgspec
import pytest

from identity.operations.privacy.issue_receipt import issue_receipt
from identity.operations.privacy.manage_holds import place_hold
from identity.operations.privacy.read_requests import get_erasure
from identity.planning.privacy.privacy_requests import ErasureResult
from identity.planning.privacy.receipt import Receipt
from identity.store.ledger.ledger import append, entry
from identity.values.enums import ErasureState
from identity.values.errors import LedgerBroken
from identity.values.ids import public
from identity.values.stamps import wall_time
from tests.support.privacy.restored_requests import ask
from tests.support.processes.writer_processes import Ingest, Lab, ingesting

EDIT = """
UPDATE erasure SET counts = %s, regulation = 2, commitment = '\\x00', received_at = 1, internal_at = 2, found = false,
                   epoch = 1, backup_safe_at = 3
WHERE state = 2
"""


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


async def receipt(ingest: Ingest, erasure: ErasureResult) -> Receipt:
    """The receipt of an erasure as the database has it now, without its signature."""
    found = await get_erasure(ingest.space, public("ers", erasure.id))
    return msgspec.structs.replace(await issue_receipt(ingest.spaces, ingest.space, found, "onefold 1"), sig="")


async def test_attack_164_edited_counts_and_times_are_not_signed(lab: Lab) -> None:
    """The receipt is the one of before the edit, field by field."""
    async with ingesting(lab) as ingest:
        await ingest.send({"type": "identify", "userId": "ann", "anonymousId": "ann-1"})
        ann, again = (await ask(ingest, "ann", "anonymous_id:ann-1")).erasures
        before = [await receipt(ingest, each) for each in (ann, again)]
        assert [each.keys_shredded for each in before] == [1, 0]
        assert lab.query(EDIT + " RETURNING 1", msgspec.json.encode({"keys": 99, "rows": {"event": 7}}))
        assert [await receipt(ingest, each) for each in (ann, again)] == before


async def test_attack_165_an_erasure_that_did_not_happen_has_no_receipt(lab: Lab) -> None:
    """Neither by the state of its row, nor with the entry of another erasure or a forged one."""
    async with ingesting(lab) as ingest:
        space = ingest.space
        await ingest.send({"type": "identify", "userId": "bob"}, {"type": "identify", "userId": "ann"})
        await place_hold(space, ["user_id:bob"], "a case", "t")
        bob = (await ask(ingest, "bob")).erasures[0]
        ann = (await ask(ingest, "ann")).erasures[0]
        assert (bob.state, ann.state) == (ErasureState.ON_HOLD, ErasureState.FINISHED)
        lab.query("UPDATE erasure SET state = 2, ledger_seq = %s WHERE erasure_id = %s", ann.ledger_seq, bob.id.hex())
        with pytest.raises(LedgerBroken):
            await receipt(ingest, bob)
        lab.query("UPDATE erasure SET state = 3, duplicate_of = %s WHERE erasure_id = %s", ann.id.hex(), bob.id.hex())
        with pytest.raises(LedgerBroken):
            await receipt(ingest, bob)
        lab.query("UPDATE erasure SET state = 2, duplicate_of = NULL WHERE erasure_id = %s", bob.id.hex())
        hash_ = space.keys.suppression("user_id", "bob").hex()
        claim = {"hashes": [hash_], "keys": ["00" * 16], "epoch": 1, "rows": {}, "exports": 0}
        async with space.database.transaction() as connection:
            forged = entry("t", "erase", public("ers", bob.id), wall_time(), claim)
            await append(connection, space.tenant.id, *forged)
        with pytest.raises(LedgerBroken):
            await receipt(ingest, bob)
        assert (await receipt(ingest, ann)).keys_shredded == 1
