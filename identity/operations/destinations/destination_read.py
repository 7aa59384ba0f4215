"""Profile reads of a destination, one profile or many: the part that the destination may see now.

A person never disclosed to the destination looks like a person who does not exist. A person disclosed
before looks withheld once nothing is visible any more.
"""

from collections.abc import Sequence
from functools import partial

from msgspec import Struct

from identity.operations.destinations.destination_scope import (
    Scope,
    VisibleIdentifier,
    disclose,
    id_only,
    open_scope,
    past_disclosures,
    visible_part,
)
from identity.operations.destinations.repeat_conflicts import REPEAT_CONFLICTS
from identity.operations.profiles.find_profile import MOST_DOCUMENTS
from identity.operations.profiles.profile import OpenedProfile
from identity.operations.profiles.recorded_withdrawals import add_recorded_withdrawals
from identity.planning.destinations.policy import Entitled, Visible
from identity.spaces.index_versions import retry_on_key_rotation
from identity.spaces.named_identifiers import fault_of, rules_to_read, type_of
from identity.spaces.retry import Again, repeat
from identity.spaces.space import Space
from identity.store.profiles import profile_queries
from identity.values.calls import Identifier
from identity.values.errors import BadIdentifier, ProfileNotFound
from identity.values.identifiers import parse
from identity.values.ids import BlindIndex, ProfileId, private
from identity.values.json import JsonObject
from identity.values.unknown_names import EntryFault


class VisibleProfile(Struct, frozen=True):
    """The part of a profile that a destination may see; `nothing` where nothing is visible any more.

    `merged_from` are the origins under the canonical id that were disclosed before.
    """

    id: ProfileId
    merged_from: list[ProfileId]
    version: int
    nothing: bool
    identifiers: list[VisibleIdentifier]
    traits: JsonObject


class SeenByReference(Struct, frozen=True):
    """What a destination may see of each reference as written, and the entries that cannot be read."""

    profiles: dict[str, VisibleProfile | None]
    faults: Sequence[EntryFault]


async def get_profile(space: Space, destination_id: str, ref: str) -> VisibleProfile:
    """What a destination may see of a profile. BadIdentifier, ProfileNotFound, DestinationNotFound, TooMuch."""
    if private("prf", ref) is None:
        reason = fault_of(ref, (await rules_to_read(space, [ref])).region)
        if reason is not None:
            raise BadIdentifier(f"The identifier {reason}.")
    found = (await look_up(space, destination_id, [ref]))[ref]
    if found is None:
        scope = await open_scope(space, destination_id)
        reason = _not_found(scope.entitled, ref)
        raise ProfileNotFound(None if reason is None else f"No profile is visible: {reason}")
    return found


async def look_up_each(space: Space, destination_id: str, refs: Sequence[str]) -> SeenByReference:
    """As `look_up`; a faulty entry keeps no other entry from its answer."""
    region = (await rules_to_read(space, refs)).region
    faults = [
        EntryFault(at, BadIdentifier.code, f"identifiers[{at}] {reason}.")
        for at, ref in enumerate(refs)
        if private("prf", ref) is None and (reason := fault_of(ref, region)) is not None
    ]
    faulty = {fault.index for fault in faults}
    good = dict.fromkeys(ref for at, ref in enumerate(refs) if at not in faulty)
    found = await look_up(space, destination_id, list(good))
    entitled = (await open_scope(space, destination_id)).entitled
    for at, ref in enumerate(refs):
        if at not in faulty and (reason := _not_found(entitled, ref)) is not None:
            faults.append(EntryFault(at, ProfileNotFound.code, f"identifiers[{at}]: {reason}"))
    return SeenByReference({ref: found.get(ref) for ref in refs}, sorted(faults, key=lambda fault: fault.index))


@retry_on_key_rotation
async def look_up(space: Space, destination_id: str, refs: Sequence[str]) -> dict[str, VisibleProfile | None]:
    """Many profiles by `type:value` or id, keyed as written; None where nobody is visible.

    A destination finds people by ids, and by identifiers of the types that it may see.
    """
    return await repeat(REPEAT_CONFLICTS, partial(_look_up, space, destination_id, refs, set()))


async def _look_up(
    space: Space, destination_id: str, refs: Sequence[str], ours: set[ProfileId]
) -> dict[str, VisibleProfile | None] | Again:
    """One attempt; `ours` collects the profiles whose first disclosure an attempt recorded."""
    scope = await open_scope(space, destination_id)
    found, keys = await _find(space, scope, refs)
    opened = OpenedProfile.each(space, found)
    await add_recorded_withdrawals(space, opened.values())
    views = {root: await visible_part(scope, each) for root, each in opened.items()}
    before = await past_disclosures(space, scope, [origin.id for origin in found.origins])
    known = {row.origin for row in before} - ours
    seen = {row.origin for row in before if row.fields != id_only(space)} & known
    fresh = await disclose(space, scope, [(opened[root], view) for root, view in views.items()], before)
    if fresh:
        # A withdrawal committed before this record did not notify the destination. So the profile is read again:
        # the data that leaves was still visible after the record.
        ours |= fresh - known
        return Again.AGAIN
    recorded = {row.origin for row in before}
    profiles = {
        root: await _visible_profile(scope, each, view, recorded)
        if not view.nothing or _any_known(each, known)
        else None
        for (root, each), view in zip(opened.items(), views.values(), strict=True)
    }
    return {
        ref: profiles[root]
        if (root := found.roots.get(nr)) is not None and _may_find(keys.get(nr), opened[root], views[root], seen)
        else None
        for nr, ref in enumerate(refs)
    }


async def _visible_profile(
    scope: Scope, opened: OpenedProfile, view: Visible, recorded: set[ProfileId]
) -> VisibleProfile:
    canonical = opened.root.canonical
    return VisibleProfile(
        id=canonical,
        merged_from=sorted(each.id for each in opened.origins if each.id != canonical and each.id in recorded),
        version=opened.root.version + scope.offset,
        nothing=view.nothing,
        identifiers=await visible_identifiers(opened, view),
        traits=view.traits,
    )


async def visible_identifiers(opened: OpenedProfile, view: Visible) -> list[VisibleIdentifier]:
    """The visible identifiers of a profile, opened."""
    names = await opened.names()
    held = [opened.identifiers[at] for at in view.identifiers]
    return [VisibleIdentifier(names[each.type], opened.value(each)) for each in held]


def _not_found(entitled: Entitled, ref: str) -> str | None:
    """Name the types that find people for this destination, where the reference is of another type."""
    type_ = type_of(ref)
    if type_ is None or entitled.identifier(type_):
        return None
    types = ", ".join(entitled.identifiers) or "no identifier type"
    return f"this destination finds people by their profile ids and by {types}; the request names another type."


def _any_known(opened: OpenedProfile, known: set[ProfileId]) -> bool:
    return any(origin.id in known for origin in opened.origins)


def _may_find(keys: Sequence[BlindIndex] | None, opened: OpenedProfile, view: Visible, seen: set[ProfileId]) -> bool:
    """Whether an identifier may lead to a profile: it is visible, or was, at an origin now withheld."""
    if keys is None or any(opened.identifiers[at].key in keys for at in view.identifiers):
        return True
    return view.nothing and any(each.key in keys and each.origin in seen for each in opened.identifiers)


async def _find(
    space: Space, scope: Scope, refs: Sequence[str]
) -> tuple[profile_queries.ProfileRows, dict[int, Sequence[BlindIndex]]]:
    """The profiles by position of the reference, and the blind indexes of the references that are identifiers."""
    region = (await rules_to_read(space, refs)).region
    ids: dict[int, ProfileId] = {}
    named: dict[int, Identifier] = {}
    for nr, ref in enumerate(refs):
        id_ = private("prf", ref)
        if id_ is not None:
            ids[nr] = ProfileId(id_)
            continue
        identifier = parse(ref, region)
        if scope.entitled.identifier(identifier.type):
            named[nr] = identifier
    roots: dict[int, ProfileId] = {}
    origins: dict[ProfileId, profile_queries.SealedOriginRow] = {}
    held: list[profile_queries.SealedIdentifierRow] = []
    async with space.database.reading() as connection:
        newest = space.keys.versions.newest
        keys = [space.keys.identifiers(each.type, each.value) for each in named.values()]
        for numbers in (list(named), list(ids)):
            if not numbers:
                continue
            if numbers[0] in named:
                found = await profile_queries.by_keys(connection, space.tenant, keys, MOST_DOCUMENTS + 1, newest)
            else:
                found = await profile_queries.by_ids(connection, space.tenant, list(ids.values()), MOST_DOCUMENTS + 1)
            roots |= {numbers[nr]: root for nr, root in found.roots.items()}
            # A profile found both ways has the identifiers that the first statement read.
            held += [each for each in found.identifiers if each.origin not in origins]
            origins |= {origin.id: origin for origin in found.origins if origin.id not in origins}
    return profile_queries.ProfileRows(roots, list(origins.values()), held), dict(zip(named, keys, strict=True))
