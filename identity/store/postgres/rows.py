"""Rows that operations and the store exchange: ids, counters, keys and ciphertext.

Fields stand in the order of the columns in the statements of `write` and `load`. Ids are 16 bytes, blind indexes 32.
"""

from typing import NamedTuple

from identity.values.ids import BlindIndex, ErasureId, GroupRowId, ProfileId, SetKey, SubjectId
from identity.values.stamps import Micros, Stamp


class OriginRow(NamedTuple):
    """One origin; `folded` is None where it would equal `own`."""

    id: ProfileId
    version: int
    stamp: Stamp
    created: Stamp
    oldest_birth: Stamp
    events: int
    joined_at: Stamp | None
    root: ProfileId
    canonical: ProfileId
    joined_to: ProfileId | None
    own: bytes
    folded: bytes | None


class KeyRow(NamedTuple):
    """The wrapped subject key of an origin with that of its slot, and the document where it was requested."""

    id: SubjectId
    slot: int
    key_id: bytes
    wrapped: bytes
    epoch: int
    slot_wrapped: bytes
    version: int | None = None
    document: bytes | None = None


class SightingRow(NamedTuple):
    """How often a set of identifiers was seen at an origin; `first_seen` and `last_seen` are event times."""

    origin: ProfileId
    set_key: SetKey
    seen: int
    days: int
    last_day: int
    first_seen: Micros
    last_seen: Micros
    sources: bytes


class GroupStateRow(NamedTuple):
    """A group, sealed."""

    key: bytes
    id: GroupRowId
    version: int
    group_id: bytes
    document: bytes


class IdentifierRow(NamedTuple):
    """An identifier of an origin; `value` is sealed under the key of the origin, `linked_at` is a stamp."""

    key: BlindIndex
    origin: ProfileId
    type: int
    retired: bool
    source: int
    linked_at: Stamp
    first_seen: Micros
    last_seen: Micros
    value: bytes


class LinkRow(NamedTuple):
    """An identifier without its value and origin: the columns of `IdentifierRow` between these."""

    type: int
    retired: bool
    source: int
    linked_at: Stamp
    first_seen: Micros
    last_seen: Micros


class SubjectKeyRow(NamedTuple):
    """A new subject key."""

    id: SubjectId
    slot: int
    key_id: bytes
    wrapped: bytes


class DocumentRow(NamedTuple):
    """A sealed document; version 1 is a new one."""

    origin: ProfileId
    version: int
    document: bytes


class EvidenceRow(NamedTuple):
    """A call or a correction that changed what is known; `payload` is empty where it was not requested."""

    origin: ProfileId
    stamp: Stamp
    kind: int
    kept: bytes
    demoted: bytes | None
    payload: bytes
    rules_version: int


class EventRow(NamedTuple):
    """The plain calls of one origin in a batch, sealed; `stamp` is that of the first."""

    origin: ProfileId
    stamp: Stamp
    calls: int
    payload: bytes


class RejectionRow(NamedTuple):
    """The calls of one batch that were not stored, or not whole; `stamp` names the batch."""

    stamp: Stamp
    calls: int
    payload: bytes


class HistoryRow(NamedTuple):
    """One line of the history of a profile; `source` is the number of the API key of a correction (column `actor`)."""

    origin: ProfileId
    stamp: Stamp
    seq: int
    kind: int
    other: ProfileId | None
    keys: bytes
    rules_version: int
    source: int | None = None


class ChangeRow(NamedTuple):
    """One entry of the feed, as a row to insert; `other` is another profile id, or for an erasure its id."""

    op: int
    version: int
    stamp: Stamp
    profile: ProfileId
    other: ProfileId | ErasureId | None
