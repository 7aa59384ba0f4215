"""The calls of a profile, newest or oldest first by their arrival, evidence and plain ones alike.

A cursor is the stamp of the last call shown. Stamps of one profile only grow, so what arrives
between two pages moves nothing. Plain calls are there as long as events are retained, evidence
for life.
"""

from typing import Any, NamedTuple

from identity.clock import SLOT_BITS
from identity.naming import named
from identity.journeys.read.opened import Opened, open_profile
from identity.journeys.read.page import Answered, Wanted, cursor
from identity.model import STORED_KINDS
from identity.planning.records import Kept, split_keys, unpack, unpack_events
from identity.planning.timing import format_time
from identity.spaces import Space, through_a_roll
from identity.store import control
from identity.store import events as store
from identity.vault.seal import EVENT, EVIDENCE

MOST_ROWS = 2_000
_UP, _DOWN = b"events-up", b"events-down"
_END = 2**63 - 1


class Found(NamedTuple):
    """A call of a profile; `keys` are the identifiers it kept, None where that was not written down."""

    stamp: int
    call: Kept
    keys: list[bytes] | None


@through_a_roll
async def events(space: Space, ref: str, wanted: Wanted) -> Answered:
    """A page of calls. It ends early, with a cursor, where a filter passes over too many."""
    domain = _UP if wanted.ascending else _DOWN
    after = None if wanted.next is None else int.from_bytes(space.read_cursor(domain, wanted.next), "big")
    profile = await open_profile(space, ref)
    shown, last = await _page(profile, wanted, after)
    next_ = None if last is None else space.write_cursor(domain, last.to_bytes(8, "big"))
    async with space.database.reading() as connection:
        keys = await control.key_names(connection, space.tenant.id)
    teller = _Teller(profile, await profile.names(), keys)
    id_ = profile.public_id
    data = [await teller.tell(found) for found in shown]
    return Answered(id_, {"data": data, "cursor": cursor(space, "users", f"/{id_}/events", wanted, next_)})


async def last_call(profile: Opened) -> Kept | None:
    """The newest call of a profile that is still kept."""
    shown, _ = await _page(profile, Wanted(1), None)
    return shown[0].call if shown else None


async def _page(profile: Opened, wanted: Wanted, after: int | None) -> tuple[list[Found], int | None]:
    """Up to `limit` calls, and the stamp to go on from, None at the end."""
    # No call is received before it happened, and none gets a stamp before it is received.
    above = -1 if wanted.start is None else (wanted.start << SLOT_BITS) - store.SPAN
    below = _END
    if after is not None:
        above, below = (max(above, after), below) if wanted.ascending else (above, after)
    shown: list[Found] = []
    scanned = 0
    while True:
        async with profile.space.database.reading() as connection:
            part = await store.stretch(
                connection,
                profile.space.tenant,
                [member.id for member in profile.members],
                above=above,
                below=below,
                most=wanted.limit + 1,
                ascending=wanted.ascending,
            )
        for found in _opened(profile, part, wanted, above, below):
            if _matches(found.call, wanted):
                if len(shown) == wanted.limit:
                    return shown, shown[-1].stamp
                shown.append(found)
        scanned += len(part.rows)
        if part.cut is None:
            return shown, None
        if wanted.ascending:
            above = part.cut
        else:
            below = part.cut
        if scanned >= MOST_ROWS:
            return shown, part.cut


def _opened(profile: Opened, part: store.Stretch, wanted: Wanted, above: int, below: int) -> list[Found]:
    """The calls of a stretch, in order; those beyond its cut are not all there yet."""
    found = []
    for row in part.rows:
        subject = profile.subjects[row.origin]
        if row.packed:
            plain = subject.open(EVENT, row.origin, row.stamp, row.payload)
            found += [Found(stamp, call, None) for stamp, call in unpack_events(plain)]
        else:
            call = unpack(subject.open(EVIDENCE, row.origin, row.stamp, row.payload))
            found.append(Found(row.stamp, call, split_keys(row.kept or b"")))
    if part.cut is not None:
        above, below = (above, part.cut + 1) if wanted.ascending else (part.cut - 1, below)
    found = [each for each in found if above < each.stamp < below]
    return sorted(found, key=lambda each: each.stamp, reverse=not wanted.ascending)


def _matches(call: Kept, wanted: Wanted) -> bool:
    if STORED_KINDS[call.kind] == "leave":
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
        self.keys = keys
        self.held = {
            each.key: {"collection": "users", "type": names[each.type], "id": profile.value(each), "encoding": "none"}
            for each in profile.identifiers
        }

    async def tell(self, found: Found) -> dict[str, Any]:
        """One call."""
        call, space = found.call, self.profile.space
        keys = found.keys
        if keys is None:
            keys = list(named(space, call, await space.rules()))
        kind = STORED_KINDS[call.kind]
        body = call.body
        told: dict[str, Any] = {
            "external_ids": [self.held[key] for key in keys if key in self.held],
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


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
