"""What a destination may see of people, now, and the record that it was told.

Its entitlement and the purposes of the space are read anew each time. What is about to be told is
written down and committed first; somebody who was erased or split meanwhile is read again.
"""

import time
from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Struct

from identity.operations.profiles.profile import Opened
from identity.planning.consent.permission import Permission
from identity.planning.consent.purposes import Purposes, compile_purposes
from identity.planning.destinations.policy import Entitled, Kept, Visible, visible
from identity.spaces.space import Space
from identity.store.destinations import destinations, disclosures
from identity.store.destinations.disclosures import DisclosureRow, Read
from identity.values.calls import DAY
from identity.values.errors import DestinationNotFound
from identity.values.ids import private, public
from identity.vault.seal import DESTINATION, PURPOSES

_kept = msgspec.json.Decoder(Kept)
_FIELDS = b"disclosed"


class Scope(Struct, frozen=True):
    """A destination and what governs it: its entitlement and the purposes of the space, by their versions."""

    id: int
    public_id: bytes
    name: str
    version: int
    entitled: Entitled
    purposes: Purposes

    @property
    def offset(self) -> int:
        """What the version of a profile is raised by, so that it grows when what may be seen of it changes."""
        return self.version + self.purposes.version

    def permission(self, opened: Opened, now: int) -> Permission:
        """What a profile permits."""
        return Permission(opened.documents, opened.meetings(), self.purposes, now)


async def open_scope(space: Space, destination_id: str) -> Scope:
    """What governs a destination now. DestinationNotFound."""
    id_ = private("dst", destination_id)
    if id_ is None:
        raise DestinationNotFound
    async with space.database.reading() as connection:
        row, version, sealed = await destinations.policy(connection, space.tenant, id_)
    kept = _kept.decode(space.keys.open(DESTINATION, row.public_id, row.version, row.document))
    purposes = Purposes()
    if sealed is not None:
        stated = msgspec.json.decode(space.keys.open(PURPOSES, space.public_id, version, sealed))
        purposes = compile_purposes(stated, version)
    return Scope(row.id, row.public_id, row.name, row.version, kept.entitled, purposes)


def cursor_domain(scope: Scope) -> bytes:
    """What a cursor of this destination is good for."""
    return b"feed " + public("dst", scope.public_id).encode()


async def seen(scope: Scope, opened: Opened) -> Visible:
    """What the destination may see of a profile now."""
    names = await opened.names()
    held = [(each.origin, names[each.type]) for each in opened.identifiers]
    now = time.time_ns() // 1000
    return visible(scope.entitled, scope.permission(opened, now), opened.documents, held)


async def told_before(space: Space, scope: Scope, origins: Sequence[bytes]) -> list[DisclosureRow]:
    """What the destination was told of these origins before."""
    if not origins:
        return []
    async with space.database.reading() as connection:
        return await disclosures.of(connection, space.tenant, scope.id, origins)


async def disclose(
    space: Space, scope: Scope, telling: Sequence[tuple[Opened, Visible]], before: Sequence[DisclosureRow]
) -> set[bytes]:
    """Writes down what is about to be told; the origins of which that was not written before.

    Conflict where somebody is gone or split by now: read again.
    """
    now = time.time_ns() // 1000
    known = {(row.origin, row.fields): row for row in before}
    new, read = [], []
    for opened, view in telling:
        keys = {member.id: member.key_id for member in opened.members}
        for row in _rows(space, opened, view, now):
            key_id = keys[row.origin]
            old = known.get((row.origin, row.fields))
            if old is not None and old.last > now - DAY and old.until == row.until:
                continue
            new.append(row)
            if key_id is not None:
                read.append(Read(row.origin, key_id))
    if new:
        async with space.database.transaction() as connection:
            await disclosures.add(connection, space.tenant, scope.id, new, read)
    return {row.origin for row in new if (row.origin, row.fields) not in known}


def _rows(space: Space, opened: Opened, view: Visible, now: int) -> list[DisclosureRow]:
    fields: Mapping[bytes, list[str]] = view.fields
    told = [DisclosureRow(origin, field_set(space, names), now, view.until) for origin, names in fields.items()]
    canonical = opened.head.canonical
    if fields and canonical not in fields:
        # Its id is told, and has to be taken back even if what is seen under it parts from it.
        told.append(DisclosureRow(canonical, only_id(space), now, None))
    return told


def only_id(space: Space) -> bytes:
    """What is written down of an origin of which nothing but its id was told."""
    return field_set(space, ())


def field_set(space: Space, names: Sequence[str]) -> bytes:
    """How the set of fields that was told of an origin is written down, 16 bytes."""
    return space.keys.mac(_FIELDS, msgspec.json.encode(sorted(names)))
