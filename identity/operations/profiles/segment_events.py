"""Lists the calls of a profile by arrival, newest or oldest first: evidence and other events alike.

A cursor holds the stamp of the last call of the page. Stamps of a profile only grow, so a call that arrives between
two pages moves none. Events are kept for the retention time, evidence as long as the profile.
"""

from typing import Final, NamedTuple

from identity.operations.profiles.list_places import read_place, write_place
from identity.operations.profiles.profile import OpenedProfile, open_profile
from identity.operations.profiles.segment_paging import ListParameters, Page
from identity.operations.profiles.segment_values import (
    USERS,
    SourcedCall,
)
from identity.planning.resolution.resolution_rules import Rules
from identity.planning.resolution.stored_calls import StoredCall, split_keys, unpack, unpack_events
from identity.spaces.index_versions import retry_on_key_rotation
from identity.spaces.space import Space
from identity.spaces.stored_call_identifiers import identifiers_by_key
from identity.store.profiles import events as event_queries
from identity.store.spaces import spaces_and_keys
from identity.values.calls import STORED_KINDS, Identifier
from identity.values.errors import BadCall
from identity.values.ids import BlindIndex, ProfileId
from identity.values.stamps import Stamp, first_stamp
from identity.vault.seal import EVENT, EVIDENCE

MOST_CALLS = 2_000
_AT_ONCE = 500
_UP, _DOWN = b"events-up", b"events-down"
_END: Final = Stamp(2**63 - 1)


class ProfileCall(NamedTuple):
    """A call of a profile; `keys` are the blind indexes of its identifiers, None where a row holds none."""

    stamp: Stamp
    call: StoredCall
    keys: list[BlindIndex] | None
    origin: ProfileId


@retry_on_key_rotation
async def events(space: Space, ref: str, wanted: ListParameters) -> Page[list[SourcedCall]]:
    """Read a page of calls. It ends before its limit, with a cursor, where a filter skips too many calls."""
    domain = _UP if wanted.ascending else _DOWN
    profile = await open_profile(space, ref)
    after = None
    if wanted.next is not None:
        after = Stamp(int.from_bytes(read_place(space, domain, profile.subjects, wanted.next), "big"))
    shown, last = await page_of(profile, wanted, after)
    next_ = None if last is None else write_place(space, domain, profile.root.canonical, last.to_bytes(8, "big"))
    async with space.database.reading() as connection:
        source_ids = await spaces_and_keys.source_ids(connection, space.tenant.id)
    reader = _EventReader(profile, await profile.names(), source_ids)
    return Page(profile.id, [await reader.call(found) for found in shown], next_)


async def last_call(profile: OpenedProfile) -> StoredCall | None:
    """The newest call of a profile that is still kept."""
    shown, _ = await page_of(profile, ListParameters(limit=1), None)
    return shown[0].call if shown else None


async def page_of(
    profile: OpenedProfile, wanted: ListParameters, after: Stamp | None
) -> tuple[list[ProfileCall], Stamp | None]:
    """Up to `limit` calls, and the stamp after which the next page begins, None at the end."""
    # A call happens before it arrives, and it gets its stamp after it arrives.
    above = Stamp(-1 if wanted.start is None else min(max(first_stamp(wanted.start) - event_queries.SPAN, -1), _END))
    below = _END
    if after is not None:
        above, below = (max(above, after), below) if wanted.ascending else (above, after)
    filtered = wanted.include or wanted.exclude or wanted.start is not None or wanted.end is not None
    most = _AT_ONCE if filtered else wanted.limit + 1
    shown: list[ProfileCall] = []
    scanned = 0
    while True:
        async with profile.space.database.reading() as connection:
            part = await event_queries.read_calls(
                connection,
                profile.space.tenant,
                [origin.id for origin in profile.origins],
                above=above,
                below=below,
                most=most,
                ascending=wanted.ascending,
            )
        opened = _opened(profile, part, wanted, above, below)
        for found in opened:
            if _matches(found.call, wanted):
                if len(shown) == wanted.limit:
                    return shown, shown[-1].stamp
                shown.append(found)
        scanned += len(opened)
        if part.cut is None:
            return shown, None
        if wanted.ascending:
            above = part.cut
        else:
            below = part.cut
        if scanned >= MOST_CALLS:
            return shown, part.cut


def _opened(
    profile: OpenedProfile, part: event_queries.CallsPage, wanted: ListParameters, above: Stamp, below: Stamp
) -> list[ProfileCall]:
    """The calls of a part of the list, in order, up to its cut; beyond the cut some calls are not read yet."""
    found = []
    for row in part.rows:
        subject = profile.subjects[row.origin]
        if row.packed:
            plain = subject.open(EVENT, row.origin, row.stamp, row.payload)
            found += [
                ProfileCall(Stamp(stamp), call, None, ProfileId(row.origin)) for stamp, call in unpack_events(plain)
            ]
        else:
            call = unpack(subject.open(EVIDENCE, row.origin, row.stamp, row.payload))
            found.append(ProfileCall(Stamp(row.stamp), call, split_keys(row.kept or b""), ProfileId(row.origin)))
    if part.cut is not None:
        above, below = (above, Stamp(part.cut + 1)) if wanted.ascending else (Stamp(part.cut - 1), below)
    found = [each for each in found if above < each.stamp < below]
    return sorted(found, key=lambda each: each.stamp, reverse=not wanted.ascending)


def _matches(call: StoredCall, wanted: ListParameters) -> bool:
    if STORED_KINDS[call.kind] not in wanted.kinds:
        return False
    if wanted.start is not None and call.time < wanted.start:
        return False
    if wanted.end is not None and call.time >= wanted.end:
        return False
    name = call.body.get("event")
    name = name if isinstance(name, str) else None
    return (not wanted.include or name in wanted.include) and name not in wanted.exclude


class _EventReader:
    """Reads calls of one profile, without identifiers that the profile no longer holds."""

    def __init__(self, profile: OpenedProfile, names: dict[int, str], source_ids: dict[int, str]) -> None:
        self.profile = profile
        self.names = names
        self.source_ids = source_ids
        self.identifiers = {each.key: each for each in profile.identifiers}

    async def call(self, found: ProfileCall) -> SourcedCall:
        """A call with the identifiers that it names and the profile holds."""
        call, space = found.call, self.profile.space
        keys = found.keys
        if keys is None:
            keys = _named(space, call, await space.recent_rules())
        return SourcedCall(
            collection=USERS,
            kind=STORED_KINDS[call.kind],
            call=call,
            source=self.source_ids.get(call.source),
            profile_id=self.profile.id,
            identifiers=[self._identifier(key) for key in keys if key in self.identifiers],
        )

    def _identifier(self, key: BlindIndex) -> Identifier:
        identifier = self.identifiers[key]
        return Identifier(self.names[identifier.type], self.profile.value(identifier))


def _named(space: Space, call: StoredCall, rules: Rules) -> list[BlindIndex]:
    try:
        return list(identifiers_by_key(space, call, rules))
    except BadCall:
        # Under newer rules the call may have more identifiers than a call is allowed.
        return []
