"""Lists calls that were rejected, suppressed, unresolved or accepted in part, with the reasons, newest first.

The value of a demoted identifier is read from the sealed evidence of its call. A call that was not stored has no
values to read.
"""

import asyncio
from typing import Final

from msgspec import Struct

from identity.planning.resolution.event_time import parse_time
from identity.planning.resolution.rejections import StoredRejection
from identity.planning.resolution.rejections import unpack as unpack_refusals
from identity.planning.resolution.resolution_rules import Rules
from identity.planning.resolution.stored_calls import unpack, unpack_demoted
from identity.spaces.index_versions import reading_one_version, retry_on_key_rotation
from identity.spaces.space import Space
from identity.spaces.stored_call_identifiers import identifiers_by_key
from identity.store.ingest import rejections
from identity.store.spaces import spaces_and_keys
from identity.values.calls import STORED_KINDS, Kind
from identity.values.enums import StoredStatus
from identity.values.errors import BadParameter
from identity.values.ids import ProfileId
from identity.values.stamps import SLOT_BITS, Micros, stamp_time
from identity.vault.seal import EVIDENCE, REJECTION

_LIST: Final = b"rejections"
_LAST_STAMP: Final = 2**63 - 1


class UnlinkedCount(Struct, frozen=True):
    """An identifier that was not linked, or, where its value is not stored, the number of them for a reason."""

    identifier: str | None
    reason: str
    count: int


class ListedRejection(Struct, frozen=True):
    """A call that was rejected, or accepted in part; `source` is the public id of the key that sent it.

    `reason` is the code of a rejection, or `trait_limit`. `ignored_count` traits, decisions and memberships exceeded
    the size of the profile; `ignored` holds the names of up to 50 of them. A call with a suppressed identifier has no
    `message_id`.
    """

    at: Micros
    received_at: Micros
    message_id: str | None
    kind: Kind | None
    status: StoredStatus
    reason: str | None
    demoted: list[UnlinkedCount]
    ignored: list[str]
    ignored_count: int
    source: str | None
    profile_id: ProfileId | None


class ListedRejections(Struct, frozen=True):
    """A page of the list, newest first, and the cursor after it, None on the last page."""

    rejections: list[ListedRejection]
    next_cursor: str | None


@retry_on_key_rotation
async def list_rejections(space: Space, since: str | None, limit: int, cursor: str | None) -> ListedRejections:
    """Read a page of the list; `since` is an RFC 3339 time. BadParameter, BadCursor."""
    before = (_LAST_STAMP, 0) if cursor is None else _position(space.read_cursor(_LIST, cursor))
    oldest = _stamp(since)
    async with reading_one_version(space) as connection:
        packed = await rejections.rejected_calls(connection, space.tenant, oldest, before, limit + 1)
        demoted = await rejections.demoted_calls(connection, space.tenant, oldest, before[0], limit + 1)
        keys = await spaces_and_keys.key_ids(connection, space.tenant.id)
    places: list[tuple[int, int, rejections.RejectedCallsRow | rejections.DemotedCallRow]] = [
        (row.stamp, 0, row) for row in demoted
    ]
    places += [(row.stamp, number, row) for row in packed for number in range(row.seen)]
    # Rows have different stamps, so the order is total.
    places.sort(key=lambda place: place[:2], reverse=True)
    shown = places[:limit]
    reader = await _reader(space, keys, [row for _, _, row in shown if isinstance(row, rejections.DemotedCallRow)])
    lines = []
    for _, number, row in shown:
        line = reader.rejection(row, number) if isinstance(row, rejections.RejectedCallsRow) else reader.demotion(row)
        lines += [] if line is None else [line]
        # Unsealing a large call takes milliseconds; other requests get their turn here.
        await asyncio.sleep(0)
    next_cursor = space.write_cursor(_LIST, _written(*shown[-1][:2])) if len(places) > limit else None
    return ListedRejections(lines, next_cursor)


class _RejectionReader:
    """Reads lines of the list; unseals each row of calls once."""

    def __init__(self, space: Space, keys: dict[int, str], names: dict[int, str], rules: dict[int, Rules]) -> None:
        self.space = space
        self.keys = keys
        self.names = names
        self.rules = rules
        self.opened: dict[int, list[StoredRejection]] = {}

    def rejection(self, row: rejections.RejectedCallsRow, number: int) -> ListedRejection:
        """A call of a row of rejected calls."""
        space = self.space
        if row.stamp not in self.opened:
            plain = space.keys.open(REJECTION, space.public_id, row.stamp, row.payload)
            self.opened[row.stamp] = unpack_refusals(plain)
        refusal = self.opened[row.stamp][number]
        return ListedRejection(
            at=stamp_time(row.stamp),
            received_at=Micros(refusal.received),
            message_id=refusal.message_id,
            kind=None if refusal.kind is None else STORED_KINDS[refusal.kind],
            status=refusal.status,
            reason=refusal.reason,
            demoted=[UnlinkedCount(None, reason, count) for reason, count in refusal.unlinked.items()],
            ignored=refusal.ignored,
            ignored_count=refusal.ignored_count,
            source=self.keys.get(refusal.source),
            profile_id=None,
        )

    def demotion(self, row: rejections.DemotedCallRow) -> ListedRejection | None:
        """A stored call with demoted identifiers; None where its profile was erased."""
        if row.slot is None or row.epoch is None or row.canonical is None:
            return None
        if not row.slot_wrapped or not row.key_id or not row.wrapped:
            return None
        subject = self.space.keys.slot(row.slot, row.epoch, row.slot_wrapped).unwrap(row.key_id, row.wrapped)
        kept = unpack(subject.open(EVIDENCE, row.origin, row.stamp, row.payload))
        values = identifiers_by_key(self.space, kept, self.rules[row.rules_version])
        return ListedRejection(
            at=stamp_time(row.stamp),
            received_at=Micros(kept.received),
            message_id=kept.message_id,
            kind=STORED_KINDS[kept.kind],
            status=StoredStatus.ACCEPTED,
            reason=None,
            demoted=[
                UnlinkedCount(":".join(values[key]) if key in values else None, reason, 1)
                for key, reason in unpack_demoted(row.demoted, self.names.__getitem__)
            ],
            ignored=[],
            ignored_count=0,
            source=self.keys.get(kept.source),
            profile_id=ProfileId(row.canonical),
        )


async def _reader(space: Space, keys: dict[int, str], demoted: list[rejections.DemotedCallRow]) -> _RejectionReader:
    names = await space.read_types() if demoted else {}
    rules = {version: await space.rules(version) for version in {row.rules_version for row in demoted}}
    return _RejectionReader(space, keys, names, rules)


def _stamp(since: str | None) -> int:
    """The first stamp of a time. BadParameter."""
    if since is None:
        return 0
    time = parse_time(since)
    if time is None:
        raise BadParameter("since must be an RFC 3339 time.")
    return min(max(time, 0) << SLOT_BITS, _LAST_STAMP)


def _written(stamp: int, number: int) -> bytes:
    return stamp.to_bytes(8, "big") + number.to_bytes(4, "big")


def _position(raw: bytes) -> tuple[int, int]:
    return int.from_bytes(raw[:8], "big"), int.from_bytes(raw[8:], "big")
