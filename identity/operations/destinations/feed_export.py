"""The warehouse export of a destination: its feed, page by page, as states of tables.

The feed is the only source: a page is recorded as disclosed before it is exported, and the position after
it is a cursor of the feed. Rows exported before and no longer visible are removed by id.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from typing import Final

from identity.operations.destinations.destination_scope import Scope, open_scope
from identity.operations.destinations.opened_items import OpenedItem, read_items, read_position
from identity.operations.profiles.profile import OpenedProfile
from identity.planning.destinations.feed_pages import BEGINNING, Position, pack
from identity.planning.destinations.policy import Visible
from identity.planning.destinations.warehouse_tables import (
    CausingCall,
    ExportStep,
    MappedIdentifier,
    ProfileMapping,
    ProfileState,
    RemovedIds,
)
from identity.planning.resolution.stored_calls import StoredCall, unpack
from identity.spaces.index_versions import retry_on_key_rotation
from identity.spaces.space import Space
from identity.store.destinations import feed
from identity.store.profiles import evidence as evidence_queries
from identity.store.spaces import spaces_and_keys
from identity.values.calls import STORED_KINDS
from identity.values.enums import FeedOperation
from identity.values.errors import KeyUnavailable, TooMuch
from identity.values.ids import ProfileId, public, public_profile
from identity.values.stamps import Micros, Stamp, stamp_time
from identity.vault.seal import EVIDENCE

_PAGE: Final = 250
"""Profiles at once: unwrapping their keys blocks the event loop."""
_MERGED_ALONE: Final = 8
"""A profile with more origins is exported without the calls that merged them."""
_HASH: Final = b"exported "
_NOBODY: Final = CausingCall()

_Calls = Mapping[Stamp, StoredCall]
"""Calls by their stamps, which no two have in common."""


async def export_steps(
    space: Space, destination_id: str, cursor: str | None, *, first: bool
) -> AsyncIterator[ExportStep]:
    """The export after a cursor (None: all profiles, then the changes) up to the present end of the feed.

    `first` says that the walk through all profiles at the cursor is the first one. BadCursor, Resync,
    DestinationNotFound, TooMuch.
    """
    scope = await open_scope(space, destination_id)
    position = None if cursor is None else read_position(space, scope, cursor)
    async with space.database.reading() as connection:
        end = {lane.lane: lane.seq for lane in await feed.lanes(connection, space.tenant)}
        lanes = end if position is None else position.lanes
        total = sum(max(seq - lanes.get(lane, 0), 0) for lane, seq in end.items())
        again = None if position is None else position.again(scope.version, scope.purposes.version)
        after_profile = BEGINNING if again is None else again.after_profile
        if after_profile is not None:
            total += await feed.profiles_after(connection, space.tenant, after_profile)
    limit, done, more = _PAGE, 0, True
    while more:
        scope = await open_scope(space, destination_id)
        first = first and (position is None or _walking(position, scope))
        try:
            states, position, more, passed = await _step(space, scope, cursor, limit)
        except TooMuch:
            if limit == 1:
                raise
            limit = max(limit // 4, 1)
            continue
        cursor, done = space.write_cursor(scope.cursor_domain, pack(position)), done + passed
        # Changes made meanwhile are for the next export, or this one might never end.
        more = more and (
            position.after_profile is not None or any(position.lanes.get(lane, 0) < seq for lane, seq in end.items())
        )
        yield ExportStep(
            states=states,
            cursor=cursor,
            first=first,
            still_first=first and position.after_profile is not None,
            done=done,
            total=max(total, done),
        )


def _walking(position: Position, scope: Scope) -> bool:
    """Whether a position is on a walk through all profiles that the present versions began."""
    return position.after_profile is not None and (position.entitlement_version, position.purposes_version) == (
        scope.version,
        scope.purposes.version,
    )


@retry_on_key_rotation
async def _step(
    space: Space, scope: Scope, cursor: str | None, limit: int
) -> tuple[list[ProfileState | RemovedIds], Position, bool, int]:
    page = await read_items(space, scope, cursor, limit)
    calls = await _calls(space, page.items)
    async with space.database.reading() as connection:
        source_ids = await spaces_and_keys.source_ids(connection, space.tenant.id)
    writer = _StateWriter(space, scope, calls, source_ids)
    states = [each for opened in page.items if (each := await writer.write(opened)) is not None]
    return states, page.position, page.more, page.passed


async def _calls(space: Space, items: Sequence[OpenedItem]) -> _Calls:
    """The calls behind these items, as far as they are kept and cheap to find."""
    subjects = {}
    wanted = set()
    for opened in items:
        if opened.op != "upsert" or opened.profile is None or opened.view is None:
            continue
        one = opened.profile
        subjects.update(one.subjects)
        wanted |= {(one.identifiers[at].origin, one.identifiers[at].linked_at) for at in opened.view.identifiers}
        wanted.add((one.root.canonical, one.root.oldest_birth))
        if len(one.origins) <= _MERGED_ALONE:
            joined = [origin.joined_at for origin in one.origins if origin.joined_at is not None]
            wanted |= {(origin.id, stamp) for origin in one.origins for stamp in joined}
    if not wanted:
        return {}
    async with space.database.reading() as connection:
        proofs = await evidence_queries.by_stamps(connection, space.tenant, sorted(wanted))
    found = {}
    for proof in proofs:
        # An unmerge sealed it under another key since: export without it.
        with suppress(KeyUnavailable):
            plain = subjects[proof.origin].open(EVIDENCE, proof.origin, proof.stamp, proof.payload)
            found[proof.stamp] = unpack(plain)
    return found


class _StateWriter:
    """Writes items of the feed as states."""

    def __init__(self, space: Space, scope: Scope, calls: _Calls, source_ids: Mapping[int, str]) -> None:
        self._space = space
        self._domain = _HASH + public("dst", scope.public_id).encode()
        self._calls = calls
        self._source_ids = source_ids

    async def write(self, opened: OpenedItem) -> ProfileState | RemovedIds | None:
        """The state that an item leaves behind; an unmerge has the states of both sides in items of their own."""
        item, one, view = opened.item, opened.profile, opened.view
        at = stamp_time(item.stamp)
        if opened.op == "upsert" and one is not None and view is not None:
            return await self._state(one, view, _disclosed_ids(opened, one, view), at)
        if opened.op == "withdraw":
            if one is None or view is None:
                return RemovedIds([public_profile(item.profile)], [public_profile(item.profile)], at)
            disclosed = [public_profile(origin) for origin in sorted(_disclosed_ids(opened, one, view))]
            return RemovedIds([public_profile(one.id)], disclosed, at)
        if item.op == FeedOperation.ERASE and item.erasure_id is not None:
            ids = [public_profile(id_) for id_ in (item.profile, *item.other_profile_ids)]
            return RemovedIds(ids, ids, at, public("ers", item.erasure_id))
        others = [public_profile(id_) for id_ in item.other_profile_ids if id_ in opened.known]
        return RemovedIds(others, [], at) if item.op == FeedOperation.MERGE and others else None

    async def _state(self, one: OpenedProfile, view: Visible, disclosed: set[ProfileId], at: Micros) -> ProfileState:
        names = await one.names()
        links = []
        for origin in one.origins:
            if origin.id not in disclosed:
                continue
            came = one.root.oldest_birth if origin.id == one.root.canonical else origin.joined_at or origin.stamp
            links.append(ProfileMapping(public_profile(origin.id), stamp_time(came), self._event(came)))
        identifiers = []
        for nr in view.identifiers:
            held = one.identifiers[nr]
            event = self._event(held.linked_at)
            type_, value = names[held.type], one.value(held)
            hash_ = self._space.keys.mac(self._domain, f"{type_}:{value}".encode()).hex()
            segment, linked = public_profile(held.origin), stamp_time(held.linked_at)
            identifiers.append(
                MappedIdentifier(
                    segment=segment,
                    type=type_,
                    value=value,
                    hash=hash_,
                    at=linked,
                    event=event,
                    first_seen=held.first_seen,
                    last_seen=held.last_seen,
                )
            )
        folded = one.folded()
        traits = {name: (value, folded[name][1], stamp_time(folded[name][2])) for name, value in view.traits.items()}
        return ProfileState(
            canonical=public_profile(one.id), links=links, identifiers=identifiers, traits=traits, at=at
        )

    def _event(self, stamp: Stamp) -> CausingCall:
        call = self._calls.get(stamp)
        if call is None:
            return _NOBODY
        return CausingCall(STORED_KINDS[call.kind], call.message_id, self._source_ids.get(call.source), call.time)


def _disclosed_ids(opened: OpenedItem, one: OpenedProfile, view: Visible) -> set[ProfileId]:
    """The origins whose ids the destination has: the canonical one, those with visible data, those known before."""
    known = {origin.id for origin in one.origins if origin.id in view.fields or origin.id in opened.known}
    return known | {one.root.canonical}
