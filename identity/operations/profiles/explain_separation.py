"""Explains why two identifiers are not linked: they are two profiles, for a reason that Onefold recorded.

The explanation is a sentence for the reader of an error. It holds ids of profiles, times and reasons, and no value of
an identifier.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from identity.operations.profiles.find_profile import MOST_DOCUMENTS
from identity.operations.profiles.profile import OpenedProfile
from identity.planning.resolution.claimed_identifiers import read
from identity.planning.resolution.event_time import format_time
from identity.planning.resolution.resolution_rules import Rules
from identity.planning.resolution.stored_calls import unpack_demoted
from identity.spaces.space import Space
from identity.store.ingest import constraints
from identity.store.postgres.rows import EvidenceRow
from identity.store.profiles import evidence, profile_queries
from identity.values.calls import DemotedIdentifier, Identifier
from identity.values.enums import UnlinkedReason
from identity.values.ids import BlindIndex, ProfileId, public_profile
from identity.values.stamps import Stamp, stamp_time

FIELDS = ("from", "to")


async def why_not_linked(space: Space, asked: ProfileId, identifiers: Sequence[Identifier]) -> str:
    """Why a profile does not link two identifiers. KeyRenamed."""
    keys = [space.keys.identifiers(each.type, each.value) for each in identifiers]
    async with space.database.reading() as connection:
        newest = space.keys.versions.newest
        found = await profile_queries.by_keys(connection, space.tenant, keys, MOST_DOCUMENTS + 1, newest)
        limits = await constraints.constraints(connection, space.tenant, [key for each in keys for key in each])
    roots = OpenedProfile.each(space, found)
    profiles = [roots[found.roots[nr]] for nr in range(2) if nr in found.roots]
    if len(profiles) < len(FIELDS):
        rules = await space.rules()
        return _unknown(
            [
                (FIELDS[nr], is_blocked(each, rules) or not set(keys[nr]).isdisjoint(limits.blocked))
                for nr, each in enumerate(identifiers)
                if nr not in found.roots
            ]
        )
    if profiles[0].id == profiles[1].id:
        if profiles[0].id != asked:
            return f"Both identifiers belong to {public_profile(profiles[0].id)}; ask for that profile."
        return (
            "The profile holds both identifiers, and no stored call links them any more: a removal, an unmerge or an "
            "erasure took the link back."
        )
    first, second = (public_profile(profile.id) for profile in profiles)
    why = await _why_apart(space, profiles, keys)
    return f"They are two people: `from` belongs to {first} and `to` to {second}. {why}"


def is_blocked(identifier: Identifier, rules: Rules) -> bool:
    """Whether the rules block an identifier."""
    found = read(identifier.type, identifier.value, rules)
    return isinstance(found, DemotedIdentifier) and found.reason == UnlinkedReason.BLOCKED


def _unknown(fields: Sequence[tuple[str, bool]]) -> str:
    parts = [
        f"the identifier in `{field}` {'is blocked, so it links nobody' if blocked else 'is on no profile'}"
        for field, blocked in fields
    ]
    text = ", and ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


async def _why_apart(space: Space, profiles: Sequence[OpenedProfile], keys: Sequence[Sequence[BlindIndex]]) -> str:
    names = await space.read_types()
    held = [{each.key: names[each.type] for each in profile.identifiers} for profile in profiles]
    async with space.database.reading() as connection:
        cuts = await constraints.cuts(connection, space.tenant, [key for each in held for key in each])
        calls = [
            await evidence.without_payload(connection, space.tenant, [origin.id for origin in profile.origins])
            for profile in profiles
        ]
    sides = [{(row.cut, row.side) for row in cuts if row.key in each} for each in held]
    if any((id_, 1 - side) in sides[1] for id_, side in sides[0]):
        return "An unmerge keeps the two profiles apart (separated)."
    demoted = [
        each
        for nr in range(2)
        for row in calls[nr]
        for each in _demotions(row, nr, keys, held[1 - nr], names.__getitem__)
    ]
    if demoted:
        return max(demoted)[1]
    return "No stored call names both."


def _demotions(
    row: EvidenceRow,
    nr: int,
    keys: Sequence[Sequence[BlindIndex]],
    others: Mapping[BlindIndex, str],
    names: Callable[[int], str],
) -> Iterator[tuple[tuple[bool, int], str]]:
    """What a call at profile `nr` demoted of the other profile; the best explanation is the greatest."""
    at = format_time(stamp_time(Stamp(row.stamp)))
    for key, reason in unpack_demoted(row.demoted or b"", names):
        if key in others:
            is_named = key in keys[1 - nr]
            which = "the identifier" if is_named else f"{others[key]} of the profile"
            whose, which = FIELDS[nr], f"{which} in `{FIELDS[1 - nr]}`"
            text = f"A call of {at} at the profile in `{whose}` named {which}, which was demoted: {reason}."
            yield (is_named, row.stamp), text
