"""An audit with the keys opens every sealed value, and names each that a read would refuse."""

import re
from pathlib import Path
from typing import Final

import pytest

from app.schemas.exports.export_items import export_item
from identity.operations.corrections.put_rules import put_rules
from identity.operations.destinations import manage_destinations, manage_purposes
from identity.operations.destinations.destination_read import get_profile
from identity.operations.privacy.access_exports.access_export_sections import read_sections
from identity.operations.privacy.access_exports.build_export import build_export
from identity.operations.privacy.manage_holds import place_hold
from identity.operations.profiles.read_profile import get_profile as read_profile
from identity.operations.spaces.manage_identity_keys import add_identity_key
from identity.values.errors import SealBroken
from identity.values.ids import public
from identity.vault import seal
from identity.vault.seal import HOLD
from tests.support.destinations.consenting_people import ALL, user
from tests.support.integrity.rolled_back_rows import LAX
from tests.support.integrity.space_audit import audited, ignore_progress
from tests.support.privacy.access_exports import requested_export
from tests.support.privacy.restored_requests import ask
from tests.support.processes.writer_processes import Ingest, Lab, ingesting

CRM: Final = [{"id": "c1", "type": "crm", "collection": "users", "encoding": "none"}]
SEALED: Final = {
    "profile_document.document": "document of prf",
    "profile_identifier.value": "identifier of prf",
    "evidence.payload": "evidence of prf",
    "event.payload": "events of prf",
    "account.group_id": "id of group",
    "account.document": "traits of group",
    "erasure.aside": "identifiers of ers",
    "export_part.payload": "part of exp",
    "privacy_request.details": "details of req",
    "job.payload": "job",
    "destination.document": "document of dst",
    "rejection.payload": "rejections at stamp",
    "rules.document": "rules, version",
    "purposes.document": "purposes, version",
    "identity_keys.document": "identity keys, version",
    "identifier_type.name": "name of identifier type",
}
"""A sealed column, and the words by which a report names its values."""
ALTER: Final = """
UPDATE {table} SET {column} = set_byte({column}, length({column}) - 1, 255 - get_byte({column}, length({column}) - 1))
WHERE ctid = (SELECT ctid FROM {table} WHERE {column} IS NOT NULL LIMIT 1)
"""
EXCHANGE: Final = """
UPDATE profile_document t SET version = o.version, document = o.document FROM profile_document o
WHERE o.profile_id <> t.profile_id
"""


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


async def everything(ingest: Ingest) -> None:
    """A value in every sealed column: two holds too, of which one is of an earlier release."""
    space, lab = ingest.space, ingest.lab
    await manage_purposes.put_purposes(space, LAX, "t")
    await add_identity_key(space, "HS256", "web", None, "t")
    await put_rules(space, {"limits": {"crm": {"max": 9}}}, "t")
    mail = public("dst", (await manage_destinations.put_destination(space, "mail", ALL, "t")).id)
    await ingest.send(user("ann"), user("bob") | {"context": {**user("bob")["context"], "externalIds": CRM}})
    for _ in range(2):
        await ingest.send({"type": "track", "anonymousId": "b1", "event": "Seen"})
    await ingest.send(
        {"type": "group", "userId": "bob", "groupId": "acme", "traits": {"n": 1}},
        {"type": "track", "userId": "bob"},
    )
    await get_profile(space, mail, "user_id:ann")
    await ask(ingest, "ann")
    _, wanted = await requested_export(lab, space, "user_id:bob")
    await build_export(space, wanted, ignore_progress, read_sections, export_item)
    for name in ("bob", "eve"):
        hold = await place_hold(space, [f"user_id:{name}"], "a case", "t")
    lab.query("DELETE FROM subject_key WHERE profile_id = %s", hold.id.hex())
    earlier = space.keys.seal(HOLD, hold.id, 0, b"a case")
    lab.query("UPDATE hold SET reason = %s WHERE hold_id = %s", earlier, hold.id.hex())


async def test_attack_174_a_value_that_somebody_alters_is_named(lab: Lab) -> None:
    """One value of each sealed column, and the reason of each hold; nothing is named before."""
    async with ingesting(lab) as ingest:
        await everything(ingest)
    assert await audited(lab) == []
    for column in SEALED:
        table, _, name = column.partition(".")
        assert lab.query(ALTER.format(table=table, column=name) + " RETURNING 1"), column
    lab.query("UPDATE hold SET reason = set_byte(reason, 80, 255 - get_byte(reason, 80))")
    ((kind, examples),) = await audited(lab)
    assert kind == "seal_broken"
    named = [re.sub("[_ ][0-9a-f]+$", "", each) for each in examples]
    assert sorted(named) == sorted([*SEALED.values(), "reason of hld", "reason of hld"])


def test_every_place_of_a_seal_is_looked_at() -> None:
    """A new sealed column gets a statement here, and a row above."""
    reasons_of_holds = 2
    assert len(SEALED) + reasons_of_holds == len(seal.PLACES)


async def test_attack_174_exchanged_documents_and_keys_are_named(lab: Lab) -> None:
    """What a read answers with `seal_broken`: `onefold verify`, which that error names, finds it."""
    async with ingesting(lab) as ingest:
        await ingest.send(user("ann"), user("bob"))
        ids = sorted(row[0].hex for row in lab.query("SELECT profile_id FROM profile"))
        for exchange, expected in (
            (EXCHANGE, [f"document of prf_{id_}" for id_ in ids]),
            (EXCHANGE.replace("profile_document", "subject_key").replace("version", "key_id").replace(
                "document", "wrapped"), []),
        ):  # fmt: skip
            lab.query(exchange)
            with pytest.raises(SealBroken):
                await read_profile(ingest.space, "user_id:ann")
            ((kind, examples),) = await audited(lab)
            assert kind == "seal_broken"
            assert expected == [] or sorted(examples) == expected
            lab.query(exchange)
        lab.query("UPDATE slot_key SET wrapped = set_byte(wrapped, 20, 255 - get_byte(wrapped, 20))")
        assert [kind for kind, _ in await audited(lab)] == ["seal_broken"]
