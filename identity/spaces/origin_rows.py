"""Converts an origin between its row and the value that the planner works on."""

from collections.abc import Mapping

from identity.planning.resolution import counters
from identity.planning.resolution.planner_state import Profile
from identity.spaces.space import Space
from identity.store.postgres.rows import KeyRow, OriginRow
from identity.vault.subject_keys import SubjectKey


def unwrap_key(space: Space, row: KeyRow) -> SubjectKey:
    """The subject key of a row, unwrapped with the key of its slot."""
    return space.keys.slot(row.slot, row.epoch, row.slot_wrapped).unwrap(row.key_id, row.wrapped)


def to_profile(row: OriginRow, names: Mapping[int, str]) -> Profile:
    """The value of an origin. KeyError for an identifier type that this process has not read yet."""
    own = counters.unpack(row.own, names)
    folded = counters.copy(own) if row.folded is None else counters.unpack(row.folded, names)
    return Profile(
        id=row.id,
        created=row.created,
        root=row.root,
        canonical=row.canonical,
        oldest_birth=row.oldest_birth,
        own=own,
        folded=folded,
        version=row.version,
        stamp=row.stamp,
        events=row.events,
        joined_to=row.joined_to,
        joined_at=row.joined_at,
    )


def to_row(profile: Profile, codes: Mapping[str, int], before: OriginRow | None = None) -> OriginRow:
    """The row of an origin; with `before` the counters are unchanged and taken from there."""
    if before is None:
        own = counters.pack(profile.own, codes.__getitem__)
        alone = profile.root != profile.id or counters.same(profile.folded, profile.own)
        folded = None if alone else counters.pack(profile.folded, codes.__getitem__)
    else:
        own, folded = before.own, before.folded
    return OriginRow(
        id=profile.id,
        version=profile.version,
        stamp=profile.stamp,
        created=profile.created,
        oldest_birth=profile.oldest_birth,
        events=profile.events,
        joined_at=profile.joined_at,
        root=profile.root,
        canonical=profile.canonical,
        joined_to=profile.joined_to,
        own=own,
        folded=folded,
    )
