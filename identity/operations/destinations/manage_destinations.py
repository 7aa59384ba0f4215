"""Destinations by their admin: who may see what, with keys of their own, and the purposes of the space.

A change is in force in every process when it is answered: whoever serves a destination reads it anew.
Every change is in the ledger; what it says stays sealed.
"""

import secrets
import time
from base64 import b64encode
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec

from identity.planning.consent.purposes import Purposes, compile_purposes
from identity.planning.destinations.feed_pages import further
from identity.planning.destinations.policy import Entitled, Kept, compile_entitled, is_name
from identity.planning.resolution.event_time import format_time
from identity.spaces.space import Space
from identity.store.destinations import deliveries, destinations, feed, overdue_destinations
from identity.store.destinations.destinations import DestinationRow
from identity.store.ledger import ledger
from identity.store.privacy import erasure_notices
from identity.store.spaces import spaces_and_keys
from identity.values.api_key_secrets import hash_of, new_secret
from identity.values.calls import DAY
from identity.values.errors import (
    BadCallback,
    BadDestination,
    Conflict,
    DatabaseUnavailable,
    DestinationNotFound,
    Undelivered,
)
from identity.values.ids import new_id, public
from identity.vault.seal import DESTINATION, PURPOSES

_LIVE: Final = 2
"""Secrets that are good at one time: the new one and the one before it."""
_TRIES: Final = 8
_LOOK: Final = 1_000
PATIENCE: Final = 7 * DAY
"""For how long a destination may leave unacknowledged what it has to acknowledge."""
_kept = msgspec.json.Decoder(Kept)


Vet = Callable[[str], Awaitable[None]]
"""Whether an address could be called now. BadCallback, Undelivered."""


async def nowhere(_url: str) -> None:
    """For whoever can call nobody."""
    raise BadCallback


async def put(space: Space, name: str, document: object, actor: str, vet: Vet = nowhere) -> tuple[dict[str, Any], bool]:
    """Puts what a destination may see in force, whole; the answer, and whether it is a new one.

    Only a new one is told its secret, and only one that had no callback the secret of its callback.
    BadDestination, BadCallback.
    """
    if not is_name(name):
        raise BadDestination("A destination is named with 1 to 64 of a-z, 0-9, `_`, `.` and `-`.")
    entitled = compile_entitled(document)
    if entitled.callback_url is not None:
        try:
            await vet(entitled.callback_url)
        except Undelivered as error:
            raise BadCallback(str(error)) from None
    for _ in range(_TRIES):
        async with space.database.reading() as connection:
            found = await destinations.named(connection, space.tenant, name)
        try:
            if found is None:
                return await _create(space, name, entitled, actor), True
            return await _change(space, found, entitled, actor), False
        except Conflict:
            continue
    raise DatabaseUnavailable


async def _create(space: Space, name: str, entitled: Entitled, actor: str) -> dict[str, Any]:
    id_ = new_id()
    scope = f"destination:{public('dst', id_)}"
    key_id, secret = new_secret()
    kept = Kept(entitled, [secrets.token_bytes(32)])
    async with space.database.transaction() as connection:
        await destinations.add(connection, space.tenant, id_, name, _seal(space, id_, 1, kept))
        await spaces_and_keys.create_key(connection, space.tenant.id, key_id, name, [scope], hash_of(secret))
        await ledger.note(connection, space.tenant.id, actor, "destination.create", public("dst", id_))
    return {"destination_id": public("dst", id_), "version": 1, "secret": secret, **_callback(kept)}


async def _change(space: Space, row: DestinationRow, entitled: Entitled, actor: str) -> dict[str, Any]:
    kept, version = _open(space, row), row.version
    if kept.entitled != entitled:
        version += 1
        changed = Kept(entitled, kept.secrets)
        async with space.database.transaction() as connection:
            sealed = _seal(space, row.public_id, version, changed)
            if not await destinations.change(connection, space.tenant, row.id, version, sealed):
                raise Conflict
            # Another address, or one that was mended: what was given up is tried again.
            await deliveries.revive(connection, space.tenant, row.id)
            await ledger.note(connection, space.tenant.id, actor, "destination.put", public("dst", row.public_id))
    first = {} if kept.entitled.callback_url is not None else _callback(Kept(entitled, kept.secrets))
    return {"destination_id": public("dst", row.public_id), "version": version, **first}


async def resume(space: Space, name: str, actor: str) -> dict[str, Any]:
    """Has a destination sent to again at once, from where that stopped. DestinationNotFound."""
    row = await _row(space, name)
    async with space.database.transaction() as connection:
        await deliveries.revive(connection, space.tenant, row.id)
        await ledger.note(connection, space.tenant.id, actor, "destination.resume", public("dst", row.public_id))
    return await _told(space, row)


async def rotate(space: Space, name: str, actor: str) -> dict[str, Any]:
    """A new secret for a destination, beside the one it has; older ones end. DestinationNotFound."""
    for _ in range(_TRIES):
        row = await _row(space, name)
        kept = _open(space, row)
        scope = f"destination:{public('dst', row.public_id)}"
        key_id, secret = new_secret()
        renewed = Kept(kept.entitled, [secrets.token_bytes(32), *kept.secrets][:_LIVE])
        async with space.database.transaction() as connection:
            sealed = _seal(space, row.public_id, row.version + 1, renewed)
            if not await destinations.change(connection, space.tenant, row.id, row.version + 1, sealed):
                continue
            for old in (await destinations.keys_of(connection, space.tenant, scope))[: -(_LIVE - 1)]:
                await spaces_and_keys.revoke_key(connection, space.tenant.id, old)
            await spaces_and_keys.create_key(connection, space.tenant.id, key_id, name, [scope], hash_of(secret))
            await ledger.note(connection, space.tenant.id, actor, "destination.rotate", public("dst", row.public_id))
        return {"destination_id": public("dst", row.public_id), "secret": secret, **_callback(renewed)}
    raise DatabaseUnavailable


async def get(space: Space, name: str) -> dict[str, Any]:
    """A destination: what it may see, and how far it is in the feed. DestinationNotFound."""
    return await _told(space, await _row(space, name))


async def every(space: Space) -> list[dict[str, Any]]:
    """All destinations, by name."""
    async with space.database.reading() as connection:
        found = await destinations.every(connection, space.tenant)
    return [await _told(space, row) for row in found]


async def remove(space: Space, name: str, actor: str) -> list[str]:
    """Ends a destination and its keys, whose public ids it returns; what it was told stays on record.

    Erasures that it did not acknowledge have to be seen to by hand. DestinationNotFound.
    """
    row = await _row(space, name)
    scope = f"destination:{public('dst', row.public_id)}"
    async with space.database.transaction() as connection:
        await destinations.remove(connection, space.tenant, row.id)
        keys = await destinations.keys_of(connection, space.tenant, scope)
        for key_id in keys:
            await spaces_and_keys.revoke_key(connection, space.tenant.id, key_id)
        await erasure_notices.give_up(connection, space.tenant, row.id, time.time_ns() // 1000)
        await ledger.note(connection, space.tenant.id, actor, "destination.delete", public("dst", row.public_id))
    return keys


async def get_purposes(space: Space) -> dict[str, Any]:
    """The purposes in force, with their version."""
    made = await _purposes(space)
    return {**made.document(), "version": made.version}


async def put_purposes(space: Space, document: object, actor: str) -> int:
    """Puts a whole document in force; its version. BadPurposes."""
    compile_purposes(document, 0)
    for _ in range(_TRIES):
        version = (await _purposes(space)).version + 1
        stated = msgspec.json.encode(compile_purposes(document, version).document())
        sealed = space.keys.seal(PURPOSES, space.public_id, version, stated)
        try:
            async with space.database.transaction() as connection:
                await destinations.put_purposes(connection, space.tenant, version, sealed, actor)
                await ledger.note(connection, space.tenant.id, actor, "purposes.put", str(version))
        except Conflict:
            continue
        return version
    raise DatabaseUnavailable


async def _purposes(space: Space) -> Purposes:
    async with space.database.reading() as connection:
        version, sealed = await destinations.purposes(connection, space.tenant)
    if sealed is None:
        return Purposes()
    return compile_purposes(msgspec.json.decode(space.keys.open(PURPOSES, space.public_id, version, sealed)), version)


async def _row(space: Space, name: str) -> DestinationRow:
    async with space.database.reading() as connection:
        row = await destinations.named(connection, space.tenant, name)
    if row is None:
        raise DestinationNotFound
    return row


async def _told(space: Space, row: DestinationRow) -> dict[str, Any]:
    entitled = _open(space, row).entitled
    now = time.time_ns() // 1000
    async with space.database.reading() as connection:
        stands = await deliveries.get(connection, space.tenant, row.id)
        waiting = await erasure_notices.waiting(connection, space.tenant, row.id)
        lanes = {each.lane: each.base for each in await feed.lanes(connection, space.tenant)}
        known = further(stands.acked, stands.watched)
        after = {lane: max(base, known.get(lane, 0)) for lane, base in lanes.items()}
        since = (await overdue_destinations.oldest(connection, space.tenant, row.id, after, _LOOK)).oldest
    return {
        "destination_id": public("dst", row.public_id),
        "name": row.name,
        "version": row.version,
        "purposes": list(entitled.purposes),
        "traits": list(entitled.traits),
        "identifiers": list(entitled.identifiers),
        "callback_url": entitled.callback_url,
        "acknowledged_at": None if stands.acked_at is None else format_time(stands.acked_at),
        "pushed_at": None if stands.pushed_at is None else format_time(stands.pushed_at),
        "push": _push(entitled, stands),
        "erasures_waiting": waiting,
        "behind_since": None if since is None else format_time(since),
        "overdue": since is not None and since < now - PATIENCE,
    }


def _push(entitled: Entitled, stands: deliveries.DeliveryRow) -> str:
    """How sending to it goes: `off`, `working`, `failing` or `dead`."""
    if entitled.callback_url is None:
        return "off"
    if stands.dead_at is not None:
        return "dead"
    return "failing" if stands.attempts else "working"


def _seal(space: Space, id_: bytes, version: int, kept: Kept) -> bytes:
    return space.keys.seal(DESTINATION, id_, version, msgspec.json.encode(kept))


def _open(space: Space, row: DestinationRow) -> Kept:
    return _kept.decode(space.keys.open(DESTINATION, row.public_id, row.version, row.document))


def _callback(kept: Kept) -> dict[str, str]:
    """The newest secret that signs, as Standard Webhooks writes one; only if there is somewhere to send to."""
    if kept.entitled.callback_url is None:
        return {}
    return {"callback_secret": "whsec_" + b64encode(kept.secrets[0]).decode()}
