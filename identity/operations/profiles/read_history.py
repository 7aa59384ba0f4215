"""The history of a profile: merges and unmerges, identifiers, changes of the rules; newest first, kept for ever.

A line names the call that caused it: the evidence with the same stamp.
"""

from collections.abc import Sequence
from itertools import takewhile
from operator import itemgetter

from msgspec import Struct

from identity.operations.profiles.find_profile import MOST_DOCUMENTS
from identity.operations.profiles.list_places import read_place, write_place
from identity.operations.profiles.profile import OpenedProfile
from identity.planning.resolution.stored_calls import StoredCall, split_keys, unpack, unpack_demoted
from identity.spaces.index_versions import reading_one_version, retry_on_key_rotation
from identity.spaces.named_identifiers import find_identifier, profile_not_found
from identity.spaces.space import Space
from identity.spaces.stored_call_identifiers import identifiers_by_key as named_in
from identity.store.corrections import rules
from identity.store.postgres.database import Connection
from identity.store.postgres.rows import EvidenceRow, HistoryRow
from identity.store.profiles import evidence as evidence_queries
from identity.store.profiles import profile_queries
from identity.store.spaces import spaces_and_keys
from identity.values.answer_bytes import PageBytes
from identity.values.calls import STORED_KINDS
from identity.values.enums import HistoryKind
from identity.values.ids import BlindIndex, ProfileId, private
from identity.values.stamps import Micros, Stamp, stamp_time
from identity.vault.seal import EVIDENCE

_LIST = b"history"
_NEWEST = (Stamp(2**63 - 1), 2**15 - 1)
_CHANGE = 2**15 - 2  # newer than every line of the same stamp


class NamedIdentifier(Struct, frozen=True):
    """An identifier that an entry names; an erased one has neither type nor value. `reason`: why it was demoted."""

    type: str | None
    value: str | None
    reason: str | None = None


class HistoryEntry(Struct, frozen=True):
    """A change of a profile, by a call (`message_id`) or by a key (`by_key`, whose public id is `actor`).

    `server_side`: whether the key of the call was no public one; None where no call is known. `proven` are the
    identifiers that its identity token proved.
    """

    at: Micros
    kind: HistoryKind
    origin: ProfileId
    rules_version: int | None
    message_id: str | None
    server_side: bool | None
    proven: list[str]
    by_key: bool
    actor: str | None
    other: ProfileId | None
    identifiers: list[NamedIdentifier] | None


class RulesChange(Struct, frozen=True):
    """A change of the rules of the space, which holds for a profile from then on."""

    at: Micros
    origin: ProfileId
    rules_version: int
    actor: str | None


class HistoryEntries(Struct, frozen=True):
    """A page of the history, newest first, and the cursor after it, None on the last page."""

    entries: list[HistoryEntry | RulesChange]
    next_cursor: str | None


@retry_on_key_rotation
async def get_history(space: Space, ref: str, limit: int, cursor: str | None) -> HistoryEntries:
    """Read a page of the history, by `type:value` or id. BadIdentifier, ProfileNotFound, BadCursor, TooMuch."""
    id_ = private("prf", ref)
    identifier = None if id_ is not None else await find_identifier(space, ref)
    async with reading_one_version(space) as connection:
        newest = space.keys.versions.newest
        if identifier is not None:
            named = [space.keys.identifiers(identifier.type, identifier.value)]
            found = await profile_queries.by_keys(connection, space.tenant, named, MOST_DOCUMENTS + 1, newest)
        else:
            found = await profile_queries.by_ids(
                connection, space.tenant, [ProfileId(id_ or b"")], MOST_DOCUMENTS + 1, newest
            )
        if 0 not in found.roots:
            raise profile_not_found(ref)
        # Opened whole: where no other read of the person is answered, neither is this one.
        opened = OpenedProfile(space, found.roots[0], found.origins, found.identifiers)
        origins = [origin.id for origin in found.origins]
        before = _NEWEST if cursor is None else _position(read_place(space, _LIST, origins, cursor))
        lines = await profile_queries.history(connection, space.tenant, origins, before, limit)
        at = sorted({(line.origin, line.stamp) for line in lines})
        claims = await _claims(connection, space, found, lines)
        at = sorted({*at, *((claim.origin, claim.stamp) for claim in claims)})
        proofs = await evidence_queries.by_stamps(connection, space.tenant, at)
        changes = await rules.changes(connection, space.tenant.id)
        source_ids = await spaces_and_keys.source_ids(connection, space.tenant.id)
    reader = await _reader(opened, lines, (claims, proofs), source_ids)
    shown: list[tuple[tuple[Stamp, int], HistoryEntry | RulesChange]] = [
        ((line.stamp, line.seq), reader.entry(line)) for line in lines
    ]
    end = shown[-1][0] if len(lines) == limit else (min(origin.oldest_birth for origin in found.origins), 0)
    shown += [
        ((change.stamp, _CHANGE), _changed(change, reader.canonical))
        for change in changes
        if end < (change.stamp, _CHANGE) < before
    ]
    shown.sort(key=itemgetter(0), reverse=True)
    more = len(shown) > limit or len(lines) == limit
    room = PageBytes()
    fitting = list(takewhile(lambda each: room.takes(each[1]), shown[:limit]))
    more, shown = more or len(fitting) < len(shown), fitting
    last = shown[-1][0][0].to_bytes(8, "big") + shown[-1][0][1].to_bytes(2, "big") if shown else b""
    following = write_place(space, _LIST, reader.canonical, last) if more else None
    return HistoryEntries([entry for _, entry in shown], following)


def _changed(change: rules.RulesChangeRow, canonical: ProfileId) -> RulesChange:
    return RulesChange(stamp_time(change.stamp), ProfileId(canonical), change.version, change.actor)


class _HistoryReader:
    """Reads lines of history with the identifiers and calls that they refer to."""

    def __init__(self, canonical: ProfileId, names: dict[int, str], source_ids: dict[int, str]) -> None:
        self.canonical = canonical
        self.names = names
        self.values: dict[BlindIndex, tuple[str, str]] = {}
        self.calls: dict[int, StoredCall] = {}
        self._source_ids = source_ids

    def entry(self, line: HistoryRow) -> HistoryEntry:
        """The entry of a line."""
        by_key = line.source is not None
        call = None if by_key else self.calls.get(line.stamp)
        return HistoryEntry(
            at=stamp_time(line.stamp),
            kind=HistoryKind(line.kind),
            origin=ProfileId(line.origin),
            rules_version=line.rules_version,
            message_id=None if call is None else call.message_id,
            server_side=None if call is None else call.server,
            proven=[] if call is None else call.proven,
            by_key=by_key,
            actor=None if line.source is None else self._source_ids.get(line.source),
            other=None if line.other is None else ProfileId(line.other),
            identifiers=self._identifiers(line),
        )

    def _identifiers(self, line: HistoryRow) -> list[NamedIdentifier] | None:
        if line.kind == HistoryKind.IDENTIFIERS_DEMOTED:
            demoted = unpack_demoted(line.keys, self.names.__getitem__)
            return [self._identifier(key, reason) for key, reason in demoted]
        return [self._identifier(key) for key in split_keys(line.keys)] if line.keys else None

    def _identifier(self, key: BlindIndex, reason: str | None = None) -> NamedIdentifier:
        type_, value = self.values.get(key, (None, None))
        return NamedIdentifier(type_, value, reason)


async def _claims(
    connection: Connection, space: Space, found: profile_queries.ProfileRows, lines: Sequence[HistoryRow]
) -> list[EvidenceRow]:
    """For each identifier that a server took over from the profile a call that had linked it, without payload."""
    known = {identifier.key for identifier in found.identifiers}
    taken = {
        key for line in lines if line.kind == HistoryKind.IDENTIFIER_TAKEN_OVER for key in split_keys(line.keys)
    } - known
    origins = [origin.id for origin in found.origins]
    claims = [await evidence_queries.with_identifier(connection, space.tenant, origins, key) for key in sorted(taken)]
    return [calls[0] for calls in claims if calls]


async def _reader(
    opened: OpenedProfile,
    lines: Sequence[HistoryRow],
    evidence: tuple[Sequence[EvidenceRow], Sequence[EvidenceRow]],
    source_ids: dict[int, str],
) -> _HistoryReader:
    claims, proofs = evidence
    space, subjects = opened.space, opened.subjects
    names = await space.read_types()
    reader = _HistoryReader(opened.id, names, source_ids)
    for identifier in opened.identifiers:
        value = opened.value(identifier)
        # A rotation of the index key may have renamed the lines, which were read later.
        for key in (identifier.key, *space.keys.identifiers(names[identifier.type], value)):
            reader.values[key] = (names[identifier.type], value)
    # Only the call that named it knows an identifier that the profile does not hold, or holds no longer.
    strange = {
        line.stamp: line.rules_version
        for line in lines
        if line.kind == HistoryKind.IDENTIFIERS_DEMOTED
        or (line.kind == HistoryKind.IDENTIFIERS_GAINED and not reader.values.keys() >= set(split_keys(line.keys)))
    } | {claim.stamp: claim.rules_version for claim in claims}
    for proof in proofs:
        kept = unpack(subjects[proof.origin].open(EVIDENCE, proof.origin, proof.stamp, proof.payload))
        reader.calls[proof.stamp] = kept
        if STORED_KINDS[kept.kind] == "remove":
            type_, value = kept.body["identifier"]
            for key in space.keys.identifiers(type_, value):
                reader.values.setdefault(key, (type_, value))
        elif proof.stamp in strange:
            reader.values |= named_in(space, kept, await space.rules(strange[proof.stamp]))
    return reader


def _position(packed_position: bytes) -> tuple[Stamp, int]:
    return Stamp(int.from_bytes(packed_position[:8], "big")), int.from_bytes(packed_position[8:], "big")
