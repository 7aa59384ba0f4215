"""The part of profiles that a destination may see now, and the record of each disclosure.

The entitlement and the purposes of the space are read for every request. A disclosure is recorded and
committed before the data leaves; a profile that was erased or split meanwhile is read again.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec import Struct

from identity.operations.destinations.destination_document import open_document
from identity.operations.destinations.destination_rows import read_policy
from identity.operations.destinations.manage_purposes import open_purposes
from identity.operations.profiles.profile import OpenedProfile
from identity.planning.consent.permission import Permission
from identity.planning.consent.purposes import Purposes
from identity.planning.destinations.policy import Entitled, Visible, visible
from identity.planning.resolution.resolution_rules import Rules
from identity.spaces.space import Space
from identity.store.destinations import disclosures
from identity.store.destinations.disclosures import DisclosureRow, OriginKey
from identity.values.calls import DAY
from identity.values.errors import DestinationNotFound
from identity.values.ids import DestinationId, DestinationNumber, ProfileId, private, public
from identity.values.stamps import Micros, wall_time

_FIELDS = b"disclosed"


class VisibleIdentifier(Struct, frozen=True, gc=False):
    """An identifier that a destination may see."""

    type: str
    value: str


class Scope(Struct, frozen=True):
    """A destination and what governs it: its entitlement, the purposes and the rules of the space."""

    id: DestinationNumber
    public_id: DestinationId
    name: str
    version: int
    entitled: Entitled
    purposes: Purposes
    rules: Rules

    @property
    def offset(self) -> int:
        """Added to the version of a profile, which so grows when the visible part of the profile changes."""
        return self.version + self.purposes.version

    @property
    def cursor_domain(self) -> bytes:
        """Domain of the cursors that are valid for this destination only."""
        return b"feed " + public("dst", self.public_id).encode()

    def permission(self, opened: OpenedProfile, now: Micros) -> Permission:
        """What a profile permits."""
        sides = opened.consent_sides(self.rules)
        return Permission(sides.documents, sides.meetings, self.purposes, now, sides.homes)


async def open_scope(space: Space, destination_id: str) -> Scope:
    """A destination and what governs it now. DestinationNotFound, DestinationPaused, RolledBack."""
    id_ = private("dst", destination_id)
    if id_ is None:
        raise DestinationNotFound
    row, version, sealed = await read_policy(space, id_)
    space.heads.require_resumed(id_)
    return Scope(
        id=row.id,
        public_id=row.public_id,
        name=row.name,
        version=row.version,
        entitled=open_document(space, row).entitled,
        purposes=open_purposes(space, version, sealed),
        rules=await space.recent_rules(),
    )


async def visible_part(scope: Scope, opened: OpenedProfile) -> Visible:
    """What the destination may see of a profile now."""
    names = await opened.names()
    held = [(each.origin, names[each.type]) for each in opened.identifiers]
    now = wall_time()
    return visible(scope.entitled, scope.permission(opened, now), opened.documents, held)


async def past_disclosures(space: Space, scope: Scope, origins: Sequence[ProfileId]) -> list[DisclosureRow]:
    """The disclosures of these origins to the destination so far."""
    if not origins:
        return []
    async with space.database.reading() as connection:
        return await disclosures.by_origins(connection, space.tenant, scope.id, origins)


async def disclose(
    space: Space, scope: Scope, profiles: Iterable[tuple[OpenedProfile, Visible]], before: Sequence[DisclosureRow]
) -> set[ProfileId]:
    """Record the disclosure of these profiles and return the origins with a field set not recorded before.

    Conflict where a profile is gone or split by now: read it again.
    """
    now = wall_time()
    known = {(row.origin, row.fields): row for row in before}
    new, read = [], []
    for opened, view in profiles:
        keys = {origin.id: origin.key_id for origin in opened.origins}
        for row in _rows(space, opened, view, now):
            key_id = keys[row.origin]
            old = known.get((row.origin, row.fields))
            if old is not None and old.last > now - DAY and old.until == row.until:
                continue
            new.append(row)
            if key_id is not None:
                read.append(OriginKey(row.origin, key_id))
    if new:
        async with space.database.transaction() as connection:
            await disclosures.add(connection, space.tenant, scope.id, new, read)
    return {row.origin for row in new if (row.origin, row.fields) not in known}


def _rows(space: Space, opened: OpenedProfile, view: Visible, now: Micros) -> list[DisclosureRow]:
    fields: Mapping[ProfileId, list[str]] = view.fields
    rows = [DisclosureRow(origin, field_set(space, names), now, view.until) for origin, names in fields.items()]
    canonical = opened.root.canonical
    if fields and canonical not in fields:
        # Its id is disclosed, and has to be withdrawn even if what is visible under it is split off.
        rows.append(DisclosureRow(canonical, id_only(space), now, None))
    return rows


def id_only(space: Space) -> bytes:
    """The field set of an origin of which only the id was disclosed."""
    return field_set(space, ())


def field_set(space: Space, names: Sequence[str]) -> bytes:
    """The keyed hash, 16 bytes, that records which fields of an origin were disclosed."""
    return space.keys.mac(_FIELDS, msgspec.json.encode(sorted(names)))
