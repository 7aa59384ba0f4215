"""The sealed values of a space are read with the keys and the ids that they are bound to, of this space only."""

from pathlib import Path

from identity.store.integrity.sealed_values import DOCUMENTS, TYPE_NAMES, space_values, subject_values
from identity.store.integrity.verify import snapshot
from tests.support.processes.writer_processes import Lab, ingesting


async def test_values_come_with_their_keys_and_without_those_of_other_spaces(database: str, tmp_path: Path) -> None:
    """A document opens with the key beside it; a space without people has no document."""
    lab = Lab(database, tmp_path)
    external = [{"id": "c1", "type": "crm", "collection": "users", "encoding": "none"}]
    async with ingesting(lab) as ingest:
        await ingest.send(
            {"type": "identify", "userId": "ann", "traits": {"plan": "pro"}, "context": {"externalIds": external}}
        )
        other = await lab.space(ingest.spaces)
        async with snapshot(ingest.space.database) as connection:
            found = {
                space: [row async for page in subject_values(connection, space.tenant, DOCUMENTS) for row in page]
                for space in (ingest.space, other)
            }
            names = [row async for page in space_values(connection, ingest.space.tenant, TYPE_NAMES) for row in page]
    (ann,) = found[ingest.space]
    ((id_, key_id, version),) = lab.query(
        "SELECT d.profile_id, k.key_id, d.version FROM profile_document d JOIN subject_key k USING (profile_id)"
    )
    assert (ann.subject, ann.row_id, ann.key_id, ann.version) == (id_.bytes, id_.bytes, key_id.bytes, version)
    assert found[other] == []
    assert [row.row_id for row in names] == [None]
