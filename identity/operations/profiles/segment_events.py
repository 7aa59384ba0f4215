"""The calls of a profile, newest or oldest first by their arrival, evidence and plain ones alike.

A cursor is the stamp of the last call shown. Stamps of one profile only grow, so what arrives
between two pages moves nothing. Plain calls are there as long as events are retained, evidence
for life.
"""

from typing import Any, NamedTuple

from identity.operations.profiles.profile import Opened, open_profile
from identity.operations.profiles.segment_paging import Answered, Wanted, cursor, read_place, write_place
from identity.planning.resolution.event_time import format_time
from identity.planning.resolution.resolution_rules import Rules
from identity.planning.resolution.stored_calls import Kept, split_keys, unpack, unpack_events
from identity.spaces.space import Space, retry_on_key_rotation
from identity.spaces.stored_call_identifiers import identifiers_by_key
from identity.store.profiles import events as store
from identity.store.spaces import spaces_and_keys
from identity.values.calls import STORED_KINDS
from identity.values.errors import BadCall
from identity.values.stamps import SLOT_BITS
from identity.vault.seal import EVENT, EVIDENCE

MOST_CALLS = 2_000
_AT_ONCE = 500
_UP, _DOWN = b"events-up", b"events-down"
_END = 2**63 - 1


class Found(NamedTuple):
    """A call of a profile; `keys` are the identifiers it kept, None where that was not written down."""

    stamp: int
    call: Kept
    keys: list[bytes] | None
    origin: bytes


@retry_on_key_rotation
async def events(space: Space, ref: str, wanted: Wanted) -> Answered:
    """A page of calls. It ends early, with a cursor, where a filter passes over too many."""
    domain = _UP if wanted.ascending else _DOWN
    profile = await open_profile(space, ref)
    after = None
    if wanted.next is not None:
        after = int.from_bytes(read_place(space, domain, profile.subjects, wanted.next), "big")
    shown, last = await page_of(profile, wanted, after)
    next_ = None if last is None else write_place(space, domain, profile.head.canonical, last.to_bytes(8, "big"))
    async with space.database.reading() as connection:
        keys = await spaces_and_keys.key_ids(connection, space.tenant.id)
    teller = _Teller(profile, await profile.names(), keys)
    id_ = profile.public_id
    data = [await teller.tell(found) for found in shown]
    return Answered(id_, {"data": data, "cursor": cursor(space, "users", f"/{id_}/events", wanted, next_)})


async def last_call(profile: Opened) -> Kept | None:
    """The newest call of a profile that is still kept."""
    shown, _ = await page_of(profile, Wanted(1), None)
    return shown[0].call if shown else None


async def page_of(profile: Opened, wanted: Wanted, after: int | None) -> tuple[list[Found], int | None]:
    """Up to `limit` calls, and the stamp to go on from, None at the end."""
    # No call is received before it happened, and none gets a stamp before it is received.
    above = -1 if wanted.start is None else min(max((wanted.start << SLOT_BITS) - store.SPAN, -1), _END)
    below = _END
    if after is not None:
        above, below = (max(above, after), below) if wanted.ascending else (above, after)
    filtered = wanted.include or wanted.exclude or wanted.start is not None or wanted.end is not None
    most = _AT_ONCE if filtered else wanted.limit + 1
    shown: list[Found] = []
    scanned = 0
    while True:
        async with profile.space.database.reading() as connection:
            part = await store.read_calls(
                connection,
                profile.space.tenant,
                [member.id for member in profile.members],
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


def _opened(profile: Opened, part: store.CallsPage, wanted: Wanted, above: int, below: int) -> list[Found]:
    """The calls of a stretch, in order; those beyond its cut are not all there yet."""
    found = []
    for row in part.rows:
        subject = profile.subjects[row.origin]
        if row.packed:
            plain = subject.open(EVENT, row.origin, row.stamp, row.payload)
            found += [Found(stamp, call, None, row.origin) for stamp, call in unpack_events(plain)]
        else:
            call = unpack(subject.open(EVIDENCE, row.origin, row.stamp, row.payload))
            found.append(Found(row.stamp, call, split_keys(row.kept or b""), row.origin))
    if part.cut is not None:
        above, below = (above, part.cut + 1) if wanted.ascending else (part.cut - 1, below)
    found = [each for each in found if above < each.stamp < below]
    return sorted(found, key=lambda each: each.stamp, reverse=not wanted.ascending)


def _matches(call: Kept, wanted: Wanted) -> bool:
    if STORED_KINDS[call.kind] not in wanted.kinds:
        return False
    if wanted.start is not None and call.time < wanted.start:
        return False
    if wanted.end is not None and call.time >= wanted.end:
        return False
    name = call.body.get("event")
    name = name if isinstance(name, str) else None
    return (not wanted.include or name in wanted.include) and name not in wanted.exclude


class _Teller:
    """Writes calls of one profile as Segment does; identifiers that it no longer has are left out."""

    def __init__(self, profile: Opened, names: dict[int, str], keys: dict[int, str]) -> None:
        self.profile = profile
        self.names = names
        self.keys = keys
        self.held = {each.key: each for each in profile.identifiers}

    async def tell(self, found: Found) -> dict[str, Any]:
        """One call."""
        call, space = found.call, self.profile.space
        keys = found.keys
        if keys is None:
            keys = _named(space, call, await space.rules())
        kind = STORED_KINDS[call.kind]
        body = call.body
        told: dict[str, Any] = {
            "external_ids": [self._external_id(key) for key in keys if key in self.held],
            "context": _object(body.get("context")),
            "type": kind,
            "message_id": call.message_id,
            "source_id": self.keys.get(call.source),
            "timestamp": format_time(call.time),
            "properties": _object(body.get("traits" if kind in ("identify", "group") else "properties")),
            "related": {"users": self.profile.public_id},
        }
        for name in {"track": ("event",), "page": ("name", "category"), "screen": ("name", "category")}.get(kind, ()):
            if name in body:
                told[name] = body[name]
        return told

    def _external_id(self, key: bytes) -> dict[str, str]:
        held = self.held[key]
        id_ = self.profile.value(held)
        return {"collection": "users", "type": self.names[held.type], "id": id_, "encoding": "none"}


def _named(space: Space, call: Kept, rules: Rules) -> list[bytes]:
    try:
        return list(identifiers_by_key(space, call, rules))
    except BadCall:
        # Newer rules may find more identifiers in it than a call may have.
        return []


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
