"""Repeats changes of rules, purposes, identity keys and destinations from the journal in a restored database.

So an entitlement that was narrowed after the backup stays narrow, and an ended destination or key stays ended. An entry
of an older version of Onefold holds no document: that change is lost with the database.
"""

from base64 import b64decode
from collections.abc import Awaitable, Callable
from typing import Final

from identity.store.corrections import rules
from identity.store.destinations import destinations
from identity.store.postgres.database import Connection
from identity.store.postgres.tenant import Tenant
from identity.store.privacy import erasure_notices
from identity.store.spaces import identity_keys
from identity.values.ids import private
from identity.values.json import JsonObject
from identity.values.ledger_actions import LedgerAction
from identity.values.stamps import Stamp


async def _put_rules(connection: Connection, tenant: Tenant, entry: JsonObject) -> None:
    if "document" in entry:
        stamp = Stamp(entry["stamp"])
        await rules.write(connection, tenant.id, int(entry["subject"]), _document(entry), stamp, entry["actor"])


async def _put_purposes(connection: Connection, tenant: Tenant, entry: JsonObject) -> None:
    if "document" in entry:
        await destinations.put_purposes(connection, tenant, int(entry["subject"]), _document(entry), entry["actor"])


async def _put_identity_keys(connection: Connection, tenant: Tenant, entry: JsonObject) -> None:
    await identity_keys.put(connection, tenant, int(entry["subject"]), _document(entry), entry["actor"])


async def _create_destination(connection: Connection, tenant: Tenant, entry: JsonObject) -> None:
    """The destination is back; the keys that it was created with are lost, so it needs new ones."""
    id_ = private("dst", entry["subject"])
    if id_ is not None and "document" in entry:
        await destinations.add(connection, tenant, id_, entry["name"], _document(entry))


async def _change_destination(connection: Connection, tenant: Tenant, entry: JsonObject) -> None:
    id_ = private("dst", entry["subject"])
    if id_ is not None and "document" in entry:
        await destinations.restore_document(connection, tenant, id_, entry["version"], _document(entry))


async def _delete_destination(connection: Connection, tenant: Tenant, entry: JsonObject) -> None:
    id_ = private("dst", entry["subject"])
    number = None if id_ is None else await destinations.live_number(connection, tenant, id_)
    if number is not None:
        await destinations.remove(connection, tenant, number)
        await erasure_notices.mark_unreachable(connection, tenant, number, entry["at"])


REPLAYED: Final[dict[str, Callable[[Connection, Tenant, JsonObject], Awaitable[None]]]] = {
    LedgerAction.RULES_PUT: _put_rules,
    LedgerAction.PURPOSES_PUT: _put_purposes,
    LedgerAction.IDENTITY_KEYS_PUT: _put_identity_keys,
    LedgerAction.DESTINATION_CREATED: _create_destination,
    LedgerAction.DESTINATION_PUT: _change_destination,
    LedgerAction.DESTINATION_ROTATED: _change_destination,
    LedgerAction.DESTINATION_DELETED: _delete_destination,
}
"""What repeats an entry, by its action."""


def _document(entry: JsonObject) -> bytes:
    return b64decode(entry["document"])
