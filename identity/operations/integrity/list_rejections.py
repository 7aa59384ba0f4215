"""Lists and counts calls that were rejected, suppressed, unresolved or accepted in part, with the reasons.

The value of a demoted identifier is read from the sealed evidence of its call. A call that was not stored has no
values to read. The newest line comes first.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Final

from msgspec import Struct

from identity.operations.integrity.listed_rejection import ListedRejection, RejectionFilter, UnlinkedCount
from identity.operations.profiles.find_profile import require_shown
from identity.planning.resolution.event_time import format_time, parse_query_time
from identity.planning.resolution.rejections import StoredRejection
from identity.planning.resolution.rejections import unpack as unpack_refusals
from identity.planning.resolution.resolution_rules import Rules
from identity.planning.resolution.stored_calls import unpack, unpack_demoted
from identity.spaces.index_versions import reading_one_version, retry_on_key_rotation
from identity.spaces.space import Space
from identity.spaces.stored_call_identifiers import identifiers_by_key
from identity.store.ingest import rejections
from identity.store.spaces import spaces_and_keys
from identity.values.answer_bytes import PageBytes
from identity.values.calls import STORED_KINDS
from identity.values.enums import StoredStatus
from identity.values.errors import BadParameter
from identity.values.ids import ProfileId
from identity.values.stamps import Micros, Stamp, first_stamp, stamp_time
from identity.vault.seal import EVIDENCE, REJECTION

_LIST: Final = b"rejections"
_LAST_STAMP: Final = Stamp(2**63 - 1)
_PAGE: Final = 1_000
_MOST_SCANNED: Final = 10_000


class ListedRejections(Struct, frozen=True):
    """A page of the list, newest first, and the cursor after it, None on the last page."""

    rejections: list[ListedRejection]
    next_cursor: str | None


class RejectionCount(Struct, frozen=True):
    """How much was lost on a day (UTC, of arrival) for a reason; `source` is the public id of a key."""

    day: str
    source: str | None
    reason: str
    count: int


class RejectionSummary(Struct, frozen=True):
    """Counts, the newest day first, and the cursor after the lines they count, None where all are counted."""

    counts: list[RejectionCount]
    next_cursor: str | None


@retry_on_key_rotation
async def list_rejections(
    space: Space,
    since: str | None,
    limit: int,
    cursor: str | None,
    *,
    until: str | None = None,
    wanted: RejectionFilter = RejectionFilter(),  # noqa: B008 (immutable)
) -> ListedRejections:
    """Read a page of the list; `since` and `until` are RFC 3339 times. BadParameter, BadCursor, RolledBack.

    A page of a filtered list may be shorter than the limit: it ends after a bounded number of other lines. Every page
    ends after a bounded number of bytes.
    """
    found: list[ListedRejection] = []
    room = PageBytes()
    next_cursor = None
    async for at, line, more in _lines(space, since, until, cursor, limit, wanted):
        if line is not None and wanted.passes(line):
            if not room.takes(line):
                break
            found.append(line)
        next_cursor = space.write_cursor(_LIST, _written(*at)) if more else None
        if len(found) == limit:
            break
    return ListedRejections(found, next_cursor)


@retry_on_key_rotation
async def summarise_rejections(
    space: Space, since: str | None, until: str | None, cursor: str | None
) -> RejectionSummary:
    """Count the lines of the list by day, source and reason. BadParameter, BadCursor.

    One answer counts a bounded number of lines; the counts of all pages add up.
    """
    counts: Counter[tuple[str, str | None, str]] = Counter()
    next_cursor = None
    async for at, line, more in _lines(space, since, until, cursor, _MOST_SCANNED, RejectionFilter()):
        if line is not None:
            for reason, count in line.lost().items():
                counts[format_time(line.at)[:10], line.source, reason] += count
        next_cursor = space.write_cursor(_LIST, _written(*at)) if more else None
    ordered = sorted(counts.items(), key=lambda each: (each[0][1] or "", each[0][2]))
    ordered.sort(key=lambda each: each[0][0], reverse=True)
    return RejectionSummary([RejectionCount(*key, count) for key, count in ordered], next_cursor)


async def _lines(
    space: Space, since: str | None, until: str | None, cursor: str | None, limit: int, wanted: RejectionFilter
) -> AsyncIterator[tuple[tuple[Stamp, int], ListedRejection | None, bool]]:
    """The lines of the list with their places, and whether more follow; a bounded number of them.

    A line is None where its person was erased.
    """
    oldest = _stamp(since)
    before = (_LAST_STAMP if until is None else _stamp(until, "until"), 0)
    if oldest > before[0]:
        raise BadParameter("The query parameter `since` is later than `until`, so no call lies between; swap the two.")
    if cursor is not None:
        before = _position(space.read_cursor(_LIST, cursor))
    left = limit if wanted.is_open else max(limit, _MOST_SCANNED)
    while left > 0:
        size = min(left, _PAGE)
        async with reading_one_version(space) as connection:
            packed = await rejections.rejected_calls(connection, space.tenant, oldest, before, size + 1)
            demoted = await rejections.demoted_calls(connection, space.tenant, oldest, before[0], size + 1)
            source_ids = await spaces_and_keys.source_ids(connection, space.tenant.id)
        if wanted.source is not None and wanted.source not in source_ids.values():
            raise BadParameter(
                "The query parameter `source` must be the id of a key of this space; GET /v1/keys lists them."
            )
        places: list[tuple[Stamp, int, rejections.RejectedCallsRow | rejections.DemotedCallRow]] = [
            (row.stamp, 0, row) for row in demoted
        ]
        places += [(row.stamp, number, row) for row in packed for number in range(row.seen)]
        # Rows have different stamps, so the order is total.
        places.sort(key=lambda place: place[:2], reverse=True)
        shown = places[:size]
        reader = await _reader(
            space, source_ids, [row for _, _, row in shown if isinstance(row, rejections.DemotedCallRow)]
        )
        for at, (stamp, number, row) in enumerate(shown, 1):
            line = (
                reader.rejection(row, number) if isinstance(row, rejections.RejectedCallsRow) else reader.demotion(row)
            )
            yield (stamp, number), line, at < len(places)
            # Unsealing a large call takes milliseconds; other requests get their turn here.
            await asyncio.sleep(0)
        if len(places) <= size:
            return
        before = shown[-1][:2]
        left -= size


class _RejectionReader:
    """Reads lines of the list; unseals each row of calls once."""

    def __init__(
        self, space: Space, source_ids: dict[int, str], names: dict[int, str], rules: dict[int, Rules]
    ) -> None:
        self.space = space
        self.source_ids = source_ids
        self.names = names
        self.rules = rules
        self.opened: dict[int, list[StoredRejection]] = {}

    def rejection(self, row: rejections.RejectedCallsRow, number: int) -> ListedRejection | None:
        """A call of a row of rejected calls; None where its person was erased since."""
        space = self.space
        if row.stamp not in self.opened:
            plain = space.keys.open(REJECTION, space.public_id, row.stamp, row.payload)
            self.opened[row.stamp] = unpack_refusals(plain)
        refusal = self.opened[row.stamp][number]
        if any(space.recorded.erased.get(hash_, 0) >= refusal.received for hash_ in refusal.people):
            return None
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
            ignored_timestamp=refusal.ignored_timestamp,
            mended_values=refusal.mended,
            hint=refusal.hint,
            invalid_signals=refusal.invalid_signals,
            ignored_fields=refusal.ignored_fields,
            source=self.source_ids.get(refusal.source),
            profile_id=None,
        )

    def demotion(self, row: rejections.DemotedCallRow) -> ListedRejection | None:
        """A stored call with demoted identifiers; None where its profile was erased."""
        if row.slot is None or row.epoch is None or row.canonical is None:
            return None
        if not row.slot_wrapped or not row.key_id or not row.wrapped:
            return None
        require_shown(self.space, [row.origin])
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
            ignored_timestamp=None,
            mended_values=0,
            hint=None,
            invalid_signals=[],
            ignored_fields={},
            source=self.source_ids.get(kept.source),
            profile_id=ProfileId(row.canonical),
        )


async def _reader(
    space: Space, source_ids: dict[int, str], demoted: list[rejections.DemotedCallRow]
) -> _RejectionReader:
    names = await space.read_types() if demoted else {}
    rules = {version: await space.rules(version) for version in {row.rules_version for row in demoted}}
    return _RejectionReader(space, source_ids, names, rules)


def _stamp(text: str | None, name: str = "since") -> Stamp:
    """The first stamp of a time. BadParameter."""
    if text is None:
        return Stamp(0)
    time = parse_query_time(text)
    if time is None:
        raise BadParameter(f"The query parameter `{name}` must be an RFC 3339 time, such as 2026-01-31T12:00:00Z.")
    return min(first_stamp(Micros(max(time, 0))), _LAST_STAMP)


def _written(stamp: Stamp, number: int) -> bytes:
    return stamp.to_bytes(8, "big") + number.to_bytes(4, "big")


def _position(packed_position: bytes) -> tuple[Stamp, int]:
    return Stamp(int.from_bytes(packed_position[:8], "big")), int.from_bytes(packed_position[8:], "big")
